"""Stub bus for fault tests: many senders connect at once, and are killed in the middle of a request."""

import json
import sys

from tests.support.doubles import stub_bus


class RoughBus(stub_bus.StubBus):
    """Server that accepts all senders at once, and treats half a request as the end of its sender."""

    def __init__(self) -> None:
        super().__init__()
        self._server.server_close()
        self._server = _RoughServer(self)


class _RoughServer(stub_bus._Server):
    request_queue_size = 128  # with the default of 5, callers wait a second for a connection

    def handle_error(self, *request: object) -> None:
        if not isinstance(sys.exc_info()[1], json.JSONDecodeError):
            super().handle_error(*request)
