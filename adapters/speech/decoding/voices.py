"""Voices of a recording: which of its sound tracks and channels are transcribed."""

from pathlib import Path
from typing import NamedTuple

from av.audio.stream import AudioStream
from av.stream import Disposition

from adapters.speech.decoding.decoder import BlockDecoder
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.decoding.tracks import check_stream, open_container, open_sound_track
from adapters.speech.sound.highpass import high_passed
from adapters.speech.sound.levels import is_audible
from domain.model.errors import RecordingError, UndecodableAudioError
from domain.model.result_warnings import ResultWarning, WarningCode
from domain.model.transcripts import Channels, Tracks, TranscriptionOptions
from ports.transcriber_port import ProgressListener

MAX_VOICES = 8
"""Voices of a recording that are transcribed one by one, each of which takes as long as a recording."""


class Voice(NamedTuple):
    """One stream of speech: a sound track, its channels mixed, or one channel of it; counted from 0."""

    track: int
    channel: int | None


class Voices(NamedTuple):
    """Voices to transcribe, and what the caller should know about the others."""

    voices: tuple[Voice, ...]
    warnings: tuple[ResultWarning, ...]


class _Tracks(NamedTuple):
    total: int  # sound tracks in the recording
    usable: tuple[int, ...]  # those that can be decoded, flagged ones first


def find_voices(
    recording: Path, limits: DecodingLimits, on_progress: ProgressListener, options: TranscriptionOptions
) -> Voices:
    """Choose the voices of a recording.

    Of several tracks that can be decoded, the one that is flagged as default is taken, or the first with
    sound if that one is silent or none is flagged. A recording without any usable track has one voice, too:
    its decoder says what is wrong.

    Raises:
        RecordingError: the recording cannot be opened, or has more than `MAX_VOICES` voices.
    """
    tracks = _tracks(recording)
    if options.tracks is Tracks.ALL:
        chosen = sorted(tracks.usable)
    else:
        chosen = [_with_sound(recording, limits, on_progress, tracks)]
    voices = tuple(voice for track in chosen for voice in _voices(recording, track, options.channels))
    if len(voices) > MAX_VOICES:
        raise UndecodableAudioError(
            f"The recording has {len(voices)} voices to transcribe one by one; {MAX_VOICES} are accepted."
        )
    return Voices(voices, _several(tracks.total, chosen) if tracks.total > 1 else ())


def _tracks(recording: Path) -> _Tracks:
    with open_container(recording) as (_, container):
        streams = container.streams.audio
        usable = [number for number, stream in enumerate(streams) if _is_usable(stream)]
        usable.sort(key=lambda number: not streams[number].disposition & Disposition.default)
        return _Tracks(len(streams), tuple(usable) or (0,))


def _is_usable(stream: AudioStream) -> bool:
    try:
        check_stream(stream)
    except RecordingError:
        return False
    return True


def _with_sound(
    recording: Path, limits: DecodingLimits, on_progress: ProgressListener, tracks: _Tracks
) -> int:
    """Find the first track with sound; the first one, if there is no other or all are silent."""
    first, *others = tracks.usable
    if not others:
        return first
    has_sound = (track for track in tracks.usable if _has_sound(recording, limits, on_progress, track))
    return next(has_sound, first)


def _has_sound(recording: Path, limits: DecodingLimits, on_progress: ProgressListener, number: int) -> bool:
    with open_sound_track(recording, number) as track:
        # reports the sound that was looked through, which must not use up the processor time of opening
        decoder = BlockDecoder(track, limits, on_progress, None)
        try:
            return any(map(is_audible, high_passed(decoder.blocks())))
        except UndecodableAudioError:
            return False


def _voices(recording: Path, track: int, channels: Channels) -> list[Voice]:
    if channels is Channels.MIXED:
        return [Voice(track, None)]
    return [Voice(track, channel) for channel in range(_channels(recording, track))]


def _channels(recording: Path, number: int) -> int:
    """Count the channels of the first frame; headers may differ."""
    with open_sound_track(recording, number) as track:
        frames = (frame.layout.nb_channels for frame in track.frames() if frame is not None)
        return next(frames, track.stream.codec_context.channels)


def _several(total: int, chosen: list[int]) -> tuple[ResultWarning, ...]:
    numbers = ", ".join(str(track + 1) for track in chosen)
    what = f"tracks {numbers} were" if len(chosen) > 1 else f"only track {numbers} was"
    detail = f"The recording has {total} sound tracks; {what} transcribed (tracks=all transcribes each)."
    return (ResultWarning(code=WarningCode.SEVERAL_TRACKS, detail=detail),)
