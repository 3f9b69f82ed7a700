"""Recordings of all kinds, generated on demand: speech, a tone, silence, video."""

import functools
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

DEMO = Path(__file__).parents[3] / "entrypoints" / "cli" / "recordings" / "demo.ogg"
DEMO_TEXT = (
    "the weather is going to be nice today please open the window and close the door"
    " we will meet again on monday morning at nine"
)
DEMO_TRANSCRIPT = (
    "The weather is going to be nice today. Please open the window and close the door."
    " We will meet again on Monday morning at 9."
)
"""The same, as the default engine writes it."""
SAMPLE_RATE = 16_000


class Encoding(NamedTuple):
    """Encoding of a recording: FFmpeg's names of container and codec, sample rate and channels."""

    container: str
    codec: str
    rate: int = SAMPLE_RATE
    layout: str = "mono"


ENCODINGS: Mapping[str, Encoding] = {
    "wav": Encoding("wav", "pcm_s16le"),
    "wav of a telephone": Encoding("wav", "pcm_mulaw", 8_000),
    "wav in float and stereo": Encoding("wav", "pcm_f32le", 44_100, "stereo"),
    "flac": Encoding("flac", "flac", 48_000, "stereo"),
    "mp3": Encoding("mp3", "libmp3lame", 44_100, "stereo"),
    "mp3 at a low rate": Encoding("mp3", "libmp3lame"),
    "m4a": Encoding("ipod", "aac", 44_100, "stereo"),
    "m4a with alac": Encoding("ipod", "alac", 44_100),
    "aac": Encoding("adts", "aac", 44_100, "stereo"),
    "ogg with vorbis": Encoding("ogg", "vorbis", 44_100, "stereo"),
    "ogg with opus": Encoding("ogg", "libopus", 48_000),
    "webm": Encoding("webm", "libopus", 48_000),
    "mp4": Encoding("mp4", "aac", 48_000, "stereo"),
    "wav with g722": Encoding("wav", "g722"),
    "wav with g726": Encoding("wav", "g726", 8_000),
    "wav with mp3": Encoding("wav", "libmp3lame"),
    "wav with adpcm": Encoding("wav", "adpcm_ms"),
    "wav with adpcm of ima": Encoding("wav", "adpcm_ima_wav"),
    "w64": Encoding("w64", "pcm_s24le"),
    "aiff": Encoding("aiff", "pcm_s16be"),
    "aiff in float": Encoding("aiff", "pcm_f32be"),
    "caf": Encoding("caf", "pcm_s16le"),
    "caf with alac": Encoding("caf", "alac"),
    "au": Encoding("au", "pcm_alaw", 8_000),
    "au with g726": Encoding("au", "g726le", 8_000),
    "mp2": Encoding("mp2", "mp2", 48_000, "stereo"),
    "ac3": Encoding("ac3", "ac3", 44_100),
    "eac3": Encoding("eac3", "eac3", 48_000, "stereo"),
    "wma": Encoding("asf", "wmav2", 44_100, "stereo"),
    "wma of 1999": Encoding("asf", "wmav1", 22_050),
    "mov": Encoding("mov", "pcm_s16be", 44_100, "stereo"),
    "mov with adpcm": Encoding("mov", "adpcm_ima_qt", 44_100),
    "mkv": Encoding("matroska", "ac3", 48_000),
    "ogg with flac": Encoding("ogg", "flac"),
}
"""All accepted encodings that FFmpeg can write; `tests.support.samples.handmade` has the others."""


def comparable(text: str) -> list[str]:
    """Split a text into its words in small letters; the engine writes "9" or "nine"."""
    words = "".join(each for each in text.lower() if each.isalnum() or each == " ").split()
    return ["nine" if word == "9" else word for word in words]


def tone(seconds: float, rate: int = SAMPLE_RATE) -> Samples:
    """Generate a quiet middle A."""
    moments = np.arange(int(seconds * rate)) / rate
    return (8_000 * np.sin(2 * np.pi * 440 * moments)).astype(np.int16)


def silence(seconds: float, rate: int = SAMPLE_RATE) -> Samples:
    return np.zeros(int(seconds * rate), np.int16)


@functools.cache
def speech() -> Samples:
    """Decode the sentences of `DEMO`, 16 kHz mono."""
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    with av.open(str(DEMO)) as container:
        frames = [*container.decode(audio=0), None]
        pieces = [piece.to_ndarray().ravel() for frame in frames for piece in resampler.resample(frame)]
    return np.concatenate(pieces).astype(np.int16)


def record(
    path: Path,
    samples: Samples,
    encoding: Encoding = ENCODINGS["wav"],
    *,
    options: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Write 16 kHz mono samples to `path` in the given encoding."""
    with av.open(str(path), "w", format=encoding.container, options=dict(options or {})) as container:
        container.metadata.update(tags or {})
        _encode(container, samples, encoding)
    return path


def record_channels(path: Path, *channels: Samples, gain: float = 1.0) -> Path:
    """Write a wav in 32-bit float with one channel for each of the samples, which have one length."""
    sound = np.stack(channels, axis=1).astype("<f4") / 2**15 * gain
    path.write_bytes(wav_bytes(sound.astype("<f4").tobytes(), channels=len(channels), tag=3, bits=32))
    return path


def record_with_gap(path: Path, samples: Samples, encoding: Encoding, *, at: float, seconds: float) -> Path:
    """Write a recording whose timestamps leave a gap: no packet has the sound of those seconds."""
    with av.open(str(path), "w", format=encoding.container) as container:
        stream = _sound_stream(container, encoding)
        for packet in _packets(stream, samples, encoding):
            if packet.pts * packet.time_base >= at:
                packet.pts = packet.dts = packet.pts + round(seconds / packet.time_base)
            container.mux(packet)
    return path


def record_video(
    path: Path,
    *,
    sound_tracks: tuple[Samples, ...] = (),
    seconds: float = 1.0,
    default_track: int = 0,  # the track with the flag
    sound_starts: float = 0.0,  # seconds after the pictures
) -> Path:
    """Write an mp4 with video, and the given number of sound tracks."""
    with av.open(str(path), "w", format="mp4") as container:
        pictures = _picture_stream(container, "mpeg4")
        streams = [_sound_stream(container, ENCODINGS["mp4"]) for _ in sound_tracks]
        for number, stream in enumerate(streams):
            stream.disposition = av.stream.Disposition.default if number == default_track else 0
        for number in range(int(seconds * 25)):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), number, np.uint8), "rgb24")
            container.mux(pictures.encode(picture))
        container.mux(pictures.encode(None))
        for stream, samples in zip(streams, sound_tracks, strict=True):
            for packet in _packets(stream, samples, ENCODINGS["mp4"]):
                packet.pts = packet.dts = packet.pts + round(sound_starts / packet.time_base)
                container.mux(packet)
    return path


def record_with_cover(path: Path, samples: Samples, encoding: Encoding) -> Path:
    """Write a recording with a cover picture."""
    with av.open(str(path), "w", format=encoding.container) as container:
        sound = _sound_stream(container, encoding)
        cover = _picture_stream(container, "mjpeg")
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        container.mux([*cover.encode(picture.reformat(format="yuvj420p")), *cover.encode(None)])
        _encode_into(container, sound, samples, encoding)
    return path


def picture(path: Path) -> Path:
    """Write a png."""
    with av.open(str(path), "w", format="image2") as container:
        stream: Any = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb24"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def wav_bytes(
    sound: bytes,
    *,
    channels: int = 1,
    rate: int = SAMPLE_RATE,
    declared_size: int | None = None,
    tag: int = 1,  # kind of samples: 1 for integers, 3 for floats
    bits: int = 16,
) -> bytes:
    """Build a wav, with any values in its header."""
    size = len(sound) if declared_size is None else declared_size
    frame = max(channels * bits // 8, 1)
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * frame & 0xFFFFFFFF, frame & 0xFFFF, bits)
    header = (
        b"RIFF" + struct.pack("<I", min(size + 36, 0xFFFFFFFF)) + b"WAVEfmt " + struct.pack("<I", len(form))
    )
    return header + form + b"data" + struct.pack("<I", size) + sound


def _encode(container: Any, samples: Samples, encoding: Encoding) -> None:
    _encode_into(container, _sound_stream(container, encoding), samples, encoding)


def _sound_stream(container: Any, encoding: Encoding) -> Any:
    options = {"strict": "experimental"} if encoding.codec == "vorbis" else {}
    stream = container.add_stream(encoding.codec, rate=encoding.rate, layout=encoding.layout, options=options)
    if encoding.codec.startswith("wma"):
        stream.bit_rate = 64_000  # has no default
    return stream


def _picture_stream(container: Any, codec: str) -> Any:
    stream = container.add_stream(codec, rate=25)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    return stream


def _encode_into(container: Any, stream: Any, samples: Samples, encoding: Encoding) -> None:
    for packet in _packets(stream, samples, encoding):
        container.mux(packet)


def _packets(stream: Any, samples: Samples, encoding: Encoding) -> Iterator[Any]:
    resampler = av.AudioResampler(stream.codec_context.format, encoding.layout, encoding.rate)
    for frame in [*_frames(samples), None]:
        for resampled in resampler.resample(frame):
            yield from stream.encode(resampled)
    yield from stream.encode(None)


def _frames(samples: Samples) -> Iterator[av.AudioFrame]:
    for at in range(0, len(samples), SAMPLE_RATE):
        frame = av.AudioFrame.from_ndarray(samples[at : at + SAMPLE_RATE].reshape(1, -1), "s16", "mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = at
        yield frame
