"""A stub of EventBridge's PutEvents, with rules and faults that moto and LocalStack lack.

Listens on the loopback interface and follows the rules that AWS documents: an event for an unknown bus is
accepted and dropped; entries are counted in bytes; a detail is an object. Tests can inject each fault of
`bus_faults`.
"""

import json
import socket
import struct
import sys
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, NoReturn, Self
from uuid import uuid4

from tests.support.doubles.bus_faults import (
    CallError,
    CallRefusedError,
    Cut,
    Entry,
    EntryCount,
    Fault,
    Garbage,
    Latency,
    Refusal,
)

MAX_ENTRIES = 10
MAX_BYTES = 1_048_576
TIME_BYTES = 14


class StubBus:
    """A bus at `url`, used as a context manager.

    Attributes:
        accepted: entries that reached a bus, in order.
        dropped: entries that were accepted for a bus that does not exist.
        calls: number of PutEvents calls.
    """

    def __init__(self, *buses: str, max_bytes: int = MAX_BYTES) -> None:
        self._buses = buses or ("default",)
        self._max_bytes = max_bytes
        self._faults: deque[Fault | None] = deque()
        self._lasting: Fault | None = None
        self._lock = Lock()
        self._server = _Server(self)
        self.accepted: list[Entry] = []
        self.dropped: list[Entry] = []
        self.calls = 0
        self.closing = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail_next(self, *faults: Fault | None) -> None:
        """Let the next calls fail, one fault each, in this order; None lets a call succeed."""
        self._faults.extend(faults)

    def fail_always(self, fault: Fault | None) -> None:
        """Let every call fail, until this is called with None."""
        self._lasting = fault

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if self._server.accidents:
            raise ExceptionGroup("the stub bus failed by accident", self._server.accidents)

    def next_fault(self) -> Fault | None:
        """Count a call, and return its fault."""
        with self._lock:
            self.calls += 1
            return self._faults.popleft() if self._faults else self._lasting

    def put(self, request: Any, refusal: Refusal | None = None) -> dict[str, Any]:
        """Process a PutEvents request as AWS does, entry by entry.

        Raises:
            CallRefusedError: there are too many entries, none, or too many bytes in them.
        """
        entries = request.get("Entries") or []
        self._check_call(entries)
        with self._lock:
            results = [
                self._take(entry, refusal if refusal and refusal.hits(index, entry) else _refusal(entry))
                for index, entry in enumerate(entries)
            ]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _check_call(self, entries: list[Entry]) -> None:
        if not 1 <= len(entries) <= MAX_ENTRIES:
            raise _invalid(f"'entries' must have 1 to {MAX_ENTRIES} members")
        if sum(map(_size, entries)) > self._max_bytes:
            raise _invalid("Total size of the entries in the request is over the limit.")

    def _take(self, entry: Entry, refusal: Refusal | None) -> dict[str, str]:
        if refusal:
            return {"ErrorCode": refusal.code, "ErrorMessage": refusal.message}
        bus_name = entry.get("EventBusName", "default").rpartition("/")[2]
        (self.accepted if bus_name in self._buses else self.dropped).append(entry)
        return {"EventId": str(uuid4())}


def _invalid(message: str) -> CallRefusedError:
    return CallRefusedError(CallError(400, "ValidationException", message))


def _size(entry: Entry) -> int:
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")]
    return sum(len(text.encode()) for text in [*texts, *(entry.get("Resources") or ())]) + (
        TIME_BYTES if entry.get("Time") else 0
    )


def _refusal(entry: Entry) -> Refusal | None:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return Refusal("InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is required.")
    if entry["Source"].startswith("aws."):
        return Refusal("NotAuthorizedForSourceException", "Not authorized for the source.")
    if not _is_object(entry["Detail"]):
        return Refusal("MalformedDetail", "Detail is malformed.")
    return None


def _is_object(detail: str) -> bool:
    try:
        return isinstance(json.loads(detail, parse_constant=_refuse_constant), dict)
    except ValueError:
        return False


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(name)


class _Server(ThreadingHTTPServer):
    def __init__(self, bus: StubBus) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bus = bus
        self.accidents: list[Exception] = []

    def handle_error(self, *_: object) -> None:
        """Collect errors that fail the test; a closed connection is none."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, ConnectionError):
            self.accidents.append(error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self._check_headers()
            self._respond(json.loads(body), self.server.bus.next_fault())
        except CallRefusedError as refused:
            error = refused.error
            self._answer({"__type": error.code, "message": error.message}, error.status)

    def _check_headers(self) -> None:
        if self.headers.get("X-Amz-Target") != "AWSEvents.PutEvents":
            raise CallRefusedError(CallError(400, "UnknownOperationException"))
        if not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256"):
            raise CallRefusedError(CallError(403, "MissingAuthenticationTokenException"))

    def _respond(self, request: Any, fault: Fault | None) -> None:
        bus = self.server.bus
        match fault:
            case CallError():
                raise CallRefusedError(fault)
            case Garbage(body, status):
                self._send(body, status)
            case EntryCount(count):
                result = bus.put(request)
                self._answer({**result, "Entries": (result["Entries"] * count)[:count]})
            case Cut():
                self._cut(request, fault)
            case Latency(seconds):
                bus.closing.wait(seconds)
                self._answer(bus.put(request))
            case _:
                self._answer(bus.put(request, fault))

    def _cut(self, request: Any, cut: Cut) -> None:
        if cut is Cut.RESET:
            self._reset()
            return
        answer = json.dumps(self.server.bus.put(request)).encode()
        if cut is Cut.HALFWAY:
            self._send(answer[: len(answer) // 2], 200, length=len(answer))
            self._reset()
        if cut is Cut.HANG:
            self.server.bus.closing.wait()

    def _reset(self) -> None:
        """Close the connection with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def _answer(self, document: dict[str, Any], status: int = 200) -> None:
        self._send(json.dumps(document).encode(), status)

    def _send(self, body: bytes, status: int, *, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(length or len(body)))
        self.send_header("x-amzn-RequestId", str(uuid4()))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no log to stderr."""
