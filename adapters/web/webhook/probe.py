"""Probe of a webhook's endpoint: sends one test event, and reports each step."""

import time
from collections.abc import Callable
from contextlib import suppress

from adapters.web.webhook.endpoint import Endpoint
from adapters.web.webhook.errors import EndpointError
from adapters.web.webhook.publisher import WebhookPublisher
from adapters.web.webhook.status import refusal
from domain.model.errors import EventTooLargeError
from domain.model.events.event import TEST_EVENT_LABEL
from domain.model.events.sent import StoredEvent
from domain.model.route.probe import Observation, ProbeReport
from domain.model.route.route import Finding, RouteComponent
from ports.transport_probe_port import TransportProbePort

SHOWN_CHARACTERS = 200
"""Part of an answer's body that is shown where the endpoint does not take the test event."""


class WebhookProbe(TransportProbePort):
    """Probes the endpoint as the publisher reaches it."""

    def __init__(
        self,
        endpoint: Endpoint,
        publisher: WebhookPublisher,
        *,
        seconds: float,  # for the whole answer
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._publisher = publisher
        self._seconds = seconds
        self._clock = clock

    def probe(self, event: StoredEvent, /) -> ProbeReport:
        """Resolve the name, then send the event, which resolves it again, and read the answer."""
        seen: list[Observation] = []
        try:
            seen.append(Observation("address", ", ".join(map(str, self._endpoint.addresses()))))
            return self._sent(event, seen)
        except EndpointError as error:
            return ProbeReport(tuple(seen), (error.finding,))
        except EventTooLargeError as error:
            remedy = "Raise EVENT_MAX_BYTES: not even a short event fits."
            found = Finding(RouteComponent.PUBLISH, "the test event is too large", str(error), remedy)
            return ProbeReport(tuple(seen), (found,))

    def _sent(self, event: StoredEvent, seen: list[Observation]) -> ProbeReport:
        began = self._clock()
        answer = self._publisher.post(event, (TEST_EVENT_LABEL,), None, self._seconds)
        seen.append(Observation("answer", f"{answer.status} after {self._clock() - began:.2f} s"))
        if answer.is_acceptance:
            return ProbeReport(tuple(seen))
        with suppress(UnicodeDecodeError):
            seen.append(Observation("body", answer.body.decode()[:SHOWN_CHARACTERS]))
        return ProbeReport(tuple(seen), (refusal(self._endpoint.location.shown, answer),))
