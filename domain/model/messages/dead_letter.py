"""A dead letter: the reason why it was dead-lettered, and its violations of the event contract."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from pydantic import ValidationError

from domain.model.errors import UnreadableMessageError
from domain.model.events.envelope import parse_envelope, read_envelope, shorten
from domain.model.events.kinds import EventKind, read_kind
from domain.model.messages.message import DeliveryFailure

MAX_PLACE = 200
"""Characters of a place or of a violation: keys and values are untrusted text of the sender."""

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


class ContractViolation(NamedTuple):
    """One violation of the event contract."""

    place: str  # a JSON path, such as `$.detail.data.raw_transcript`
    what: str  # the violation at that place; quotes no text of a transcript


class Reading(NamedTuple):
    """The content of a body, as far as it could be read; None for a value that the event inside lacks."""

    tenant_id: UUID | None = None
    interaction_id: UUID | None = None
    version: str | None = None
    problems: tuple[ContractViolation, ...] = ()  # empty where a consumer could read the body


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as an operator sees it, without transcripts."""

    id: str  # the queue's id of the message
    size: int  # bytes of the body
    receive_count: int  # number of receives, including the one that read this
    sent_at: datetime | None  # the moment when the message was first sent
    # failure of the bus's delivery; None where consumers received the message too often
    delivery_failure: DeliveryFailure | None
    reading: Reading

    def age_seconds(self, now: datetime) -> float | None:
        """Return the time since the message was first sent; never below 0, even where clocks differ."""
        return None if self.sent_at is None else max(0.0, (now - self.sent_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection of dead letters; without any criterion, all of them."""

    id: str | None = None  # the message's id, or the `interaction_id` of its event; selects the first match
    tenant_id: UUID | None = None  # required value of `detail.tenant_id`
    limit: int | None = None  # maximum number

    @property
    def is_everything(self) -> bool:
        """True where every dead letter is selected."""
        return self == Selection()

    @property
    def at_most(self) -> int | None:
        """Maximum number of dead letters; None without a limit."""
        return 1 if self.id is not None else self.limit

    def means(self, letter: DeadLetter) -> bool:
        """Return True where the dead letter is selected, regardless of the limit."""
        interaction_id = letter.reading.interaction_id
        return (self.id is None or self.id in {letter.id, interaction_id and str(interaction_id)}) and (
            self.tenant_id is None or self.tenant_id == letter.reading.tenant_id
        )


def read_body(body: str, source: str, kind: EventKind = EventKind.COMPLETED) -> Reading:
    """Read a body as a consumer of one kind of events from `source` would, and list the violations."""
    try:
        envelope = parse_envelope(body, source, kind)
    except UnreadableMessageError as error:
        return _read_invalid(body, source, kind, str(error))
    return Reading(envelope.event.tenant_id, envelope.event.interaction_id, envelope.version)


def _read_invalid(body: str, source: str, kind: EventKind, reason: str) -> Reading:
    """Read as much as possible of an invalid body; `reason` is its violation where no other is found."""
    try:
        envelope = read_envelope(body)
    except ValueError as error:
        return Reading(problems=(ContractViolation("$", f"is not JSON: {_short(str(error))}"),))
    if envelope is None:
        return Reading(problems=(ContractViolation("$", "is not a JSON object"),))
    detail = envelope.get("detail")
    fields = cast("Mapping[str, object]", detail) if isinstance(detail, dict) else {}
    version = fields.get("version")
    violations = (*_envelope_violations(envelope, source, kind), *_detail_violations(detail, kind))
    return Reading(
        tenant_id=_uuid(fields.get("tenant_id")),
        interaction_id=_uuid(fields.get("interaction_id")),
        version=_short(version) if isinstance(version, str) else None,
        problems=violations or (ContractViolation("$", _short(reason)),),
    )


def _envelope_violations(
    envelope: Mapping[str, object], source: str, kind: EventKind
) -> Iterator[ContractViolation]:
    wanted = {"source": source, "detail-type": kind.detail_type}
    for name, value in wanted.items():
        if name not in envelope:
            yield ContractViolation(_path((name,)), "is missing")
        elif envelope[name] != value:
            yield ContractViolation(_path((name,)), f"is not {value}")


def _detail_violations(detail: object, kind: EventKind) -> Iterator[ContractViolation]:
    if not isinstance(detail, dict):
        yield ContractViolation("$.detail", "is missing" if detail is None else "is not an object")
        return
    try:
        read_kind(json.dumps(detail), kind)
    except ValidationError as error:
        for found in error.errors(include_url=False, include_input=False, include_context=False):
            # of a completed event, pydantic puts the version first; alone, it is wrong
            place = found["loc"][1:] or ("version",) if kind is EventKind.COMPLETED else found["loc"]
            yield ContractViolation(_path(("detail", *place)), _short(found["msg"]))


def _path(keys: tuple[int | str, ...]) -> str:
    path = "$"
    for key in keys:
        plain = isinstance(key, str) and (_NAME.fullmatch(key) or key == "detail-type")
        path += f".{key}" if plain else f"[{json.dumps(key)}]"
    return _short(path)


def _short(text: str) -> str:
    return shorten(text, MAX_PLACE)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
