"""What travels with a message of a queue, beside its body."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field


class Attribute(BaseModel):
    """One value beside a body: a text or bytes (base64 in JSON), with its type as the sender named it."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    type: str
    text: str | None = None
    binary: bytes | None = None


class Attributes(BaseModel):
    """Everything that a copy of a message needs besides the body.

    Attributes:
        named: what the sender put beside the body.
        trace: ties the message to a distributed trace.
        digest: the queue's own digest of `named`; a copy must have the same.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    named: Mapping[str, Attribute] = Field(default_factory=dict)
    trace: str | None = None
    digest: str | None = None


NO_ATTRIBUTES = Attributes()
"""Nothing travels with the message."""


class DeliveryFailure(NamedTuple):
    """Why the bus gave a message up, which therefore never reached its queue.

    Attributes:
        code: the bus's name for what was wrong.
        message: the same in words.
        attempts: how often it tried; None where it does not say.
        exhausted: which limit ended that, such as the age of the event; empty where none did.
    """

    code: str
    message: str = ""
    attempts: int | None = None
    exhausted: str = ""
