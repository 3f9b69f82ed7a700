"""Multipart reader: extracts one recording from a request body, block by block, in constant memory.

The framework's form parser limits neither size nor folder, and checks only the complete body. This one
refuses while streaming and uses no file name of the caller.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from domain.model.errors import EmptyRecordingError, MissingRecordingError, RecordingTooLargeError
from entrypoints.api.parameters import FIELD_NAME, PARAMETERS
from entrypoints.api.problems import MalformedUploadError, StalledUploadError, UnsupportedMediaTypeError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

WRITE_BYTES = 2**20
"""Size of a block: a thread for each chunk would cost more than the write."""
MAX_FORM_BYTES = 2**20
"""Limit of the body without the recording: other fields, part headers, boundaries."""

SLOW_START_SECONDS = 30.0
MIN_BYTES_PER_SECOND = 1024
"""Average pace required after `SLOW_START_SECONDS`: a caller that sends byte by byte would hold its place."""


@dataclass
class _Part:
    disposition: bytes = b""
    header: bytes = b""
    value: bytes = b""
    name: str = ""
    content: bytes = b""  # of a known parameter

    @property
    def is_recording(self) -> bool:
        return self.name == FIELD_NAME


@dataclass
class _Received:
    recording: bytearray = field(default_factory=bytearray)
    recording_bytes: int = 0
    body_bytes: int = 0
    recordings: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)
    complete: bool = False


class MultipartRecording:
    """The part `file` of a multipart body, of at most `max_bytes`, and the other parts as `fields`.

    The clock, in monotonic seconds, measures the caller's pace.
    """

    def __init__(
        self, request: Request, max_bytes: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._request = request
        self._max_bytes = max_bytes
        self._clock = clock
        self._part = _Part()
        self._received = _Received()
        self._parser = MultipartParser(_boundary(request), self._callbacks())
        self._check_declared_length()

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Names of the form's other fields, and the values of the known ones; complete after `blocks`."""
        return tuple(self._received.fields)

    async def blocks(self, idle_seconds: float) -> AsyncIterator[bytes]:
        """Yield the recording in blocks of about `WRITE_BYTES`."""
        received = self._received
        async for chunk in self._chunks(idle_seconds):
            received.body_bytes += len(chunk)
            self._parse(chunk)
            self._check_form_size()
            if len(received.recording) >= WRITE_BYTES:
                yield self._take()
        self._check_end()
        yield self._take()

    async def _chunks(self, idle_seconds: float) -> AsyncIterator[bytes]:
        stream = aiter(self._request.stream())
        waited, received = 0.0, 0
        while True:
            began = self._clock()
            chunk = await _next(stream, idle_seconds)
            if chunk is None:
                return
            waited += self._clock() - began  # without the time that our disk takes
            received += len(chunk)
            _check_pace(waited, received)
            yield chunk

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }

    def _on_part_begin(self) -> None:
        self._part = _Part()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def _on_header_end(self) -> None:
        part = self._part
        if part.header.lower() == b"content-disposition":
            part.disposition = part.value
        part.header = part.value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        self._part.name = options.get(b"name", b"").decode(errors="replace")
        self._received.recordings += self._part.is_recording
        if self._received.recordings > 1:
            raise MalformedUploadError(f"The form has more than one field named {FIELD_NAME!r}; send one.")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.is_recording:
            self._received.recording += data[start:end]
            self._received.recording_bytes += end - start
            if self._received.recording_bytes > self._max_bytes:
                raise _too_large(self._max_bytes)
        elif self._part.name in PARAMETERS:
            self._part.content += data[start:end]

    def _on_part_end(self) -> None:
        part = self._part
        if not part.is_recording:
            self._received.fields.append((part.name, part.content.decode(errors="replace")))

    def _on_end(self) -> None:
        self._received.complete = True

    def _parse(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedUploadError(f"The multipart body cannot be read: {error}") from error

    def _take(self) -> bytes:
        block = bytes(self._received.recording)
        self._received.recording.clear()
        return block

    def _check_declared_length(self) -> None:
        declared = self._request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._max_bytes + MAX_FORM_BYTES:
            raise _too_large(self._max_bytes)

    def _check_form_size(self) -> None:
        if self._received.body_bytes - self._received.recording_bytes > MAX_FORM_BYTES:
            raise MalformedUploadError(
                f"The form has more than {MAX_FORM_BYTES} bytes beside the field {FIELD_NAME!r}."
            )

    def _check_end(self) -> None:
        if not self._received.complete:
            raise MalformedUploadError("The multipart body ends before its closing boundary.")
        if not self._received.recordings:
            raise MissingRecordingError(f"Send the recording as the multipart field {FIELD_NAME!r}.")
        if not self._received.recording_bytes:
            raise EmptyRecordingError("The recording has no bytes.")


def _boundary(request: Request) -> bytes:
    content_type, options = parse_options_header(request.headers.get("content-type"))
    if content_type != b"multipart/form-data":
        raise UnsupportedMediaTypeError("Send the recording as multipart/form-data.")
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 70:  # noqa: PLR2004 - RFC 2046, section 5.1.1
        raise MalformedUploadError("The multipart body needs a boundary of 1 to 70 characters.")
    return boundary


async def _next(stream: AsyncIterator[bytes], idle_seconds: float) -> bytes | None:
    try:
        async with asyncio.timeout(idle_seconds):
            return await anext(stream, None)
    except TimeoutError as error:
        raise StalledUploadError(f"No byte arrived for {idle_seconds:g} s.") from error


def _check_pace(waited: float, received: int) -> None:
    if waited > SLOW_START_SECONDS and received < waited * MIN_BYTES_PER_SECOND:
        raise StalledUploadError(f"Only {received} bytes arrived in {waited:.0f} s.")


def _too_large(max_bytes: int) -> RecordingTooLargeError:
    return RecordingTooLargeError(f"The recording is larger than {max_bytes} bytes.")
