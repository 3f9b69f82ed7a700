"""A hub of models on this machine, which speaks as much of Hugging Face's protocol as a download needs."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event

from tests.support.harness.in_background import in_background

REVISION = sha1(b"a commit", usedforsecurity=False).hexdigest()
WHOLE_MODEL = {
    "model.bin": b"weights" * 1000,
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "vocabulary.txt": b"a\nb\n",
}
HTML = b"<html>Please sign in to the network</html>"


class Hub(ThreadingHTTPServer):
    """Server of one repository; it can hang, or answer like a captive portal."""

    daemon_threads = True

    def __init__(self, repository: str, files: Mapping[str, bytes] = WHOLE_MODEL) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repository = repository
        self.files = {**files, "README.md": b"not needed", "pytorch_model.bin": b"not needed" * 1000}
        self.hangs_at = ""  # part of a path whose request is never answered
        self.is_captive = False
        self.requests: list[str] = []
        self.closing = Event()

    @property
    def url(self) -> str:
        """Return the address of the server."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        if self.server.hangs_at and self.server.hangs_at in self.path:
            self.server.closing.wait(600)
        elif self.server.is_captive:
            self._send(200, HTML, {"Content-Type": "text/html"})
        else:
            self._answer(self.path.partition("?")[0])

    do_HEAD = do_GET  # noqa: N815 - the name of `http.server`

    def _answer(self, path: str) -> None:
        repository = self.server.repository
        if path.startswith(f"/api/models/{repository}/revision/"):
            self._send_json({"id": repository, "sha": REVISION, "siblings": []})
        elif path.startswith(f"/api/models/{repository}/tree/"):
            self._send_json([_entry(name, content) for name, content in self.server.files.items()])
        elif path.startswith(f"/{repository}/resolve/{REVISION}/"):
            self._send_file(path.rpartition("/")[2])
        else:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _send_file(self, name: str) -> None:
        content = self.server.files[name]
        self._send(200, content, {"X-Repo-Commit": REVISION, "ETag": f'"{sha256(content).hexdigest()}"'})

    def _send_json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _entry(name: str, content: bytes) -> dict[str, object]:
    return {"type": "file", "path": name, "size": len(content), "oid": sha256(content).hexdigest()}


@contextmanager
def hub_of(repository: str, files: Mapping[str, bytes] = WHOLE_MODEL) -> Iterator[Hub]:
    """Run a hub while the context lasts."""
    with in_background(Hub(repository, files)) as hub:
        try:
            yield hub
        finally:
            hub.closing.set()
