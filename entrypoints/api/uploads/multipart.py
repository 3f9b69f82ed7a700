"""Multipart reader: extracts one recording from a request body, block by block, in constant memory.

The framework's form parser limits neither size nor folder, and checks only the complete body. This one
refuses while streaming and uses no file name of the caller.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from domain.model.errors import EmptyRecordingError, MissingRecordingError, RecordingTooLargeError
from entrypoints.api.parameters import FIELD_NAME, METADATA, PARAMETERS
from entrypoints.api.problems import (
    MalformedUploadError,
    StalledUploadError,
    UnsupportedContentCodingError,
    UnsupportedMediaTypeError,
)
from entrypoints.api.uploads.header_values import parse_header_value
from entrypoints.api.uploads.parts import MultipartParser, Part

WRITE_BYTES = 2**20
"""Size of a block: a thread for each chunk would cost more than the write."""
MAX_FORM_BYTES = 2**20
"""Limit of the body without the recording: other fields, part headers, boundaries."""

SLOW_START_SECONDS = 30.0
MIN_BYTES_PER_SECOND = 1024
"""Average pace required after `SLOW_START_SECONDS`: a caller that sends byte by byte would hold its place."""


PLAIN_ENCODINGS = {"", "7bit", "8bit", "binary"}
"""Values of Content-Transfer-Encoding that leave the bytes as they are (RFC 2045, section 6.2)."""


@dataclass
class _Received:
    recording: bytearray = field(default_factory=bytearray)
    recording_bytes: int = 0
    body_bytes: int = 0
    recordings: int = 0
    fields: list[tuple[str, bytearray]] = field(default_factory=list)
    part_name: str | None = None


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
        self._received = _Received()
        check_content_coding(request)
        self._parser = MultipartParser(_boundary(request))
        self._check_declared_length()

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Names of the form's other fields, and the values of the known ones; complete after `blocks`."""
        return tuple((name, value.decode(errors="replace")) for name, value in self._received.fields)

    async def blocks(self, idle_seconds: float) -> AsyncIterator[bytes]:
        """Yield the recording in blocks of about `WRITE_BYTES`."""
        received = self._received
        async for chunk in self._chunks(idle_seconds):
            received.body_bytes += len(chunk)
            self._separate(chunk)
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

    def _separate(self, chunk: bytes) -> None:
        for found in self._parser.feed(chunk):
            if isinstance(found, Part):
                self._begin(found)
            elif self._received.part_name == FIELD_NAME:
                self._keep(found)
            elif self._received.part_name in {METADATA, *PARAMETERS}:
                self._received.fields[-1][1].extend(found)

    def _begin(self, part: Part) -> None:
        self._received.part_name = part.name
        if part.name == FIELD_NAME:
            self._begin_recording(part)
        elif part.name is not None:
            self._received.fields.append((part.name, bytearray()))

    def _begin_recording(self, part: Part) -> None:
        self._received.recordings += 1
        if self._received.recordings > 1:
            raise MalformedUploadError(f"The form has more than one field named {FIELD_NAME!r}; send one.")
        if part.transfer_encoding not in PLAIN_ENCODINGS:
            raise UnsupportedMediaTypeError(
                f"The field {FIELD_NAME!r} is encoded as {part.transfer_encoding[:40]!r};"
                " send its bytes as they are."
            )

    def _keep(self, content: bytes) -> None:
        self._received.recording += content
        self._received.recording_bytes += len(content)
        if self._received.recording_bytes > self._max_bytes:
            raise _too_large(self._max_bytes)

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
        if not self._parser.is_complete:
            raise MalformedUploadError(
                "The multipart body ends before its closing boundary; its lines must end with CRLF."
            )
        if not self._received.recordings:
            raise MissingRecordingError(f"Send the recording as the multipart field {FIELD_NAME!r}.")
        if not self._received.recording_bytes:
            raise EmptyRecordingError("The recording has no bytes.")


def check_content_coding(request: Request) -> None:
    """Refuse a compressed body (RFC 9110, section 8.4): a small one could fill the disk.

    Raises:
        UnsupportedContentCodingError: the body is compressed, or has another coding.
    """
    codings = ",".join(request.headers.getlist("content-encoding")).lower().split(",")
    if {coding.strip() for coding in codings} - {"", "identity"}:
        raise UnsupportedContentCodingError("Send the body without a Content-Encoding.")


def _boundary(request: Request) -> bytes:
    values = request.headers.getlist("content-type")
    if len(values) > 1:
        raise MalformedUploadError(f"Content-Type is given {len(values)} times; send it once.")
    try:
        media_type, parameters = parse_header_value("".join(values))
    except ValueError as error:
        raise MalformedUploadError(f"The Content-Type cannot be used: {error}.") from error
    if media_type != "multipart/form-data":
        raise UnsupportedMediaTypeError("Send the recording as multipart/form-data.")
    boundary = parameters.get("boundary", "").encode("latin-1")
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
