"""Sound tracks of uploads, opened with one format and few codecs, so that FFmpeg guesses nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from adapters.speech.decoding.flac_comments import check_comments
from adapters.speech.decoding.formats import Format, detect_format
from adapters.speech.decoding.limits import check_shape
from adapters.speech.decoding.missing_bytes import check_complete
from adapters.speech.decoding.refused_files import unsupported
from adapters.speech.decoding.wav import read_wav_header, sound_goes_on
from adapters.speech.decoding.xing import read_xing_header
from domain.model.errors import NotAudioError, UndecodableAudioError

if TYPE_CHECKING:  # PyAV's packets are generic in its stubs alone
    from av.packet import Packet
    from av.stream import Stream

BROKEN = (av.FFmpegError, ValueError, RuntimeError, MemoryError)
"""Exceptions that PyAV raises for invalid data; `MemoryError` where the data exceeds the memory limit."""

_CODECS = frozenset(
    {"aac", "alac", "flac", "mp2", "mp2float", "mp3", "mp3float", "ac3", "eac3", "wmav1", "wmav2"}
    | {"opus", "libopus", "vorbis", "libvorbis", "speex"}
    | {"amrnb", "amrwb", "gsm", "gsm_ms", "g722", "g726", "g726le"}
    | {"pcm_u8", "pcm_s8", "pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt"}
    | {f"pcm_{kind}{order}" for kind in ("s16", "s24", "s32", "f32", "f64") for order in ("le", "be")}
)
"""Decoders; each has a recording in the tests, and is fuzzed (`chaos/fuzz.py`)."""
_ENCRYPTED = frozenset({"drms", "enca", "aavd"})
"""Encrypted sound in an mp4 (iTunes, ISO 23001-7, Audible), which FFmpeg would decode to noise."""
_MAX_STREAMS = 64
_KNOWN_AS = {"matroska": "webm", "mov": "mp4", "asf": "wma"}

_open: Callable[..., InputContainer] = (
    partial(av.open, metadata_errors="replace") if av.__version__.startswith("18.") else av.open
)
"""Opens a container, also with tags that are not UTF-8; only PyAV 18 needs an option for that."""


class SoundTrack(NamedTuple):
    """One sound track of an open recording."""

    recording: Path
    format: Format
    container: InputContainer
    stream: AudioStream

    def packets_of_all_tracks(self) -> "Iterator[Packet[Stream]]":
        """Yield all packets, pictures included.

        Raises:
            UndecodableAudioError: the recording cannot be read to its end.
        """
        try:
            yield from self.container.demux()
        except BROKEN as error:
            raise _unreadable(error) from error

    def frames(self) -> Iterator[AudioFrame | None]:
        """Yield the decoded sound; None for a broken packet, which is skipped.

        Raises:
            UndecodableAudioError: the recording cannot be read to its end.
        """
        try:
            for packet in self.container.demux(self.stream):
                yield from self._decoded(packet)
        except BROKEN as error:
            raise _unreadable(error) from error

    def _decoded(self, packet: "Packet[AudioStream]") -> list[AudioFrame] | list[None]:
        try:
            return self.stream.decode(packet)
        except BROKEN:
            return [None]

    def check_complete(self) -> None:
        """Refuse a truncated recording.

        Raises:
            UndecodableAudioError: bytes are missing.
        """
        is_indexed = (
            self.format.demuxer == "mov" and self.stream.frames
        )  # none of a live recording's fragments
        samples = self.stream.index_entries if is_indexed else ()
        end = samples[-1].pos + samples[-1].size if samples else None
        check_complete(self.recording, self.format, end)

    @property
    def start_seconds(self) -> float | None:
        """Timestamp at which players begin: that of the earliest track; None where it is unknown."""
        start: int | None = self.container.start_time  # the stubs forget None
        return None if start is None else start / av.time_base

    def declared_seconds(self) -> float | None:
        """Return the declared length of the recording; None where it declares none, or an unreliable one."""
        match self.format.demuxer:
            case "wav":
                header = read_wav_header(self.recording)
                return header.seconds if header else None
            case "mp3":
                xing = read_xing_header(self.recording, self.format.start)
                return xing.seconds(self.stream.codec_context.sample_rate) if xing else None
            case "flac" | "mov" | "aiff":
                return _seconds(self.stream, self.stream.duration)
            case "matroska" if self.stream.duration is None and self.container.duration is not None:
                return self.container.duration / av.time_base  # an estimate of FFmpeg would be in both
        return None


@contextmanager
def open_sound_track(recording: Path, number: int = 0) -> Iterator[SoundTrack]:
    """Open a sound track of `recording`, whose name does not matter; tracks are counted from 0.

    Raises:
        EmptyRecordingError: the file is empty.
        NotAudioError: no recording, or no sound track.
        UnsupportedFormatError: format or codec are not accepted.
        UndecodableAudioError: the format is broken, or channels, sample rate or comments are not accepted.
    """
    with open_container(recording) as (recognised, container):
        stream = container.streams.audio[number]
        check_stream(stream)
        yield SoundTrack(recording, recognised, container, stream)


@contextmanager
def open_container(recording: Path) -> Iterator[tuple[Format, InputContainer]]:
    """Open a recording with at least one sound track.

    Raises:
        EmptyRecordingError: the file is empty.
        NotAudioError: no recording, or no sound track.
        UnsupportedFormatError: the format is not accepted.
        UndecodableAudioError: the format is broken, or its comments are not accepted.
    """
    recognised = detect_format(recording)
    if recognised.demuxer == "flac":
        check_comments(recording)
    av.logging.set_level(None)  # FFmpeg's messages go into the errors, not to stderr
    with _opened(recording, recognised) as container:
        if not container.streams.audio:
            what = "a video without sound" if container.streams.video else "a file without sound track"
            raise NotAudioError(f"The recording is {what}.")
        yield recognised, container


def check_stream(stream: AudioStream) -> None:
    """Refuse a track whose codec, channels or sample rate are not accepted.

    Raises:
        UnsupportedFormatError: the codec is not accepted.
        UndecodableAudioError: channels or sample rate are not.
    """
    codec = getattr(stream.codec_context, "codec", None)  # no context for a codec unknown to FFmpeg
    if codec is None or codec.name not in _CODECS:
        raise unsupported(f"sound coded as {codec.long_name if codec else 'an unknown codec'}")
    if _tag(stream) in _ENCRYPTED:
        raise unsupported("encrypted sound (with DRM)")
    check_shape(stream.codec_context.channels, stream.codec_context.sample_rate)


def _opened(recording: Path, recognised: Format) -> InputContainer:
    demuxer = recognised.demuxer
    options = {
        "format_whitelist": demuxer,
        "protocol_whitelist": "file",
        "codec_whitelist": ",".join(_CODECS),  # for FFmpeg's probing; `check_stream` checks the sound track
        "max_streams": str(_MAX_STREAMS),
        "max_probe_packets": "0",  # else FFmpeg probes the samples of a wav for all other formats
        "skip_initial_bytes": str(recognised.start),
    }
    if demuxer == "wav" and sound_goes_on(recording):
        options["ignore_length"] = "1"
    try:
        return _open(str(recording.absolute()), format=demuxer, container_options=options)
    except BROKEN as error:
        raise UndecodableAudioError(
            f"The recording begins like {_KNOWN_AS.get(demuxer, demuxer)}, but is broken or truncated."
        ) from error


def _unreadable(error: Exception) -> UndecodableAudioError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return UndecodableAudioError(f"The recording cannot be read to its end: {reason}.")


def _tag(stream: AudioStream) -> str | None:
    """Return the name that the container gives the codec; None if it is no text."""
    try:
        return stream.codec_context.codec_tag
    except UnicodeDecodeError:
        return None


def _seconds(stream: AudioStream, ticks: int | None) -> float | None:
    return float(ticks * stream.time_base) if ticks and stream.time_base else None
