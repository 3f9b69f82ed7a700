"""Receiver of webhooks: verifies, stores, answers; with the standard library alone.

    WEBHOOK_SECRET=whsec_... python webhook_receiver.py [PORT]

Put a proxy with TLS in front of it.
"""

import base64
import hmac
import json
import os
import sqlite3
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE_SECONDS = 300
"""Age at which a signature is too old: a recorded request cannot be sent again later."""

TEST_LABEL = "urn:batch-transcription:test-event"


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> bool:
    """Verify the signature over the raw body; never over JSON that was parsed and written again."""
    event_id, seconds = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not seconds.isdecimal() or abs(now - int(seconds)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{event_id}.{seconds}.".encode() + body, "sha256")
    expected = "v1," + base64.b64encode(digest).decode()
    signatures = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), each.encode()) for each in signatures)


class Receiver(BaseHTTPRequestHandler):
    """Stores each event once, and answers before anything works on it."""

    protocol_version = "HTTP/1.1"  # keeps connections open
    secret = os.environ.get("WEBHOOK_SECRET", "")
    database = "events.db"

    def do_POST(self) -> None:
        """Take an event: 204 once it is stored, 401 where the signature is wrong."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if is_signed(self.secret, headers, body, now=time.time()):
            self._store(headers["webhook-id"], body)
            self.send_response(204)
        else:
            self.send_response(401)
            self.send_header("Content-Length", "0")
        self.end_headers()

    def _store(self, event_id: str, body: bytes) -> None:
        if TEST_LABEL in json.loads(body).get("labels", "").split():
            return  # `transcripts verify` sent it
        connection = sqlite3.connect(self.database)
        with connection:
            connection.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body BLOB)")
            connection.execute("INSERT OR IGNORE INTO events VALUES (?, ?)", (event_id, body))
        connection.close()


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
