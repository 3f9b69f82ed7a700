"""Stub bus for fault tests: many senders connect at once, and are killed in the middle of a request."""

import json
import sys

from tests.support.doubles import stub_bus

WEBHOOK_PATH = "/webhook"
"""Path that tells the URL of a webhook from that of a bus."""
WEBHOOK_SECRET = "whsec_" + "ZmF1bHQgdGVzdHMsIGZhdWx0IHRlc3RzLCBmYXVsdHM="


def environ_of(url: str) -> dict[str, str]:
    """Return the variables of a service that sends its events to a stub."""
    if not url.endswith(WEBHOOK_PATH):
        return {"EVENT_TRANSPORT": "eventbridge", "AWS_ENDPOINT_URL": url}
    return {
        "EVENT_TRANSPORT": "webhook",
        "WEBHOOK_URL": url,
        "WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "WEBHOOK_ALLOW_NETWORKS": "127.0.0.0/8",
    }


class RoughBus(stub_bus.StubBus):
    """Server that accepts all senders at once, and treats half a request as the end of its sender."""

    events_per_call = 10

    def __init__(self) -> None:
        super().__init__()
        self._server.server_close()
        self._server = _RoughServer(self)


class _RoughServer(stub_bus._Server):
    request_queue_size = 128  # with the default of 5, callers wait a second for a connection

    def handle_error(self, *request: object) -> None:
        if not isinstance(sys.exc_info()[1], json.JSONDecodeError):
            super().handle_error(*request)
