"""Names of refused files: says what a file is instead of a recording."""

from adapters.speech.decoding.signatures import ACCEPTED_SIGNATURES, REFUSED_FILES, REFUSED_SOUND, Signature
from domain.model.errors import NotAudioError, RecordingError, UnsupportedFormatError
from domain.model.recordings import ACCEPTED

_ZIP = b"PK\x03\x04"
_IN_ZIP = {
    b"word/": "a Word document",
    b"xl/": "an Excel document",
    b"ppt/": "a PowerPoint document",
    b"application/vnd.oasis.opendocument": "an OpenDocument document",
    b"application/epub": "an electronic book (EPUB)",
}
_AUDACITY = b"AUDY"
_AUDACITY_AT = 68  # application id of an SQLite database (its file format, 1.3)

_ASF = next(signature for signature in ACCEPTED_SIGNATURES if signature.name == "asf")
_ASF_ENCRYPTIONS = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),  # Content Encryption Object (ASF specification, 3.14)
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),  # the extended one
)
_TS_PACKET, _TS_SYNC, _TS_PACKETS = 188, 0x47, 5
_MARKUP = {
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
    b"<head": "an HTML page",
    b"<svg": "an SVG picture",
    b"<?xml": "an XML document",
    b"data:": "a recording or picture as a data URI, which must be decoded first",
}
_BASE64_STARTS = (
    b"UklGR",
    b"T2dnUw",
    b"SUQz",
    b"ZkxhQ",
    b"GkXfo",
    b"AAAAFGZ0eX",
    b"AAAAGGZ0eX",
    b"AAAAHGZ0eX",
)
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_TEXT_BYTES = 1024
_CONTROL_CHARACTERS = frozenset(range(32)) - set(b"\t\n\r\f\x1b")


def refuse_known(head: bytes) -> None:
    """Refuse a file that begins like a known format which is not accepted.

    Raises:
        UnsupportedFormatError: it has sound.
        NotAudioError: it has none.
    """
    sound = _named(REFUSED_SOUND, head)
    if sound or _is_ts(head):
        raise unsupported(sound or "an MPEG transport stream (TS)")
    if _ASF.matches(head) and any(encryption in head for encryption in _ASF_ENCRYPTIONS):
        raise unsupported("an encrypted WMA recording (with DRM)")
    name = _name_in_zip(head) if head.startswith(_ZIP) else _named(REFUSED_FILES, head)
    if name:
        raise NotAudioError(_not_accepted(_audacity_project(name, head)))


def unknown(head: bytes) -> RecordingError:
    """Describe a file that begins like no known format, behind its tags."""
    if not head:
        return NotAudioError(f"The file holds tags alone; accepted are {ACCEPTED}.")
    if not head.strip(b"\0"):
        return NotAudioError(f"The file begins with zeros alone; accepted are {ACCEPTED}.")
    text = _text(head[:_TEXT_BYTES])
    if text:
        return NotAudioError(_not_accepted(text))
    return NotAudioError(f"The file is no recording in an accepted format; accepted are {ACCEPTED}.")


def unsupported(name: str) -> UnsupportedFormatError:
    """Describe sound in a format, given as a noun with its article, that is not accepted."""
    return UnsupportedFormatError(_not_accepted(name))


def _not_accepted(name: str) -> str:
    return f"This is {name}, which is not accepted; accepted are {ACCEPTED}."


def _named(signatures: tuple[Signature, ...], head: bytes) -> str | None:
    return next((signature.name for signature in signatures if signature.matches(head)), None)


def _is_ts(head: bytes) -> bool:
    """Check for packets of a fixed size that begin with one byte (ISO 13818-1, 2.4.3.2)."""
    syncs = head[: _TS_PACKET * _TS_PACKETS : _TS_PACKET]
    return syncs == bytes([_TS_SYNC]) * _TS_PACKETS


def _name_in_zip(head: bytes) -> str:
    return next((name for content, name in _IN_ZIP.items() if content in head), "a zip archive")


def _audacity_project(name: str, head: bytes) -> str:
    is_project = head.startswith(_AUDACITY, _AUDACITY_AT)
    return "an Audacity project, whose sound must be exported first" if is_project else name


def _text(head: bytes) -> str | None:
    """Name a text; None if the bytes are not text."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for beginning, name in _MARKUP.items():
        if start.startswith(beginning):
            return name
    if head.startswith(_UTF_16_MARKS):
        return "a text"
    if head.startswith(_BASE64_STARTS):
        return "a recording as base64 text, which must be decoded first"
    try:
        is_text = not _CONTROL_CHARACTERS.intersection(head) and bool(head.decode("utf-8", "strict"))
    except UnicodeDecodeError as error:
        is_text = error.start > len(head) - 4  # a character that is cut in two at the end of these bytes
    return "a text" if is_text else None
