"""HTTPS server on this machine that answers as a test says, byte for byte."""

import contextlib
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from threading import Event, Thread

Answer = Callable[[ssl.SSLSocket, Event], None]


class TlsServer:
    """Server for one host; it serves each connection in its own thread."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.answer: Answer = sends(ok(b"RIFF"))
        self.heads: list[str] = []
        self.names: list[str | None] = []  # which clients asked for in TLS
        self.connections = 0
        self._context = context
        self._context.sni_callback = self._note_name
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop = Event()
        self._threads: list[Thread] = [Thread(target=self._accept)]

    @property
    def port(self) -> int:
        """Port on 127.0.0.1."""
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Start to serve."""
        self._threads[0].start()

    def close(self) -> None:
        """End all connections and their threads."""
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(60)

    def _note_name(self, _socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        self.names.append(name)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                self.connections += 1
                thread = Thread(target=self._serve, args=(plain,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(60)
        with contextlib.suppress(OSError), plain, self._context.wrap_socket(plain, server_side=True) as tls:
            head = b""
            while not _is_whole(head):
                if not (block := tls.recv(65536)):
                    return
                head += block
            self.heads.append(head.decode("latin-1"))
            self.answer(tls, self._stop)


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    size = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end) and len(body) >= (int(size[1]) if size else 0)


def ok(body: bytes, *fields: str, status: str = "200 OK", sized: bool = True) -> bytes:
    """Return the bytes of an answer, by default with its size."""
    size = [f"Content-Length: {len(body)}"] if sized else []
    return "\r\n".join([f"HTTP/1.1 {status}", *size, *fields, "", ""]).encode() + body


def sends(content: bytes, *, ends_properly: bool = True) -> Answer:
    """Answer with these bytes, and end the connection with or without TLS's mark of an end."""

    def answer(tls: ssl.SSLSocket, _stop: Event) -> None:
        tls.sendall(content)
        if ends_properly:
            tls.unwrap()

    return answer


def drips(start: bytes, drop: bytes, *, every_seconds: float) -> Answer:
    """Answer with a start, and then drop by drop until the client has gone."""

    def answer(tls: ssl.SSLSocket, stop: Event) -> None:
        tls.sendall(start)
        while not stop.wait(every_seconds):
            tls.sendall(drop)

    return answer


@contextlib.contextmanager
def tls_server(context: ssl.SSLContext) -> Iterator[TlsServer]:
    """Run a server while the context lasts."""
    server = TlsServer(context)
    server.start()
    try:
        yield server
    finally:
        server.close()
