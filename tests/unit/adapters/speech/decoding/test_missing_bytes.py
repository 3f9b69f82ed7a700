"""Truncated recordings are refused; wrong headers of whole ones are not, but are told."""

import struct
from pathlib import Path

import pytest

from adapters.speech.decoding.decoder import decode
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.sound.blocks import BYTES_PER_SAMPLE, SAMPLE_RATE
from domain.model.errors import UndecodableAudioError
from domain.model.result_warnings import ResultWarning, WarningCode
from tests.support.samples.handmade import accepted, video_of_a_telephone
from tests.support.samples.recordings import ENCODINGS, record, tone, wav_bytes

pytestmark = pytest.mark.speech


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "recording"
    path.write_bytes(content)
    return path


def _heard(recording: Path) -> tuple[float, list[ResultWarning]]:
    """Decode the recording; return its seconds and the warnings."""
    warnings: list[ResultWarning] = []
    blocks = decode(recording, DecodingLimits(), lambda _: None, warnings.append)
    return sum(map(len, blocks)) / BYTES_PER_SAMPLE / SAMPLE_RATE, warnings


def _recorded(folder: Path, name: str, seconds: float, **options: str) -> bytes:
    return record(folder / "plain", tone(seconds), ENCODINGS[name], options=options).read_bytes()


def _xing(mp3: bytes) -> int:
    return max(mp3.find(b"Xing"), mp3.find(b"Info"))


# Bytes are missing

DECLARING = {
    "wav", "wav of a telephone", "wav in float and stereo", "wav with g722", "wav with g726", "wav with mp3",
    "wav with adpcm", "wav with adpcm of ima", "wav with gsm", "w64", "aiff", "aiff in float", "caf",
    "caf with opus", "au", "au with g726", "wma", "wma of 1999", "flac", "mp3", "mp3 at a low rate", "webm",
    "mkv",
}  # fmt: skip
"""Recordings whose header comes first and declares bytes, or samples (flac)."""


def test_a_truncated_recording_is_refused_in_every_format_that_declares_its_end(tmp_path: Path) -> None:
    taken = []
    for name, content in accepted(tmp_path, 2.0):
        if name in DECLARING:
            recording = _file(tmp_path, content[: len(content) * 6 // 10 + 1])
            try:
                _heard(recording)
                taken.append(name)
            except UndecodableAudioError as error:
                assert "truncated" in str(error)  # noqa: PT017 - of every format
    assert taken == []


@pytest.mark.parametrize("name", ["m4a", "m4a with alac", "mp4", "mov"])
def test_an_mp4_whose_last_samples_are_missing_is_refused(name: str, tmp_path: Path) -> None:
    content = _recorded(tmp_path, name, 5, movflags="faststart")

    with pytest.raises(UndecodableAudioError, match=r"truncated: its header declares [\d,]+ bytes, but only"):
        _heard(_file(tmp_path, content[: len(content) * 9 // 10]))


def test_a_3gp_whose_last_samples_are_missing_is_refused(tmp_path: Path) -> None:
    content = video_of_a_telephone(tmp_path, 5, movflags="faststart")

    with pytest.raises(UndecodableAudioError, match="truncated"):
        _heard(_file(tmp_path, content[: len(content) * 9 // 10]))


def test_a_second_that_declares_hours_is_judged_by_what_it_holds(tmp_path: Path) -> None:
    content = wav_bytes(tone(1).tobytes(), declared_size=1 << 30)

    with pytest.raises(
        UndecodableAudioError, match="declares 1,073,741,868 bytes, but only 32,044 are there"
    ):
        _heard(_file(tmp_path, content))


def _with_length_added_later(webm: bytes) -> bytes:
    """Make the segment and its clusters of unknown size, as in a browser to which a script adds a length."""
    for name in (b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"):
        at = webm.index(name) + 4
        while at > 3:
            length = 9 - webm[at].bit_length()
            unknown = (bytes([0x1FF >> length & 0xFF]) + b"\xff" * (length - 1)) if length > 1 else b"\xff"
            webm = webm[:at] + unknown + webm[at + length :]
            at = webm.find(name, at) + 4
    return webm


def test_a_webm_to_which_a_length_was_added_may_not_end_within_a_block(tmp_path: Path) -> None:
    content = _with_length_added_later(_recorded(tmp_path, "webm", 5))
    whole, _ = _heard(_file(tmp_path, content))

    assert whole == pytest.approx(5, abs=0.06)
    with pytest.raises(UndecodableAudioError, match="declares its length, but ends within a block"):
        _heard(_file(tmp_path, content[: len(content) // 2]))


# Headers are wrong


def test_a_wav_with_the_byte_rate_of_one_channel_is_whole(tmp_path: Path) -> None:
    content = bytearray(wav_bytes(tone(2).repeat(2).tobytes(), channels=2))
    struct.pack_into("<I", content, 28, SAMPLE_RATE * 2)

    seconds, warnings = _heard(_file(tmp_path, bytes(content)))

    assert seconds == pytest.approx(2)
    assert warnings == []


def test_a_webm_whose_duration_comes_from_the_clock_on_the_wall_is_told_of(tmp_path: Path) -> None:
    content = bytearray(_recorded(tmp_path, "webm", 3))
    struct.pack_into(">d", content, content.index(b"\x44\x89\x88") + 3, 3_700.0)

    seconds, (warning,) = _heard(_file(tmp_path, bytes(content)))

    assert seconds == pytest.approx(3, abs=0.06)
    assert warning.code is WarningCode.LENGTH_DIFFERS
    assert "declares 3.7 s, but the file holds 3.0 s" in warning.detail


@pytest.mark.parametrize("rest", [0, 3], ids=["between frames", "with a few bytes of the next frame"])
def test_an_mp3_that_an_editor_cut_keeps_its_header_and_is_told_of(rest: int, tmp_path: Path) -> None:
    content = _recorded(tmp_path, "mp3 at a low rate", 10)
    frame = content.index(b"\xff\xf3", _xing(content))  # all frames are as long as the second one
    size = content.index(content[frame : frame + 3], frame + 4) - frame
    cut = frame + 60 * size + rest

    seconds, (warning,) = _heard(_file(tmp_path, content[:cut]))

    assert seconds == pytest.approx(60 * 0.036, abs=0.1)
    assert "declares 10.1 s" in warning.detail
    with pytest.raises(UndecodableAudioError, match="truncated"):
        _heard(_file(tmp_path, content[: cut + size // 2]))


@pytest.mark.parametrize("trailer", [b"", b"LIST\4\0\0\0INFO"], ids=["nothing", "a list"])
def test_all_sound_of_a_wav_is_taken_that_holds_more_than_it_declares(trailer: bytes, tmp_path: Path) -> None:
    content = wav_bytes(tone(3).tobytes(), declared_size=SAMPLE_RATE * 2) + trailer

    seconds, (warning,) = _heard(_file(tmp_path, content))

    assert seconds == pytest.approx(3, abs=0.01)
    assert "declares 1.0 s, but the file holds 3.0 s" in warning.detail


@pytest.mark.parametrize(
    "trailer",
    [b"LIST\4\0\0\0INFO", b"id3 \0\0\0\0", b"\0", b"junk\2\0\0\0ab" + b"JUNK\0\0\0\0"],
    ids=["list", "tag", "padding", "two chunks"],
)
def test_chunks_behind_the_sound_of_a_wav_are_no_sound(trailer: bytes, tmp_path: Path) -> None:
    content = wav_bytes(tone(1).tobytes()) + trailer

    seconds, warnings = _heard(_file(tmp_path, content))

    assert seconds == pytest.approx(1)
    assert warnings == []


@pytest.mark.parametrize("padding", [b"", b"\0"], ids=["without padding", "with padding"])
def test_chunks_behind_an_odd_number_of_bytes_are_found(padding: bytes, tmp_path: Path) -> None:
    plain = bytearray(wav_bytes(b"\x80" * 15_999))
    struct.pack_into("<IHH", plain, 28, SAMPLE_RATE, 1, 8)  # one byte a sample

    seconds, _ = _heard(_file(tmp_path, bytes(plain) + padding + b"LIST\4\0\0\0INFO"))

    assert round(seconds * SAMPLE_RATE) == 15_999


def test_a_whole_recording_is_not_warned_of(tmp_path: Path) -> None:
    warned = [name for name, content in accepted(tmp_path, 2.0) if _heard(_file(tmp_path, content))[1]]

    assert warned == []


def test_sizes_that_count_the_header_in_are_tolerated(tmp_path: Path) -> None:
    content = wav_bytes(tone(1).tobytes(), declared_size=SAMPLE_RATE * 2 + 44)

    seconds, warnings = _heard(_file(tmp_path, content))

    assert seconds == pytest.approx(1)
    assert warnings == []
