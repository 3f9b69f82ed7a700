"""Decorator around an authenticator."""

from adapters.telemetry.metrics.instruments import Metrics
from domain.model import errors
from domain.model.access import Caller, Credentials
from domain.model.problem_names import problem_name
from ports.authenticator_port import AuthenticatorPort

_FAILURES = (
    errors.UnauthenticatedError,
    errors.AccessDeniedError,
    errors.UnknownTenantError,
    errors.UntrustedPeerError,
    errors.InvalidIdentityError,
    errors.AuthenticatorUnavailableError,
)
"""Errors of `AuthenticatorPort.identify`."""


class MeteredAuthenticator(AuthenticatorPort):
    """Counts the requests whose caller could not be identified, by the reason."""

    def __init__(self, authenticator: AuthenticatorPort, metrics: Metrics) -> None:
        self._authenticator = authenticator
        self._failures = metrics.authentication_failures
        for error in _FAILURES:
            self._failures.labels(problem_name(error))  # from 0 on, or the first failure is no increase

    async def identify(self, credentials: Credentials, /) -> Caller:
        """Identify the caller, and count a failure."""
        try:
            return await self._authenticator.identify(credentials)
        except errors.TranscriptionServiceError as error:
            self._failures.labels(problem_name(type(error))).inc()
            raise
