"""Refused recordings: without sound, too long, truncated, or with references to other files."""

import http.server
import random
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from adapters.speech.decoding.decoder import BlockDecoder, decode
from adapters.speech.decoding.limits import SAMPLES_PER_SECOND, DecodingLimits
from adapters.speech.decoding.tracks import open_sound_track
from domain.model.errors import (
    AudioTooLongError,
    EmptyRecordingError,
    NotAudioError,
    RecordingError,
    UndecodableAudioError,
    UnsupportedFormatError,
)
from tests.support.samples.recordings import (
    ENCODINGS,
    Encoding,
    picture,
    record,
    record_video,
    silence,
    tone,
    wav_bytes,
)

pytestmark = pytest.mark.speech

LIMITS = DecodingLimits()


def _decode(recording: Path, limits: DecodingLimits = LIMITS) -> int:
    return sum(map(len, decode(recording, limits, lambda _: None)))


def _file(folder: Path, content: bytes, name: str = "recording.wav") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311 - repeatable, not secret


def _cut(recording: Path, share: float = 0.5) -> Path:
    content = recording.read_bytes()
    recording.write_bytes(content[: int(len(content) * share)])
    return recording


# What is no recording


def test_an_empty_file_is_refused_as_empty(tmp_path: Path) -> None:
    with pytest.raises(EmptyRecordingError):
        _decode(_file(tmp_path, b""))


def test_a_wav_of_44_bytes_holds_no_sound(tmp_path: Path) -> None:
    with pytest.raises(UndecodableAudioError, match="no sound"):
        _decode(_file(tmp_path, wav_bytes(b"")))


@pytest.mark.parametrize(
    "content",
    [b"R", b"ID3", b"RIFF", b"These are the minutes of our meeting.\n" * 50, b"%PDF-1.7\n", b"\0" * 5_000],
    ids=lambda content: repr(content[:8]),
)
def test_what_is_no_recording_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(NotAudioError, match="accepted are wav, flac"):
        _decode(_file(tmp_path, content))


def test_a_zip_is_refused_even_if_ffmpeg_would_hear_the_mp3_in_it(tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", tone(5), ENCODINGS["mp3"])
    archive = tmp_path / "recording.zip"
    with zipfile.ZipFile(archive, "w") as container:
        container.write(recording)
    with av.open(str(archive)) as heard:
        assert heard.format.name == "mp3"
    with pytest.raises(NotAudioError):
        _decode(archive)


def test_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAudioError):
        _decode(picture(tmp_path / "picture.png"))


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAudioError, match="a video without sound"):
        _decode(record_video(tmp_path / "video.mp4"))


@pytest.mark.parametrize("seed", range(8))
def test_random_bytes_are_refused(seed: int, tmp_path: Path) -> None:
    with pytest.raises(RecordingError):
        _decode(_file(tmp_path, _noise(seed, 200_000)))


@pytest.mark.parametrize(
    "start", [b"\xff\xfb\x90\x64", b"\xff\xf1\x50\x80", b"OggS\0\2", b"fLaC\0\0\0\x22"], ids=repr
)
def test_random_bytes_that_begin_like_a_recording_are_refused(start: bytes, tmp_path: Path) -> None:
    with pytest.raises(RecordingError):
        _decode(_file(tmp_path, start + _noise(1, 50_000)))


# Playlists: each would make a decoder that is left alone read what is not in the upload


@pytest.fixture
def requests() -> Iterator[list[str]]:
    """Run a web server on this machine; the list holds its port, then all requested paths."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    paths.append(str(server.server_address[1]))
    yield paths
    server.shutdown()
    thread.join()
    server.server_close()


PLAYLISTS: dict[str, Callable[[str, Path], str]] = {
    "HLS to http": lambda port, _: f"#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n",
    "HLS to a file": lambda _, other: f"#EXTM3U\n#EXTINF:5,\nfile://{other}\n#EXT-X-ENDLIST\n",
    "HLS master": lambda port, _: f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://127.0.0.1:{port}/b.m3u8\n",
    "DASH": lambda port, _: (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT5S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>'
        '<AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1">'
        f"<BaseURL>http://127.0.0.1:{port}/c.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ),
    "ffconcat to a neighbour": lambda _, other: f"ffconcat version 1.0\nfile {other.name}\n",
    "ffconcat to anywhere": lambda _, other: f"ffconcat version 1.0\nfile '{other}'\n",
    "SDP": lambda *_: (
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"
    ),
    "m3u": lambda port, _: f"http://127.0.0.1:{port}/d.mp3\n",
}


def _udp_sockets() -> list[str]:
    return Path("/proc/self/net/udp").read_text().splitlines()


@pytest.mark.parametrize(
    "disguise", [b"", b"ID3\x03\0\0\0\0\0\0", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x08ftyp"], ids=repr
)
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_is_refused_and_nothing_it_names_is_touched(
    kind: str, disguise: bytes, requests: list[str], tmp_path: Path
) -> None:
    neighbour = record(tmp_path / "neighbour.wav", tone(5))
    sockets = _udp_sockets()
    playlist = _file(tmp_path, disguise + PLAYLISTS[kind](requests[0], neighbour).encode())
    with pytest.raises(UndecodableAudioError if disguise[4:] and b"ID3" not in disguise else NotAudioError):
        _decode(playlist)
    assert requests[1:] == []
    assert _udp_sockets() == sockets


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_never_reaches_ffmpeg(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        pytest.fail("FFmpeg was asked to open a playlist")

    monkeypatch.setattr(av, "open", opened)
    with pytest.raises(NotAudioError):
        _decode(_file(tmp_path, PLAYLISTS[kind]("1", tmp_path / "neighbour.wav").encode()))


# Comments without end


def _flac_with_metadata(folder: Path, *blocks: bytes) -> Path:
    """Record a second of flac, with more blocks of metadata behind the first one."""
    content = record(folder / "plain", tone(1), ENCODINGS["flac"]).read_bytes()
    return _file(folder, content[:FLAC_STREAM_INFO] + b"".join(blocks) + content[FLAC_STREAM_INFO:])


FLAC_STREAM_INFO = 4 + 4 + 34
"""End of the first block of metadata (RFC 9639, 8.2)."""


def _flac_comments(count: int) -> bytes:
    entries = b"".join(struct.pack("<I", 7) + b"K%05d=" % number for number in range(count))
    block = struct.pack("<I2sI", 2, b"us", count) + entries
    return b"\x04" + len(block).to_bytes(3, "big") + block


def test_a_flac_with_too_many_comments_never_reaches_ffmpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = _flac_with_metadata(tmp_path, _flac_comments(100_000))
    monkeypatch.setattr(av, "open", lambda *_, **__: pytest.fail("FFmpeg was asked to open it"))
    with pytest.raises(UndecodableAudioError, match="more than 10,000 comments"):
        _decode(recording)


def test_comments_are_counted_behind_tags_and_in_all_blocks_together(tmp_path: Path) -> None:
    recording = _flac_with_metadata(tmp_path, *[_flac_comments(4_000)] * 3)
    recording.write_bytes(b"ID3\x03\0\0\0\0\0\x05title" + recording.read_bytes())
    with pytest.raises(UndecodableAudioError, match="more than 10,000 comments"):
        _decode(recording)


def test_blocks_of_metadata_without_end_are_refused(tmp_path: Path) -> None:
    recording = _flac_with_metadata(tmp_path, b"\x01\0\0\0" * 100_000)
    with pytest.raises(UndecodableAudioError, match="more than 1,000 blocks"):
        _decode(recording)


def test_a_flac_cut_off_in_its_metadata_is_refused(tmp_path: Path) -> None:
    recording = _flac_with_metadata(tmp_path, _flac_comments(2))
    content = recording.read_bytes()
    for size in (4, 6, 45, 50, 55):
        recording.write_bytes(content[:size])
        with pytest.raises(UndecodableAudioError):
            _decode(recording)


def test_a_flac_may_have_many_comments(tmp_path: Path) -> None:
    recording = _flac_with_metadata(tmp_path, _flac_comments(1_000), b"\x01\0\0\x08" + b"\0" * 8)
    assert _decode(recording) == 2 * 16_000


# Absurd shapes


@pytest.mark.parametrize(
    ("channels", "rate", "complaint"),
    [
        (255, 16_000, "255 channels"),
        (0, 16_000, "unknown number of channels"),
        (9, 16_000, "9 channels"),
        (1, 1, "sample rate of 1 Hz"),
        (1, 3_999, "3999 Hz"),
        (1, 192_001, "192001 Hz"),
        (1, 0, "broken"),
    ],
)
def test_an_absurd_shape_is_refused(channels: int, rate: int, complaint: str, tmp_path: Path) -> None:
    content = wav_bytes(b"\1\0" * 9 * 255 * 100, channels=channels, rate=rate)
    with pytest.raises(UndecodableAudioError, match=complaint):
        _decode(_file(tmp_path, content))


def test_a_codec_that_is_not_supported_is_named(tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", tone(1), Encoding("matroska", "wavpack", 48_000))
    with pytest.raises(UnsupportedFormatError, match="This is sound coded as WavPack, which is not accepted"):
        _decode(recording)


# Too long


@pytest.mark.parametrize("encoding", [Encoding("flac", "flac", 8_000), Encoding("ogg", "libopus")], ids=str)
def test_silence_that_takes_no_room_is_refused_for_its_length(encoding: Encoding, tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", silence(120), encoding)
    decoded = _decode(recording)
    assert decoded > 80 * recording.stat().st_size  # so two days of it fit into 64 MB
    with pytest.raises(AudioTooLongError, match="longer than 60 s"):
        _decode(recording, DecodingLimits(max_audio_seconds=60))


@pytest.mark.parametrize("encoding", [Encoding("flac", "flac", 8_000), Encoding("ogg", "libopus")], ids=str)
def test_the_limit_on_length_holds_while_decoding(encoding: Encoding, tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", silence(120), encoding)
    reports: list[object] = []
    limits = DecodingLimits(max_audio_seconds=10)
    with open_sound_track(recording) as track, pytest.raises(AudioTooLongError):
        list(BlockDecoder(track, limits, reports.append, 0.0).blocks())
    assert 9 <= len(reports) <= 11  # one for each block


def test_a_recording_of_just_the_longest_length_is_accepted(tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", silence(10))
    assert _decode(recording, DecodingLimits(max_audio_seconds=10)) == 10 * 32_000


def test_many_channels_at_a_high_rate_use_up_the_budget_of_samples(tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", silence(8), Encoding("flac", "flac", 192_000, "7.1"))
    assert 60 * SAMPLES_PER_SECOND < 8 * 192_000 * 8
    with pytest.raises(AudioTooLongError, match="all of its channels"):
        _decode(recording, DecodingLimits(max_audio_seconds=60))


def test_the_budget_of_samples_holds_while_decoding(tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", silence(8), Encoding("flac", "flac", 192_000, "7.1"))
    limits = DecodingLimits(max_audio_seconds=60)
    with open_sound_track(recording) as track, pytest.raises(AudioTooLongError, match="all of its channels"):
        list(BlockDecoder(track, limits, lambda _: None, 8.0).blocks())


# Cut off on the way


def test_an_mp4_that_was_cut_before_its_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UndecodableAudioError, match="begins like mp4, but is broken or truncated"):
        _decode(_cut(record(tmp_path / "recording", tone(5), ENCODINGS["mp4"])))


def test_an_mp4_whose_second_half_never_arrived_is_refused(tmp_path: Path) -> None:
    recording = record(tmp_path / "recording", tone(20), ENCODINGS["mp4"], options={"movflags": "faststart"})
    content = recording.read_bytes()
    half = len(content) // 2
    recording.write_bytes(content[:half] + b"\xff" * (len(content) - half))
    with pytest.raises(UndecodableAudioError, match="truncated"):
        _decode(recording)


def test_a_chained_ogg_that_changes_its_shape_is_refused_rather_than_halved(tmp_path: Path) -> None:
    first = record(tmp_path / "first", tone(3), ENCODINGS["ogg with opus"]).read_bytes()
    second = record(tmp_path / "second", tone(3), Encoding("ogg", "libopus", 48_000, "stereo")).read_bytes()
    with pytest.raises(UndecodableAudioError, match="cannot be read to its end"):
        _decode(_file(tmp_path, first + second))


# Damage of every kind


@pytest.mark.parametrize("name", ENCODINGS)
def test_damage_is_decoded_or_refused_but_nothing_else(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content = record(tmp_path / "recording", tone(2), ENCODINGS[name]).read_bytes()
    chance = random.Random(name)  # noqa: S311 - repeatable, not secret
    for _ in range(25):
        damaged = bytearray(content)
        for _ in range(chance.choice([1, 10, 100])):
            at = chance.randrange(min(len(damaged), chance.choice([100, len(damaged)])))
            damaged[at] = chance.randrange(256)
        recording = _file(
            tmp_path, bytes(damaged[: chance.choice([len(damaged), chance.randrange(len(damaged))])])
        )
        try:
            assert _decode(recording) > 0
        except RecordingError as error:
            assert str(error).endswith(".")  # noqa: PT017 - either outcome is fine, and each has its form
    assert capfd.readouterr() == ("", "")
