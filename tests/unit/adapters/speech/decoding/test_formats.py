"""Detection of formats by content, and the names of what is refused."""

import base64
import io
import struct
import zipfile
from pathlib import Path

import pytest

from adapters.speech.decoding.decoder import decode
from adapters.speech.decoding.formats import detect_format
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.sound.blocks import BYTES_PER_SAMPLE, SAMPLE_RATE
from domain.model.errors import NotAudioError, RecordingError, UnsupportedFormatError
from domain.model.recordings import ACCEPTED
from tests.support.samples.handmade import accepted
from tests.support.samples.recordings import ENCODINGS, Encoding, record, tone, wav_bytes

pytestmark = pytest.mark.speech

README = Path(__file__).parents[5] / "README.md"


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "recording"
    path.write_bytes(content)
    return path


def _seconds(recording: Path) -> float:
    decoded = decode(recording, DecodingLimits(), lambda _: None)
    return sum(map(len, decoded)) / BYTES_PER_SAMPLE / SAMPLE_RATE


def _recorded(folder: Path, name: str, seconds: float = 1.0) -> bytes:
    return record(folder / "plain", tone(seconds), ENCODINGS[name]).read_bytes()


def _ape_tag(size: int) -> bytes:
    return struct.pack("<8sIIII8x", b"APETAGEX", 2_000, size, 1, 0xA0000000) + b"x" * size


def _id3_tag(size: int) -> bytes:
    return b"ID3\3\0\0" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0)) + b"\0" * size


def test_the_readme_names_the_accepted_formats() -> None:
    assert f"Accepted are {ACCEPTED};" in README.read_text(encoding="utf-8").replace("\n", " ")


def test_every_accepted_format_is_decoded(tmp_path: Path) -> None:
    lengths = {name: _seconds(_file(tmp_path, content)) for name, content in accepted(tmp_path)}

    assert [name for name, seconds in lengths.items() if not 0.85 <= seconds <= 1.15] == []


# First frames that do not come first


@pytest.mark.parametrize("name", ["mp3", "mp3 at a low rate", "mp2", "aac", "ac3", "eac3"])
@pytest.mark.parametrize(
    "front",
    [b"LAMEJUNK!!", b"\0" * 5_000, b"\xff\xfb\x92" * 20_000, _ape_tag(300_000), _id3_tag(300_000) + b"junk"],
    ids=["junk", "zeros", "sync words", "APE tag", "ID3 tag and junk"],
)
def test_frames_are_found_behind_tags_and_junk(name: str, front: bytes, tmp_path: Path) -> None:
    recording = _file(tmp_path, front + _recorded(tmp_path, name))

    assert _seconds(recording) == pytest.approx(1, abs=0.13)


def test_one_frame_alone_is_a_recording(tmp_path: Path) -> None:
    content = record(tmp_path / "plain", tone(0.1), ENCODINGS["mp2"]).read_bytes()

    assert detect_format(_file(tmp_path, content[:1_152])).demuxer == "mp3"


def test_frames_behind_the_first_64_kib_are_not_searched(tmp_path: Path) -> None:
    recording = _file(tmp_path, b"\1" * 70_000 + _recorded(tmp_path, "mp3"))

    with pytest.raises(NotAudioError):
        detect_format(recording)


@pytest.mark.parametrize(
    "first",
    [
        b"\0\0\0\x08wide",
        b"\0\0\0\x0cfreeabcd",
        b"\0\0\0\x09skipx",
        b"\0\0\0\x14pnot" + b"\0" * 12,
        b"\0\0\0\x0cudta\0\0\0\0",
        b"\0\0\0\x18uuid" + b"u" * 16,
        b"\0\0\0\x14stypmsdh\0\0\0\0msdh",
        b"\0\0\0\1wide\0\0\0\0\0\0\0\x14four",
        b"\0\0\0\x08wide" * 4,
    ],
    ids=lambda content: repr(content[4:8]),
)
def test_other_atoms_may_stand_in_front_of_a_quicktime_film(first: bytes, tmp_path: Path) -> None:
    recording = record(tmp_path / "mov", tone(1), ENCODINGS["mov"], options={"movflags": "faststart"})
    content = recording.read_bytes()
    head = int.from_bytes(content[:4], "big")  # the `ftyp` atom, which old films lack
    moved = first.ljust(head, b"\0") if len(first) == head else first

    assert detect_format(_file(tmp_path, moved + content[head:])).demuxer == "mov"


def test_a_quicktime_film_may_begin_with_wide_and_its_sound(tmp_path: Path) -> None:
    content = _recorded(tmp_path, "mov")
    head = int.from_bytes(content[:4], "big")  # atoms behind it keep their places
    front = struct.pack(">I4s", head, b"wide").ljust(head, b"\0")

    assert _seconds(_file(tmp_path, front + content[head:])) == pytest.approx(1, abs=0.06)


def test_words_that_look_like_atoms_are_a_text(tmp_path: Path) -> None:
    with pytest.raises(NotAudioError, match="This is a text"):
        detect_format(_file(tmp_path, b"Are free seats left? Then skip the wide ones.\n"))


def _with_large_sizes(wav: bytes, magic: bytes) -> bytes:
    """Turn a wav into an RF64 or BW64: its sizes move into a chunk `ds64`."""
    sizes = struct.pack("<QQQI", len(wav) + 28, len(wav) - 44, 0, 0)
    data = wav.index(b"data")
    return (
        magic + b"\xff" * 4 + b"WAVEds64" + struct.pack("<I", len(sizes)) + sizes
        + wav[12:data] + b"data" + b"\xff" * 4 + wav[data + 8 :]
    )  # fmt: skip


@pytest.mark.parametrize("magic", [b"RF64", b"BW64"])
def test_large_wavs_are_accepted(magic: bytes, tmp_path: Path) -> None:
    recording = _file(tmp_path, _with_large_sizes(wav_bytes(tone(1).tobytes()), magic))

    assert _seconds(recording) == pytest.approx(1)


def test_a_wav_may_be_big_endian(tmp_path: Path) -> None:
    sound = tone(1).astype(">i2").tobytes()
    form = struct.pack(">HHIIHH", 1, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)
    chunks = b"fmt " + struct.pack(">I", len(form)) + form + b"data" + struct.pack(">I", len(sound)) + sound
    recording = _file(tmp_path, b"RIFX" + struct.pack(">I", len(chunks) + 4) + b"WAVE" + chunks)

    assert _seconds(recording) == pytest.approx(1)


# What is refused is named


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x02dss", "a DSS dictation"),
        (b"\x03ds2", "a DS2 dictation"),
        (b".RMF\0\0\0\x12", "a RealAudio recording"),
        (b"MAC \x96\x0f", "a Monkey's Audio recording (APE)"),
        (b"wvpk", "a WavPack recording"),
        (b"DSD \x1c", "a DSD recording (DSF)"),
        (b"\x02#!SILK_V3", "a SILK voice message (WeChat, QQ)"),
        (b"\0\0\0\x20ftypM4P ", "an encrypted recording (m4p, with DRM)"),
        (b"\0\0\0\x20ftypaax ", "an Audible audio book (AAX)"),
        (b"RIFF\0\0\0\0AVI LIST", "an AVI video"),
        (b"FLV\1\5", "a Flash video (FLV)"),
        ((b"\x47" + b"\1" * 187) * 5, "an MPEG transport stream (TS)"),
        (
            bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + b"\0" * 40
            + bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),
            "an encrypted WMA recording (with DRM)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_sound_in_another_format_is_named(head: bytes, name: str, tmp_path: Path) -> None:
    recording = _file(tmp_path, head + b"\0\1\2\3" * 1_000)

    with pytest.raises(UnsupportedFormatError) as refused:
        detect_format(recording)

    assert str(refused.value) == f"This is {name}, which is not accepted; accepted are {ACCEPTED}."


def _zip(*names: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as container:
        for name in names:
            container.writestr(name, "content")
    return archive.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"%PDF-1.7\n", "a PDF document"),
        (_zip("a.mp3"), "a zip archive"),
        (_zip("[Content_Types].xml", "word/document.xml"), "a Word document"),
        (_zip("[Content_Types].xml", "xl/workbook.xml"), "an Excel document"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture"),
        (b"\0\0\0\x18ftypheic", "a HEIC picture"),
        (b"MThd\0\0\0\6", "a MIDI file, which has notes but no sound"),
        (b"<!DOCTYPE html>\n<html>", "an HTML page"),
        (b"\xef\xbb\xbf  <HTML lang=en>", "an HTML page"),
        (b"Minutes of our meeting, as agreed:\n", "a text"),
        ("Sitzung über Grüße ".encode(), "a text"),
        ("Minutes".encode("utf-16"), "a text"),
        (b"#EXTM3U\nhttp://127.0.0.1/a.ts\n", "an m3u playlist"),
        (
            b"SQLite format 3\0".ljust(68, b"\1") + b"AUDY",
            "an Audacity project, whose sound must be exported first",
        ),
        (base64.b64encode(wav_bytes(b"\0" * 99)), "a recording as base64 text, which must be decoded first"),
        (
            b"data:audio/webm;base64,GkXfo59C",
            "a recording or picture as a data URI, which must be decoded first",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_has_no_sound_is_named(content: bytes, name: str, tmp_path: Path) -> None:
    with pytest.raises(NotAudioError) as refused:
        detect_format(_file(tmp_path, content))

    assert str(refused.value) == f"This is {name}, which is not accepted; accepted are {ACCEPTED}."


@pytest.mark.parametrize("kind", [b"drms", b"enca", b"aavd"])
def test_encrypted_sound_is_refused_rather_than_transcribed_as_noise(kind: bytes, tmp_path: Path) -> None:
    recording = _file(tmp_path, _recorded(tmp_path, "m4a").replace(b"mp4a", kind, 1))

    with pytest.raises(UnsupportedFormatError, match="This is encrypted sound"):
        _seconds(recording)


@pytest.mark.parametrize(
    ("content", "reason"), [(_id3_tag(100), "holds tags alone"), (b"\0" * 5_000, "begins with zeros alone")]
)
def test_a_file_without_content_is_told_from_a_text(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(NotAudioError, match=reason):
        detect_format(_file(tmp_path, content))


@pytest.mark.parametrize("codec", ["wavpack", "tta"])
def test_a_codec_that_is_not_accepted_is_not_called_broken(codec: str, tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", tone(1), Encoding("matroska", codec, 48_000))

    with pytest.raises(UnsupportedFormatError, match=r"This is sound coded as .*, which is not accepted"):
        _seconds(recording)


@pytest.mark.parametrize(
    "content", [b"", b"R", b"ID3", b"RIFF", b"\xff", b"\xff\xfb", b"\0\0\0\1ftyp", b"FORM\0\0"]
)
def test_a_few_bytes_are_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(RecordingError):
        _seconds(_file(tmp_path, content))
