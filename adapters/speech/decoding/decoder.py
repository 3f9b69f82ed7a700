"""Decoder: a recording as one stream of 16 kHz mono samples, in constant memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
from av.audio.frame import AudioFrame

from adapters.speech.decoding.declared_length import check_counted, length_warnings
from adapters.speech.decoding.limits import DecodingLimits, check_shape
from adapters.speech.decoding.tracks import BROKEN, SoundTrack, open_sound_track
from domain.model.errors import UndecodableAudioError
from domain.model.result_warnings import ResultWarning
from ports.transcriber_port import Progress, ProgressListener

if TYPE_CHECKING:  # PyAV's packets are generic in its stubs alone
    from av.packet import Packet
    from av.stream import Stream

SAMPLE_RATE = 16_000
"""Sample rate of decoded sound, in hertz."""
BYTES_PER_SAMPLE = 2
BLOCK_SAMPLES = 15_360
"""Samples in a block, 0.96 s."""

_PACKETS_PER_REPORT = 4096

WarningListener = Callable[[ResultWarning], None]
"""Hears what the caller should know about a recording although it could be decoded."""


class Length(NamedTuple):
    """Length of a recording in seconds, according to its packets, without decoding."""

    sound: float = 0.0  # sum of the packets of the sound track
    sound_end: float = 0.0  # end of the sound track
    end: float = 0.0  # end of the longest track


def decode(
    recording: Path,
    limits: DecodingLimits,
    on_progress: ProgressListener,
    on_warning: WarningListener = lambda _: None,
) -> Iterator[bytes]:
    """Decode the first sound track to signed 16-bit mono samples at `SAMPLE_RATE`, block by block.

    The packets are measured first, at a second per hour of sound, so that a recording which is too long or
    truncated is refused early. The limits are checked while decoding, too, because packets can lie.

    Progress is reported with each block, and often enough between blocks to tell slow from stuck.

    Raises:
        EmptyRecordingError: the file is empty.
        NotAudioError: no recording, or no sound track.
        UnsupportedFormatError: format or codec are not accepted.
        UndecodableAudioError: broken, truncated, without any sound, or of an absurd shape.
        AudioTooLongError: the recording has more sound than `limits` accept.
    """
    with open_sound_track(recording) as track:
        track.check_complete()
        length = _measure(track, limits, on_progress)
        declared = track.declared_seconds()
        if track.format.demuxer == "flac":  # declares samples, but no bytes
            check_counted(declared, max(length))
    for warning in length_warnings(declared, at_least=length.sound, at_most=max(length)):
        on_warning(warning)
    with open_sound_track(recording) as track:
        decoder = BlockDecoder(limits, on_progress, length.sound)
        yield from decoder.blocks(track)
    if not decoder.seconds:
        raise UndecodableAudioError("The recording holds no sound that can be decoded.")
    if declared is not None:
        check_counted(length.sound_end, max(decoder.seconds, decoder.end))


def _measure(track: SoundTrack, limits: DecodingLimits, on_progress: ProgressListener) -> Length:
    context = track.stream.codec_context
    samples_per_second = context.sample_rate * context.channels
    length = Length()
    for count, packet in enumerate(track.packets_of_all_tracks()):
        length = _with_packet(length, packet, is_sound=packet.stream_index == track.stream.index)
        if count % _PACKETS_PER_REPORT == 0:
            on_progress(Progress(0.0, None))
        limits.check_length(length.sound, length.sound * samples_per_second)
    return length


def _with_packet(length: Length, packet: "Packet[Stream]", *, is_sound: bool) -> Length:
    if packet.time_base is None:
        return length
    # as a float: fractions would take as long as decoding
    tick = packet.time_base.numerator / packet.time_base.denominator
    seconds = (packet.duration or 0) * tick
    end = max(length.end, (packet.pts or 0) * tick + seconds)
    return Length(length.sound + seconds, end, end) if is_sound else length._replace(end=end)


class BlockDecoder:
    """Decodes one sound track within limits, measures what it decodes, and reports progress of the total."""

    def __init__(self, limits: DecodingLimits, on_progress: ProgressListener, total_seconds: float) -> None:
        self.seconds = 0.0  # length of the decoded sound
        self.end = 0.0  # time of the last decoded sample, in seconds
        self._samples = 0
        self._limits = limits
        self._on_progress = on_progress
        self._total_seconds = total_seconds

    def blocks(self, track: SoundTrack) -> Iterator[bytes]:
        """Yield the samples of the track, block by block.

        Raises:
            UndecodableAudioError: the track is broken.
            AudioTooLongError: the track has more sound than `limits` accept.
        """
        resampler = _Resampler()
        for frame in track.frames():
            if frame is None:
                self._report()
                continue
            self._count(frame)
            yield from self._reported(resampler.resample(frame))
        yield from self._reported(resampler.rest())

    def _count(self, frame: AudioFrame) -> None:
        channels = frame.layout.nb_channels
        check_shape(channels, frame.sample_rate)
        self._samples += frame.samples * channels
        self.seconds += frame.samples / frame.sample_rate
        self.end = (frame.time or 0.0) + frame.samples / frame.sample_rate
        self._limits.check_length(self.seconds, self._samples)

    def _reported(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._report()
            yield block

    def _report(self) -> None:
        self._on_progress(Progress(min(self.seconds, self._total_seconds), self._total_seconds))


class _Resampler:
    """Resamples frames, also where their format changes within the recording."""

    def __init__(self) -> None:
        self._shape: tuple[int, str, str] | None = None
        self._resampler = _to_mono()

    def resample(self, frame: AudioFrame) -> Iterator[bytes]:
        shape = (frame.sample_rate, frame.layout.name, frame.format.name)
        if shape != self._shape:
            yield from self.rest()
            self._shape = shape
            self._resampler = _to_mono()
        frame.pts = None  # do not resample gaps in the timestamps
        yield from self._resampled(frame)

    def rest(self) -> Iterator[bytes]:
        """Yield the samples that the resampler still holds."""
        if self._shape is not None:
            yield from self._resampled(None)

    def _resampled(self, frame: AudioFrame | None) -> Iterator[bytes]:
        try:
            resampled = self._resampler.resample(frame)
        except BROKEN as error:
            raise UndecodableAudioError("The sound has a channel layout that cannot be mixed.") from error
        for piece in resampled:
            yield bytes(piece.planes[0])[: piece.samples * BYTES_PER_SAMPLE]


def _to_mono() -> av.AudioResampler:
    return av.AudioResampler("s16", "mono", SAMPLE_RATE, frame_size=BLOCK_SAMPLES)
