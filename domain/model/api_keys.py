"""API keys: `bt_<id>_<secret><checksum>`, and what is stored of one."""

import re
import secrets
import string
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from domain.model.access import Scope

KEY_PREFIX = "bt_"
"""Beginning of every key, by which scanners for secrets recognise one."""
KEY_HEADER = "X-API-Key"
"""Header of a key, where a proxy takes `Authorization` for itself."""

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LETTERS = string.digits + string.ascii_lowercase
_ID_LENGTH, _SECRET_LENGTH, _CHECKSUM_LENGTH = 8, 43, 6  # 43 of 62 letters: 256 bits
_KEY = re.compile(r"bt_([0-9a-z]{8})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})")


@dataclass(frozen=True, slots=True)
class PlainKey:
    """Key as its owner has it; only the id and the hash of the secret are stored."""

    id: str  # public: it finds the key
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole key, with its checksum."""
        body = f"{KEY_PREFIX}{self.id}_{self.secret}"
        return body + _checksum(body)

    @property
    def secret_hash(self) -> str:
        """The SHA-256 of the secret, in hexadecimal digits.

        A slow hash, as for passwords, would protect nothing: 256 random bits cannot be guessed.
        """
        return sha256(self.secret.encode()).hexdigest()


def new_key() -> PlainKey:
    """Generate a key."""
    return PlainKey(_random(_ID_LETTERS, _ID_LENGTH), _random(_DIGITS, _SECRET_LENGTH))


def parse_key(text: str) -> PlainKey | None:
    """Parse a key; None where the form or the checksum is wrong, so that a typing error costs no query."""
    match = _KEY.fullmatch(text)
    key = PlainKey(match[1], match[2]) if match else None
    return key if key is not None and key.text == text else None


class KeyState(StrEnum):
    """State of a stored key; only an active one proves a caller."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class KeyGrant(NamedTuple):
    """Rights of a key, and its label for people."""

    tenant_id: UUID
    user_id: str
    scopes: frozenset[Scope]
    label: str = ""


class NewApiKey(NamedTuple):
    """Key to be stored."""

    id: str
    secret_hash: str
    grant: KeyGrant
    lifetime_seconds: float | None = None  # None: it does not expire
    session_of: str | None = None  # id of the key that a browser has traded for this one


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Stored key; all times are by the clock of the store."""

    id: str
    secret_hash: str = field(repr=False)
    grant: KeyGrant
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None  # to the minute
    read_at: datetime  # time of this look at the store
    session_of: str | None = None  # id of the key that a browser has traded for this one

    @property
    def state(self) -> KeyState:
        """The state at the time of the look."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        is_over = self.expires_at is not None and self.expires_at <= self.read_at
        return KeyState.EXPIRED if is_over else KeyState.ACTIVE


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
