"""Recordings in formats for which FFmpeg has no encoder: frames of valid headers, filled with fixed bits."""

import random
import struct
from collections.abc import Iterator
from pathlib import Path

import av

from tests.support.samples.recordings import ENCODINGS, record, tone

_BITS = random.Random(6).randbytes(64)  # noqa: S311 - repeatable, not secret


def accepted(folder: Path, seconds: float = 1.0) -> Iterator[tuple[str, bytes]]:
    """Generate a recording in every accepted format, with the name of each."""
    for name, encoding in ENCODINGS.items():
        yield name, record(folder / "recording", tone(seconds), encoding).read_bytes()
    yield from (
        ("gsm", gsm(seconds)),
        ("wav with gsm", wav_with_gsm(seconds)),
        ("amr", amr(seconds)),
        ("amr, wideband", amr_wideband(seconds)),
        ("3gp", video_of_a_telephone(folder, seconds)),
        ("ogg with speex", ogg_with_speex(seconds)),
        ("caf with opus", caf_with_opus(folder, seconds)),
    )


def gsm(seconds: float = 1.0) -> bytes:
    """Make frames of GSM 06.10, 20 ms and 33 bytes each, as Asterisk stores them."""
    return (b"\xd8" + _BITS[:32]) * round(seconds * 50)


def wav_with_gsm(seconds: float = 1.0) -> bytes:
    """Make a wav with GSM 06.10 of Microsoft: two frames in 65 bytes."""
    sound = _BITS[:65].ljust(65, b"\x5a") * round(seconds * 25)
    form = struct.pack("<HHIIHHHH", 0x31, 1, 8_000, 1_625, 65, 0, 2, 320)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def amr(seconds: float = 1.0) -> bytes:
    """Make frames of AMR, 20 ms of 4.75 kbit/s each (RFC 4867, 5); PyAV 19 has no encoder."""
    return b"#!AMR\n" + (b"\x04" + _BITS[:12]) * round(seconds * 50)


def video_of_a_telephone(folder: Path, seconds: float = 1.0, **options: str) -> bytes:
    """Put the frames of an AMR into a 3gp."""
    source, target = folder / "frames.amr", folder / "video.3gp"
    source.write_bytes(amr(seconds))
    with av.open(str(source)) as frames, av.open(str(target), "w", format="3gp", options=options) as video:
        stream = video.add_stream_from_template(frames.streams.audio[0])
        for packet in frames.demux(audio=0):
            if packet.size:
                packet.stream = stream
                video.mux(packet)
    return target.read_bytes()


def amr_wideband(seconds: float = 1.0) -> bytes:
    """Make frames of AMR-WB, 20 ms of 6.6 kbit/s each (RFC 4867, 5)."""
    return b"#!AMR-WB\n" + (b"\x04" + _BITS[:17]) * round(seconds * 50)


def ogg_with_speex(seconds: float = 1.0) -> bytes:
    """Make an ogg with frames of narrow-band Speex, 20 ms of 8 kbit/s each."""
    head = struct.pack(
        "<8s20s13I", b"Speex   ", b"1.2", 1, 80, 8_000, 0, 4, 1, 0xFFFFFFFF, 160, 0, 1, 0, 0, 0
    )
    comment = struct.pack("<I", 0) + struct.pack("<I", 0)
    frame = bytes([0b0_0011_000]) + _BITS[:19]  # narrow band, mode 3
    frames = round(seconds * 50)
    pages = [_ogg_page(0, 2, 0, [head]), _ogg_page(1, 0, 0, [comment])]
    pages += [_ogg_page(2 + n, 4 * (n == frames - 1), 160 * (n + 1), [frame]) for n in range(frames)]
    return b"".join(pages)


def caf_with_opus(folder: Path, seconds: float = 1.0) -> bytes:
    """Put the packets of an ogg into a caf, as Apple's recorders write it."""
    ogg = record(folder / "opus.ogg", tone(seconds), ENCODINGS["ogg with opus"])
    with av.open(str(ogg)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    description = struct.pack(">d4sIIIII", 48_000.0, b"opus", 0, 0, 960, 1, 0)
    sizes = b"".join(map(_caf_number, map(len, packets)))
    table = struct.pack(">qqii", len(packets), 960 * len(packets), 0, 0) + sizes
    sound = struct.pack(">I", 0) + b"".join(packets)
    parts = ((b"desc", description), (b"pakt", table), (b"data", sound))
    return b"caff\0\1\0\0" + b"".join(name + struct.pack(">q", len(part)) + part for name, part in parts)


def _caf_number(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.insert(0, number & 0x7F | 0x80)
    return bytes(digits)


def _ogg_page(number: int, flags: int, samples: int, packets: list[bytes]) -> bytes:
    lacing = b"".join(_lacing(len(packet)) for packet in packets)
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, samples, 1, number, 0, len(lacing))
    return with_ogg_checksums(head + lacing + b"".join(packets))


def _lacing(size: int) -> bytes:
    return b"\xff" * (size // 255) + bytes([size % 255])


def with_ogg_checksums(content: bytes) -> bytes:
    """Correct the checksum of each page (RFC 3533, 6): a page with a wrong one is skipped."""
    first, *pages = content.split(b"OggS")
    return first + b"".join(map(_with_checksum, pages))


def _with_checksum(page: bytes) -> bytes:
    if len(page) < _OGG_CHECKSUM_AT + 4:
        return b"OggS" + page
    page = page[:_OGG_CHECKSUM_AT] + b"\0\0\0\0" + page[_OGG_CHECKSUM_AT + 4 :]
    checksum = 0
    for byte in b"OggS" + page:
        checksum = checksum << 8 & 0xFFFFFFFF ^ _OGG_TABLE[checksum >> 24 ^ byte]
    return b"OggS" + page[:_OGG_CHECKSUM_AT] + struct.pack("<I", checksum) + page[_OGG_CHECKSUM_AT + 4 :]


def _remainder(byte: int) -> int:
    remainder = byte << 24
    for _ in range(8):
        remainder = remainder << 1 ^ (0x104C11DB7 if remainder & 0x80000000 else 0)
    return remainder


_OGG_CHECKSUM_AT = 18  # behind the magic
_OGG_TABLE = tuple(map(_remainder, range(256)))
