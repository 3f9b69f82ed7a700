"""A server that answers every request with one page, as a captive portal does."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.harness.in_background import in_background


class PageServer(ThreadingHTTPServer):
    """Server on a free port of this machine; page and status may be changed at any time."""

    page, status = b"", 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Return the address of the server."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: PageServer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.page)))
        self.end_headers()
        self.wfile.write(self.server.page)

    do_GET = do_PUT = do_POST  # noqa: N815 - the names of `http.server`

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def page_server() -> Iterator[PageServer]:
    """Run a server while the context lasts."""
    with in_background(PageServer()) as server:
        yield server
