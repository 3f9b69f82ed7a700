"""Stub endpoint of a webhook for fault tests: verifies each signature, and has the faults of the stub bus."""

import json
from typing import Any

from adapters.web.webhook.signature import key_of, signed_headers
from tests.support.doubles import stub_bus
from tests.support.doubles.bus_faults import CallError, CallRefusedError, Cut
from tests.support.faults.bus import WEBHOOK_PATH, WEBHOOK_SECRET, RoughBus


class WebhookBus(RoughBus):
    """Endpoint that keeps what it takes as the stub bus does: each request is a call with one entry."""

    events_per_call = 1

    def __init__(self) -> None:
        super().__init__()
        self._server.RequestHandlerClass = _Handler

    @property
    def url(self) -> str:
        return f"{super().url}{WEBHOOK_PATH}"


class _Handler(stub_bus._Handler):
    protocol_version = "HTTP/1.1"  # keeps connections open

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self._check_signature(body)
            self._respond(_as_put_events(json.loads(body)), self.server.bus.next_fault())
        except CallRefusedError as refused:
            self._answer({"code": refused.error.code}, refused.error.status)

    def _check_signature(self, body: bytes) -> None:
        event_id, seconds = self.headers["webhook-id"], int(self.headers["webhook-timestamp"])
        expected = signed_headers([key_of(WEBHOOK_SECRET)], event_id, seconds, body)
        if self.headers["webhook-signature"] != expected["webhook-signature"]:
            raise CallRefusedError(CallError(401, "SignatureDoesNotMatch"))

    def _cut(self, request: Any, cut: Cut) -> None:
        self.close_connection = True
        super()._cut(request, cut)

    def _answer(self, document: dict[str, Any], status: int = 200) -> None:
        super()._answer(document, 503 if document.get("FailedEntryCount") else status)


def _as_put_events(document: dict[str, Any]) -> dict[str, Any]:
    entry = {
        "Source": document["source"],
        "DetailType": document["type"],
        "Detail": json.dumps(document["data"]),
    }
    return {"Entries": [entry]}


BUSES: dict[str, type[RoughBus]] = {"eventbridge": RoughBus, "webhook": WebhookBus}
"""Stub of each transport."""
