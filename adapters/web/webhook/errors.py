"""Faults of an endpoint: what went wrong, and what to do about it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from socket import gaierror

from adapters.web.locations import Location
from domain.model.route.route import Finding, RouteComponent

_REACH = "Start the endpoint, or correct WEBHOOK_URL, the network and its firewalls."
_CERTIFICATE = (
    "Give the endpoint a certificate for this name from an authority that this machine trusts; "
    "SSL_CERT_FILE names a file with authorities of your own."
)
_ANSWER_FIRST = (
    "Let the endpoint store the event and answer 204 before it works on it, or raise WEBHOOK_TIMEOUT_SECONDS."
)


class EndpointError(Exception):
    """There was no answer to an event; the finding says why, and quotes nothing of the URL but its host."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.problem}: {finding.evidence}")
        self.finding = finding


@contextmanager
def translated(location: Location) -> Iterator[None]:
    """Translate the errors of the network."""
    try:
        yield
    except (OSError, HTTPException) as error:
        raise EndpointError(_finding(location.shown, error)) from error


def _finding(host: str, error: Exception) -> Finding:
    match error:
        case TimeoutError():
            evidence = f"{host} sent no whole answer in time"
            return Finding(
                RouteComponent.ENDPOINT, "the endpoint did not answer in time", evidence, _ANSWER_FIRST
            )
        case gaierror():
            evidence = f"{host}: {error.strerror or 'no address'}"
            remedy = "Correct WEBHOOK_URL, or the name server of this machine."
            return Finding(
                RouteComponent.NAME, "the name of the endpoint could not be resolved", evidence, remedy
            )
        case ssl.SSLCertVerificationError():
            evidence = f"{host}: {error.verify_message}"
            return Finding(
                RouteComponent.TLS, "the certificate of the endpoint is not valid", evidence, _CERTIFICATE
            )
        case ssl.SSLError():
            evidence = f"{host}: {error.reason or 'the connection was cut'}"
            return Finding(RouteComponent.TLS, "TLS with the endpoint failed", evidence, _REACH)
        case HTTPException():
            evidence = f"{host}: {type(error).__name__}"
            return Finding(
                RouteComponent.ENDPOINT, "the endpoint sent no whole answer of HTTP", evidence, _REACH
            )
        case _:
            evidence = f"{host}: {getattr(error, 'strerror', None) or type(error).__name__}"
            return Finding(RouteComponent.ENDPOINT, "the endpoint could not be reached", evidence, _REACH)
