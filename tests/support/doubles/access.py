"""Doubles of authenticators and of the store of keys."""

from typing import NoReturn
from uuid import UUID

from adapters.in_memory import InMemoryApiKeys
from domain.model.access import Caller, Credentials
from domain.model.api_keys import ApiKey
from domain.model.errors import AuthenticatorUnavailableError, UnauthenticatedError
from ports.authenticator_port import AuthenticatorPort


class UnknowingAuthenticator(AuthenticatorPort):
    """Authenticator that knows no caller, and remembers who asked."""

    def __init__(self) -> None:
        self.asked: list[Credentials] = []

    async def identify(self, credentials: Credentials, /) -> Caller:
        self.asked.append(credentials)
        raise UnauthenticatedError(
            "No caller is known.", has_credentials="authorization" in credentials.headers
        )


class CountedApiKeys(InMemoryApiKeys):
    """Store of keys that counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[str] = []
        self.uses: list[str] = []

    def find(self, key_id: str, /) -> ApiKey | None:
        self.looks.append(key_id)
        return super().find(key_id)

    def record_use(self, key_id: str, /) -> None:
        self.uses.append(key_id)
        super().record_use(key_id)


class ReadOnlyApiKeys(CountedApiKeys):
    """Store of keys on a disk that takes nothing any more."""

    def record_use(self, key_id: str, /) -> NoReturn:
        self.uses.append(key_id)
        raise AuthenticatorUnavailableError("database error: disk full")


class AwayApiKeys(InMemoryApiKeys):
    """Store of keys that cannot be reached."""

    def find(self, key_id: str, /) -> NoReturn:  # noqa: ARG002 - the port's signature
        raise AuthenticatorUnavailableError("database error: connection refused")

    def newest(self, tenant_id: UUID | None, /, *, limit: int) -> NoReturn:  # noqa: ARG002 - the same
        raise AuthenticatorUnavailableError("database error: connection refused")
