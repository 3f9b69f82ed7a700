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

from adapters.speech.decoding.declared_length import mp3_seconds, wav_seconds
from adapters.speech.decoding.flac_comments import check_comments
from adapters.speech.decoding.formats import demuxer_of
from adapters.speech.decoding.limits import check_shape
from domain.model.errors import NotAudioError, UndecodableAudioError

if TYPE_CHECKING:  # PyAV's packets are generic in its stubs alone
    from av.packet import Packet
    from av.stream import Stream

BROKEN = (av.FFmpegError, ValueError, RuntimeError, MemoryError)
"""Exceptions that PyAV raises for invalid data; `MemoryError` where the data exceeds the memory limit."""

_CODECS = frozenset(
    {"aac", "alac", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "libvorbis"}
    | {"pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be"}
    | {"pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav"}
)
_MAX_STREAMS = 64
_KNOWN_AS = {"matroska": "webm", "mov": "mp4"}

_open: Callable[..., InputContainer] = (
    partial(av.open, metadata_errors="replace") if av.__version__.startswith("18.") else av.open
)
"""Opens a container, also with tags that are not UTF-8; only PyAV 18 needs an option for that."""


class SoundTrack(NamedTuple):
    """First sound track of an open recording."""

    recording: Path
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

    def declared_seconds(self) -> float | None:
        """Return the declared length of the recording; None where it declares none, or an unreliable one."""
        match self.container.format.name.split(",")[0]:
            case "wav":
                return wav_seconds(self.recording)
            case "mp3":
                return mp3_seconds(self.recording, self.stream.codec_context.sample_rate)
            case "flac" | "mov":
                return _seconds(self.stream, self.stream.duration)
            case "matroska" if self.stream.duration is None and self.container.duration is not None:
                return self.container.duration / av.time_base  # an estimate of FFmpeg would be in both
        return None


@contextmanager
def open_sound_track(recording: Path) -> Iterator[SoundTrack]:
    """Open the first sound track of `recording`, whose name does not matter.

    Raises:
        EmptyRecordingError: the file is empty.
        NotAudioError: no supported format, or no sound track.
        UndecodableAudioError: the format is broken, or codec, channels, sample rate or comments are not
            accepted.
    """
    demuxer = demuxer_of(recording)
    if demuxer == "flac":
        check_comments(recording)
    av.logging.set_level(None)  # FFmpeg's messages go into the errors, not to stderr
    with _opened(recording, demuxer) as container:
        if not container.streams.audio:
            raise NotAudioError("The recording has no sound track.")
        stream = container.streams.audio[0]
        _check_codec(stream)
        check_shape(stream.codec_context.channels, stream.codec_context.sample_rate)
        yield SoundTrack(recording, container, stream)


def _opened(recording: Path, demuxer: str) -> InputContainer:
    options = {
        "format_whitelist": demuxer,
        "protocol_whitelist": "file",
        "codec_whitelist": ",".join(_CODECS),  # for FFmpeg's probing; `_check_codec` checks the sound track
        "max_streams": str(_MAX_STREAMS),
        "max_probe_packets": "0",  # else FFmpeg probes the samples of a wav for all other formats
    }
    try:
        return _open(str(recording.absolute()), format=demuxer, container_options=options)
    except BROKEN as error:
        raise UndecodableAudioError(
            f"The recording begins like {_KNOWN_AS.get(demuxer, demuxer)}, but is broken or truncated."
        ) from error


def _unreadable(error: Exception) -> UndecodableAudioError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return UndecodableAudioError(f"The recording cannot be read to its end: {reason}.")


def _check_codec(stream: AudioStream) -> None:
    name = getattr(stream.codec_context, "name", "unknown")  # no context for a codec unknown to FFmpeg
    if name not in _CODECS:
        raise UndecodableAudioError(f"The codec of the sound is not supported: {name}.")


def _seconds(stream: AudioStream, ticks: int | None) -> float | None:
    return float(ticks * stream.time_base) if ticks and stream.time_base else None
