"""Forms of the protocol's requests, as a server reads them."""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

import av

from domain.model.speech import BYTES_PER_SAMPLE, SAMPLE_RATE


class TranscriptionRequest(NamedTuple):
    """One request to transcribe a file."""

    fields: dict[str, list[str]]  # without the file
    file_name: str
    content_type: str
    file: bytes
    samples: bytes

    @property
    def seconds(self) -> float:
        return len(self.samples) / BYTES_PER_SAMPLE / SAMPLE_RATE

    def field(self, name: str) -> str | None:
        return self.fields.get(name, [None])[0]


def parse_form(content_type: str, body: bytes) -> TranscriptionRequest:
    """Read a multipart form with one file."""
    found = re.search("boundary=([^;]+)", content_type)
    assert found, "no multipart form"
    fields: dict[str, list[str]] = {}
    name, kind, file = "", "", b""
    for head, content in _parts(body, b"--" + found[1].strip('"').encode()):
        if file_name := _parameter(head, "filename"):
            name, file = file_name, content
            kind = next(line[14:] for line in head.splitlines() if line.startswith("Content-Type: "))
        else:
            fields.setdefault(_parameter(head, "name"), []).append(content.decode())
    return TranscriptionRequest(fields, name, kind, file, _decoded(file))


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        yield head.decode(), content.removesuffix(b"\r\n")


def _parameter(head: str, name: str) -> str:
    found = re.search(f'; {name}="([^"]*)"', head)
    return found[1] if found else ""


def _decoded(file: bytes) -> bytes:
    with av.open(BytesIO(file), "r", format="flac") as container:
        return b"".join(frame.to_ndarray().astype("<i2").tobytes() for frame in container.decode(audio=0))
