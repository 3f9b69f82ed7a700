"""Transcribes a recording as a job: submits it, follows it to its end, and prints the transcript.

    SERVICE=https://speech.example.com TENANT=3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11 python jobs.py meeting.mp3

With KEY, it sends that API key or token. Needs Python 3.11 and no package. Called again for the same
recording, it finds the same job.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from uuid import uuid4

SERVICE = os.environ.get("SERVICE", "http://127.0.0.1:8000")
HEADERS = {"X-Tenant-ID": os.environ["TENANT"]}
if "KEY" in os.environ:
    HEADERS["Authorization"] = f"Bearer {os.environ['KEY']}"
WAIT_SECONDS = 60
TRIES = 10

Job = dict[str, Any]
Body = Callable[[], Iterator[bytes]]


class Answer(NamedTuple):
    """Answer of the service; 304 has no body."""

    status: int
    headers: Message
    body: bytes


def submit(recording: Path, metadata: Mapping[str, Any]) -> Job:
    """Submit a recording, streamed from its file, and return its job."""
    with recording.open("rb") as file:
        key = hashlib.file_digest(
            file, "sha256"
        ).hexdigest()  # a key of your own, such as a meeting's id, is better
    boundary = uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{json.dumps(metadata)}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="recording"\r\n\r\n'
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()

    def body() -> Iterator[bytes]:
        yield head
        with recording.open("rb") as file:
            while chunk := file.read(2**20):
                yield chunk
        yield tail

    headers = {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(head) + recording.stat().st_size + len(tail)),
        "Idempotency-Key": key,
    }
    job: Job = json.loads(call("POST", "/batch/jobs", headers, body).body)
    return job


def follow(job: Job) -> Job:
    """Return the job once it has ended; print its progress meanwhile."""
    known = ""
    while job["state"] in {"queued", "processing"}:
        answer = call("GET", f"{job['links']['self']}?wait={WAIT_SECONDS}", {"If-None-Match": known})
        if answer.status != 304:  # noqa: PLR2004 - not modified within the wait
            known, job = answer.headers["ETag"], json.loads(answer.body)
            progress = job["progress"]
            print(
                job["state"], progress["done_seconds"], "of", progress["total_seconds"], "s", file=sys.stderr
            )
    return job


def transcript(job: Job) -> str:
    """Return the transcript of a completed job."""
    if job["state"] != "completed":
        sys.exit(f"{job['state']}: {(job['problem'] or {}).get('detail')}")
    return call("GET", job["links"]["transcript"], {"Accept": "text/plain"}).body.decode()


def call(method: str, path: str, headers: Mapping[str, str], body: Body | None = None) -> Answer:
    """Send a request; try again while service or network are away: the idempotency key allows it."""
    for attempt in range(TRIES):
        request = Request(
            SERVICE + path,
            body() if body else None,
            {**HEADERS, **headers},
            method=method,
        )
        try:
            with urlopen(request, timeout=WAIT_SECONDS + 30) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except HTTPError as error:
            if error.code == 304:  # noqa: PLR2004 - an answer, although urllib raises it
                return Answer(error.code, error.headers, b"")
            if error.code < 500:  # noqa: PLR2004 - the request is at fault
                sys.exit(f"{error.code}: {error.read().decode()}")
            pause = float(error.headers.get("Retry-After", 2**attempt))
        except (URLError, ConnectionError, TimeoutError):
            pause = 2.0**attempt
        time.sleep(pause)
    sys.exit(f"{method} {path}: no answer after {TRIES} tries")


if __name__ == "__main__":
    sound = Path(sys.argv[1])
    submitted = submit(sound, {"file": sound.name})
    print("job", submitted["id"], file=sys.stderr)
    sys.stdout.write(transcript(follow(submitted)))
