"""Personal data in a text: where it stands, and what stands there once it is redacted."""

from enum import StrEnum
from typing import NamedTuple


class PersonalDataKind(StrEnum):
    """Kind of personal data."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    IBAN = "IBAN"
    CARD = "CARD"
    NUMBER = "NUMBER"  # a long run of digits that is none of the above
    PERSON = "PERSON"
    LOCATION = "LOCATION"

    @property
    def marker(self) -> str:
        """Text in place of the data, such as "[CARD]"."""
        return f"[{self.value}]"


class PersonalData(NamedTuple):
    """Characters of a text that are personal data."""

    start: int  # first character
    end: int  # the one behind the last
    kind: PersonalDataKind
