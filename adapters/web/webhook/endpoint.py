"""Endpoint of a webhook: its checked addresses, and connections to them."""

import ssl
from collections.abc import Callable, Sequence
from functools import cached_property

from adapters.web.addresses import Address, Network, is_allowed, is_listed, resolved
from adapters.web.connection import PinnedConnection, Timing
from adapters.web.locations import Location
from adapters.web.webhook.errors import EndpointError, translated
from domain.model.route.route import Finding, RouteComponent

_REFUSED = "the endpoint has an address to which no event is sent"


class Endpoint:
    """Endpoint that is reached at public addresses, and at those of the operator's own networks.

    Guards against server-side request forgery: each connection resolves the name once, every address must be
    allowed, and the connection goes to a checked one. Plain text goes to the operator's networks only.
    """

    def __init__(
        self,
        location: Location,
        *,
        allowed: Sequence[Network] = (),  # networks that may be reached although they are not public
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        resolve: Callable[[str], Sequence[Address]] = resolved,
    ) -> None:
        self.location = location
        self._allowed = tuple(allowed)
        self._build_tls = tls
        self._resolve = resolve

    def addresses(self) -> Sequence[Address]:
        """Resolve the name, and check its addresses.

        Raises:
            EndpointError: the name has no address, or one that is not allowed.
        """
        if self.location.address is not None:
            found: Sequence[Address] = (self.location.address,)
        else:
            with translated(self.location):
                found = self._resolve(self.location.host)
        for address in found:
            self._check(address)
        return found

    def connection(self, addresses: Sequence[Address], seconds: float) -> PinnedConnection:
        """Prepare a connection to checked addresses; connecting and one request end within `seconds`."""
        tls = self._tls if self.location.scheme == "https" else None
        return PinnedConnection(self.location, addresses, tls, timing(seconds))

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._build_tls()

    def _check(self, address: Address) -> None:
        place = f"{self.location.shown} has the address {address}"
        if not is_allowed(address, self._allowed):
            remedy = "Correct WEBHOOK_URL; WEBHOOK_ALLOW_NETWORKS admits networks of your own."
            evidence = f"{place}, which is neither public nor in WEBHOOK_ALLOW_NETWORKS"
            raise EndpointError(Finding(RouteComponent.ADDRESS, _REFUSED, evidence, remedy))
        if self.location.scheme != "https" and not is_listed(address, self._allowed):
            remedy = "Let WEBHOOK_URL begin with https://, or list the endpoint's network."
            evidence = f"{place}, and http:// reaches networks in WEBHOOK_ALLOW_NETWORKS only"
            raise EndpointError(Finding(RouteComponent.ADDRESS, _REFUSED, evidence, remedy))


def timing(seconds: float) -> Timing:
    """Return the limits of one request: its whole answer comes within that time."""
    return Timing(seconds, seconds, seconds, bytes_per_second=float("inf"))
