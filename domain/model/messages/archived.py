"""A whole message outside of any queue: as a line of an export, and as an object of an archive."""

import json
import re
from hashlib import sha256
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from domain.model.errors import ArchiveError
from domain.model.messages.message import Attributes

_SAFE_NAME = re.compile("[A-Za-z0-9-]{1,100}")


class ArchivedMessage(BaseModel):
    """A message with everything that sending it again needs.

    Attributes:
        format: of this JSON.
        receive_count: how often it had been received when it was stored.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    format: Literal["dead-letter/1"] = "dead-letter/1"
    id: str
    sent_at: AwareDatetime | None
    receive_count: int
    attributes: Attributes
    body: str

    def to_json(self) -> str:
        """One line of ASCII, so that nothing in it can steer a terminal."""
        return json.dumps(self.model_dump(mode="json"), separators=(",", ":"))

    @classmethod
    def read(cls, content: bytes, name: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ArchiveError: this is none; says so of `name`.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            place = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "its top level"
            raise ArchiveError(
                f"{name} is no archived message (wrong at {place}): mend it, or move it elsewhere"
            ) from None

    @property
    def name(self) -> str:
        """What it is called in an archive: its id, unless that could lead elsewhere."""
        safe = _SAFE_NAME.fullmatch(self.id) is not None
        return f"{self.id if safe else sha256(self.id.encode()).hexdigest()}.json"
