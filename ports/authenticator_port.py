"""Port of authentication: finds the caller of a request."""

from abc import abstractmethod
from typing import Protocol

from domain.model.access import Caller, Credentials


class AuthenticatorPort(Protocol):
    """Proves who sent a request, before its body is read.

    Calls may run concurrently, and none waits for another caller's proof.
    """

    @abstractmethod
    async def identify(self, credentials: Credentials, /) -> Caller:
        """Return the caller that the credentials prove, with the scopes that it has.

        The tenant and the user of the answer are those of the credentials. Headers that name the caller
        serve as proof only where the adapter says so; elsewhere they may repeat the credentials.

        Raises:
            UnauthenticatedError: there are no credentials, or they are malformed, unknown, expired or
                revoked.
            AccessDeniedError: the credentials are valid, and the request contradicts them, or names no tenant
                that can own a transcript, or comes from a peer that may not name its caller.
            InvalidIdentityError: an identity header is given twice, too long or unprintable.
            AuthenticatorUnavailableError: the credentials cannot be examined at present; a retry may succeed.
        """
        ...
