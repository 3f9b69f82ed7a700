"""Faults of a bus: refusals, errors, delays and broken connections."""

from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random
from typing import Any

Entry = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """Refuses one entry of the call and accepts the others."""

    code: str
    message: str = ""
    at: int = 0

    def hits(self, index: int, entry: Entry) -> bool:  # noqa: ARG002 - others look at the entry
        """Return True for an entry to refuse."""
        return index == self.at


@dataclass(frozen=True)
class SomeRefused(Refusal):
    """Refuses entries at random and accepts the others."""

    share: float = 0.3
    random: Random = field(default_factory=lambda: Random(20261123))  # noqa: S311 - chance that repeats itself

    def hits(self, index: int, entry: Entry) -> bool:  # noqa: ARG002 - chance decides
        return self.random.random() < self.share


@dataclass(frozen=True)
class TextRefused(Refusal):
    """Refuses entries that contain a text and accepts the others."""

    text: str = "poison"

    def hits(self, index: int, entry: Entry) -> bool:  # noqa: ARG002 - the text decides
        return self.text in entry["Detail"]


@dataclass(frozen=True)
class CallError:
    """Refuses the whole call."""

    status: int
    code: str
    message: str = ""


@dataclass(frozen=True)
class Garbage:
    """Returns a response that EventBridge never would, and accepts no event."""

    body: bytes
    status: int = 200


@dataclass(frozen=True)
class EntryCount:
    """Accepts the events, and returns this number of entries."""

    count: int


@dataclass(frozen=True)
class Latency:
    """Delays the response."""

    seconds: float


class Cut(Enum):
    """Point at which the connection breaks."""

    RESET = auto()
    """Before an event is accepted."""
    HALFWAY = auto()
    """In the middle of the response, after the events are accepted."""
    CLOSE = auto()
    """After the events are accepted, without a response."""
    HANG = auto()
    """The events are accepted, and the response never comes."""


Fault = Refusal | CallError | Garbage | EntryCount | Latency | Cut

INTERNAL_ERROR = CallError(500, "InternalException", "An internal error occurred")
THROTTLED = CallError(400, "ThrottlingException", "Rate exceeded")
EXPIRED_TOKEN = CallError(
    400, "ExpiredTokenException", "The security token included in the request is expired"
)
ACCESS_DENIED = CallError(400, "AccessDeniedException", "no identity-based policy allows events:PutEvents")


class CallRefusedError(Exception):
    """Raised within the stub to return a `CallError`."""

    def __init__(self, error: CallError) -> None:
        super().__init__(error)
        self.error = error
