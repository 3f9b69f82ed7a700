"""A whole message outside of a queue: one line of an export, or one object of an archive."""

import json
import re
from hashlib import sha256
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from domain.model.errors import ArchiveError
from domain.model.messages.message import Attributes

_SAFE_NAME = re.compile("[A-Za-z0-9-]{1,100}")


class ArchivedMessage(BaseModel):
    """A message with all data that sending it again needs."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    format: Literal["dead-letter/1"] = "dead-letter/1"  # version of this JSON format
    id: str
    sent_at: AwareDatetime | None
    receive_count: int  # number of receives when the message was archived
    attributes: Attributes
    body: str

    def to_json(self) -> str:
        """Serialize as one line of ASCII, which cannot control a terminal."""
        return json.dumps(self.model_dump(mode="json"), separators=(",", ":"))

    @classmethod
    def read(cls, content: bytes, name: str) -> Self:
        """Parse the output of `to_json`; `name` is the file or object, for the error.

        Raises:
            ArchiveError: the content is no archived message.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            place = ".".join(map(str, error.errors(include_input=False)[0]["loc"])) or "its top level"
            raise ArchiveError(
                f"{name} is no archived message (invalid at {place}): correct it, or move it elsewhere"
            ) from None

    @property
    def name(self) -> str:
        """File name in an archive: the id, or its hash where the id is unsafe as a path."""
        safe = _SAFE_NAME.fullmatch(self.id) is not None
        return f"{self.id if safe else sha256(self.id.encode()).hexdigest()}.json"
