"""What is known of a dead letter: why it is where it is, and whether consumers could have read it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import from_json

from domain.model.errors import UnreadableMessageError
from domain.model.events.envelope import parse_envelope
from domain.model.events.event import BatchProcessingCompleted, read_event
from domain.model.messages.message import DeliveryFailure

MAX_PLACE = 200
"""Characters of a place or of what is wrong there: keys and values come from whoever sent the message."""

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


class Problem(NamedTuple):
    """One way in which a message breaks the contract.

    Attributes:
        place: a JSON path, such as `$.detail.data.raw_transcript`.
        what: what is wrong there; it quotes no text of a transcript.
    """

    place: str
    what: str


class Reading(NamedTuple):
    """What a body turned out to be.

    Attributes:
        tenant_id, interaction_id, version: as the event inside says, where it says so at all.
        problems: empty where a consumer could read it.
    """

    tenant_id: UUID | None = None
    interaction_id: UUID | None = None
    version: str | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as an operator sees it; its texts are not shown.

    Attributes:
        id: the queue's name for the message.
        size: bytes of the body.
        receive_count: how often it was received, looking at it included.
        sent_at: when it was sent first.
        delivery_failure: why the bus gave it up; None where it was received from the queue too often.
    """

    id: str
    size: int
    receive_count: int
    sent_at: datetime | None
    delivery_failure: DeliveryFailure | None
    reading: Reading

    def age_seconds(self, now: datetime) -> float | None:
        """How long ago it was sent first; never below 0, whatever the clocks say."""
        return None if self.sent_at is None else max(0.0, (now - self.sent_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant: all of them, unless something is named.

    Attributes:
        id: the message's, or the `interaction_id` of the event inside; the first that matches.
        tenant_id: what `detail.tenant_id` must be.
        limit: at most so many.
    """

    id: str | None = None
    tenant_id: UUID | None = None
    limit: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()

    @property
    def at_most(self) -> int | None:
        """How many are meant, where there is an end to it."""
        return 1 if self.id is not None else self.limit

    def means(self, letter: DeadLetter) -> bool:
        """Whether this one is meant, limits aside."""
        interaction_id = letter.reading.interaction_id
        return (self.id is None or self.id in {letter.id, interaction_id and str(interaction_id)}) and (
            self.tenant_id is None or self.tenant_id == letter.reading.tenant_id
        )


def read_body(body: str, source: str) -> Reading:
    """Read a body as a consumer of events from `source` would, and say where that fails."""
    try:
        delivered = parse_envelope(body, source)
    except UnreadableMessageError as error:
        return _broken(body, source, str(error))
    return Reading(delivered.event.tenant_id, delivered.event.interaction_id, delivered.version)


def _broken(body: str, source: str, why: str) -> Reading:
    """What can be known of a body that consumers cannot read, and `why` where nothing else is wrong."""
    try:
        envelope = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        return Reading(problems=(Problem("$", f"is not JSON: {_short(str(error))}"),))
    if not isinstance(envelope, dict):
        return Reading(problems=(Problem("$", "is not a JSON object"),))
    fields = cast("Mapping[str, object]", envelope)
    detail = fields.get("detail")
    inside = cast("Mapping[str, object]", detail) if isinstance(detail, dict) else {}
    version = inside.get("version")
    problems = (*_envelope_problems(fields, source), *_detail_problems(detail))
    return Reading(
        tenant_id=_uuid(inside.get("tenant_id")),
        interaction_id=_uuid(inside.get("interaction_id")),
        version=_short(version) if isinstance(version, str) else None,
        problems=problems or (Problem("$", _short(why)),),
    )


def _envelope_problems(envelope: Mapping[str, object], source: str) -> Iterator[Problem]:
    wanted = {"source": source, "detail-type": BatchProcessingCompleted.DETAIL_TYPE}
    for name, value in wanted.items():
        if name not in envelope:
            yield Problem(_path((name,)), "is missing")
        elif envelope[name] != value:
            yield Problem(_path((name,)), f"is not {value}")


def _detail_problems(detail: object) -> Iterator[Problem]:
    if not isinstance(detail, dict):
        yield Problem("$.detail", "is missing" if detail is None else "is not an object")
        return
    try:
        read_event(json.dumps(detail))
    except ValidationError as error:
        for found in error.errors(include_url=False, include_input=False, include_context=False):
            yield Problem(_path(("detail", *_untagged(found["loc"]))), _short(found["msg"]))


def _untagged(place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Without the version that was chosen, which pydantic puts first; a wrong version is wrong itself."""
    return place[1:] or ("version",)


def _path(keys: tuple[int | str, ...]) -> str:
    path = "$"
    for key in keys:
        plain = isinstance(key, str) and (_NAME.fullmatch(key) or key == "detail-type")
        path += f".{key}" if plain else f"[{json.dumps(key)}]"
    return _short(path)


def _short(text: str) -> str:
    return text if len(text) <= MAX_PLACE else text[: MAX_PLACE - 1] + "…"


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
