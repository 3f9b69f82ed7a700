"""Client of a webhook's endpoint: posts over connections that are kept open."""

import logging
import ssl
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPResponse, IncompleteRead
from typing import NamedTuple

from adapters.web.connection import PinnedConnection
from adapters.web.webhook.endpoint import Endpoint, timing
from adapters.web.webhook.errors import translated
from domain.model.outbox import MAX_WAIT_SECONDS

logger = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 4096
"""Part of an answer's body that is read."""

MAX_KEPT_SECONDS = 60.0
"""Age at which a connection is closed, so that a name whose addresses changed is resolved again."""

_PAGES = (b"<!doctype html", b"<html")
"""Beginnings of web pages: those of proxies, logins and parked names, which take no event."""


class Answer(NamedTuple):
    """Answer of the endpoint."""

    status: int
    body: bytes  # at most the first 4 KiB
    retry_after: float  # seconds for which the endpoint asks to wait, cut to ten minutes; 0 for none

    @property
    def is_acceptance(self) -> bool:
        """True for a status of 2xx, unless a web page comes with it."""
        return 200 <= self.status < 300 and not self.is_page  # noqa: PLR2004 - the class of successes

    @property
    def is_page(self) -> bool:
        """True if the body is a web page."""
        return self.body.lstrip().lower().startswith(_PAGES)


class _Kept(NamedTuple):
    connection: PinnedConnection
    opened_at: float


class WebhookClient:
    """Posts to one endpoint; safe to use from several threads, each of which has a connection of its own.

    Follows no redirect, uses no proxy, and resolves the name for each new connection.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._now = now
        self._kept: deque[_Kept] = deque()
        weakref.finalize(self, _close, self._kept)
        self.host = endpoint.location.shown

    def post(self, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
        """Post once; returns within `seconds`, after the time that the name server takes.

        Raises:
            EndpointError: there was no whole answer in time.
        """
        until = self._clock() + seconds
        with translated(self._endpoint.location):
            if kept := self._take():
                # an endpoint may have closed it meanwhile, or closes it at the next request
                with suppress(ConnectionError, ssl.SSLError):
                    return self._exchange(kept, body, headers, until)
            addresses = self._endpoint.addresses()
            connection = self._endpoint.connection(addresses, self._left(until))
            return self._exchange(_Kept(connection, self._clock()), body, headers, until)

    def close(self) -> None:
        """Close the connections that are kept open."""
        _close(self._kept)

    def _exchange(self, kept: _Kept, body: bytes, headers: Mapping[str, str], until: float) -> Answer:
        connection = kept.connection
        try:
            if connection.sock is None:
                connection.connect()
            connection.restart(timing(self._left(until)))
            answer = self._answer(connection, body, headers)
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:
            self._kept.append(kept)
        return answer

    def _answer(self, connection: PinnedConnection, body: bytes, headers: Mapping[str, str]) -> Answer:
        # an endpoint that refuses a long body answers before it has read it
        with suppress(ConnectionError, ssl.SSLError):
            connection.request("POST", self._endpoint.location.target, body, dict(headers))
        with connection.getresponse() as response:
            content = response.read(MAX_ANSWER_BYTES)
            if response.length and len(content) < MAX_ANSWER_BYTES:
                raise IncompleteRead(content)
            if not response.isclosed():
                connection.close()  # the rest is not read
        return Answer(response.status, content, self._retry_after(response))

    def _take(self) -> _Kept | None:
        """Return a connection that is young enough; close those that are not."""
        while True:
            try:
                kept = self._kept.pop()
            except IndexError:
                return None
            if self._clock() - kept.opened_at < MAX_KEPT_SECONDS:
                return kept
            kept.connection.close()

    def _left(self, until: float) -> float:
        left = until - self._clock()
        if left <= 0:
            raise TimeoutError
        return left

    def _retry_after(self, response: HTTPResponse) -> float:
        """Read `Retry-After`, which is a number of seconds or a date (RFC 9110, section 10.2.3)."""
        text = response.headers.get("Retry-After", "").strip()
        if response.status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            return 0.0
        if text.isascii() and text.isdigit():
            return min(float(text[:9]), MAX_WAIT_SECONDS)
        try:
            seconds = parsedate_to_datetime(text).timestamp() - self._now()
        except (ValueError, OverflowError):
            return 0.0
        return min(max(seconds, 0.0), MAX_WAIT_SECONDS)


def _close(kept: deque[_Kept]) -> None:
    while kept:
        kept.pop().connection.close()
