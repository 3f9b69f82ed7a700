"""Attributes of a queue's message, and the failure that dead-lettered it."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field


class Attribute(BaseModel):
    """One attribute of a message: text or bytes (base64 in JSON), with the type set by the sender."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    type: str
    text: str | None = None
    binary: bytes | None = None


class Attributes(BaseModel):
    """All data that a copy of a message needs besides the body."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    named: Mapping[str, Attribute] = Field(default_factory=dict)  # attributes set by the sender
    trace: str | None = None  # trace header of the message
    digest: str | None = None  # the queue's digest of `named`; a copy must have the same


NO_ATTRIBUTES = Attributes()
"""Attributes of a message that has none."""


class DeliveryFailure(NamedTuple):
    """The reason why the bus gave up delivering a message, which never reached its queue."""

    code: str  # the bus's error code
    message: str = ""  # the bus's error message
    attempts: int | None = None  # number of attempts; None where the bus does not report it
    # the limit that ended the attempts, such as the age of the event; empty where none did
    exhausted: str = ""
