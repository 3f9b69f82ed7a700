"""JSON bodies of submissions, and the metadata in them or in a form."""

import asyncio
import json
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import urlsplit

from pydantic import JsonValue
from starlette.requests import Request

from domain.model.errors import MissingRecordingError
from domain.model.metadata import MAX_METADATA_BYTES, Metadata, checked_metadata
from entrypoints.api.parameters import FIELD_NAME, METADATA, Fields, invalid_parameter
from entrypoints.api.problems import InvalidParameterError, MalformedUploadError, StalledUploadError
from entrypoints.api.uploads.multipart import check_content_coding

MAX_BODY_BYTES = 64 * 1024
MAX_URL_LENGTH = 4096
SOURCE = "source"


def is_json(request: Request) -> bool:
    """Return True for a request whose body is declared as JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "application/json"


async def read_json(request: Request, *, timeout_seconds: float) -> Mapping[str, JsonValue]:
    """Read a small JSON object.

    Raises:
        MalformedUploadError: the body is no JSON object, or too large.
        StalledUploadError: the body did not arrive in time.
        UnsupportedContentCodingError: the body is compressed.
    """
    check_content_coding(request)
    try:
        async with asyncio.timeout(timeout_seconds):
            body = await _read(request)
    except TimeoutError as error:
        raise StalledUploadError(f"The body did not arrive within {timeout_seconds:g} s.") from error
    value = _parsed(body)
    if not isinstance(value, dict):
        raise MalformedUploadError("The body must be a JSON object.")
    return value


def source_url(body: Mapping[str, JsonValue]) -> str:
    """Return the URL of the recording.

    Raises:
        MissingRecordingError: the body names no source.
        InvalidParameterError: the URL has a form that no URL has.
    """
    source = body.get(SOURCE)
    url = source.get("url") if isinstance(source, dict) else None
    if url is None:
        raise MissingRecordingError(
            f"Send the recording as the multipart field {FIELD_NAME!r}, or name it as"
            ' {"source": {"url": "https://…"}}.'
        )
    if not isinstance(url, str) or not _is_url(url):
        allowed = f"a URL of at most {MAX_URL_LENGTH} ASCII characters, without spaces"
        raise invalid_parameter("source.url", url, allowed)
    return url


def metadata_in_form(fields: Fields) -> Metadata:
    """Read the metadata of a form; a blank field counts as absent, the last of several counts.

    Raises:
        InvalidParameterError: the field holds no JSON object, or too large a one.
    """
    texts = [value for name, value in fields if name == METADATA]
    if not texts or not texts[-1].strip():
        return {}
    try:
        return metadata_in_json(_parsed(texts[-1].encode()))
    except MalformedUploadError as error:
        raise _invalid_metadata("it is no JSON") from error


def metadata_in_json(value: JsonValue) -> Metadata:
    """Read the metadata of a JSON body; null counts as absent.

    Raises:
        InvalidParameterError: the value is no JSON object, or too large a one.
    """
    try:
        return checked_metadata(value)
    except ValueError as error:
        raise _invalid_metadata(str(error)) from error


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise MalformedUploadError(f"The JSON body has more than {MAX_BODY_BYTES} bytes.")
    return bytes(body)


def _parsed(body: bytes) -> JsonValue:
    try:
        parsed: JsonValue = json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise MalformedUploadError("The body is no JSON in UTF-8.") from error
    return parsed


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _is_url(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:  # brackets that hold no address
        return False
    return len(text) <= MAX_URL_LENGTH and text.isascii() and text.isprintable() and " " not in text


def _invalid_metadata(reason: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"The parameter {METADATA!r} must be a JSON object of at most {MAX_METADATA_BYTES} bytes; {reason}."
    )
