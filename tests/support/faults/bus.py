"""The stub bus for rough times: its senders come in crowds, and are killed in the middle of a request."""

import json
import sys

from tests.support.doubles import stub_bus


class RoughBus(stub_bus.StubBus):
    """Lets everybody in at once, and takes half a request for what it is: a sender that is dead."""

    def __init__(self) -> None:
        super().__init__()
        self._server.server_close()
        self._server = _RoughServer(self)


class _RoughServer(stub_bus._Server):
    request_queue_size = 128  # with the usual 5, callers wait for a second until they are let in

    def handle_error(self, *request: object) -> None:
        if not isinstance(sys.exc_info()[1], json.JSONDecodeError):
            super().handle_error(*request)
