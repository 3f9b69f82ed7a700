"""Decoder: one voice of a recording as a stream of 16 kHz mono samples, in constant memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from av.audio.frame import AudioFrame

from adapters.speech.decoding.declared_length import check_counted, length_warnings
from adapters.speech.decoding.limits import DecodingLimits, check_shape
from adapters.speech.decoding.resampler import Resampler
from adapters.speech.decoding.timeline import Timeline
from adapters.speech.decoding.tracks import SoundTrack, open_sound_track
from adapters.speech.sound.blocks import BLOCK_SAMPLES, SAMPLE_RATE, Block
from adapters.speech.sound.preparation import prepared
from domain.model.errors import UndecodableAudioError
from domain.model.result_warnings import ResultWarning
from ports.transcriber_port import Progress, ProgressListener

if TYPE_CHECKING:  # PyAV's packets are generic in its stubs alone
    from av.packet import Packet
    from av.stream import Stream

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
    *,
    track: int = 0,  # one of the sound tracks, counted from 0
    channel: int | None = None,  # one of its channels, counted from 0; None mixes them
) -> Iterator[bytes]:
    """Decode one voice to signed 16-bit mono samples at `SAMPLE_RATE`, of one loudness, block by block.

    Where the timestamps of the track leave a gap, the samples are silence, so that the number of samples is
    the time.

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
    with open_sound_track(recording, track) as opened:
        opened.check_complete()
        length = _measure(opened, limits, on_progress)
        declared = opened.declared_seconds()
        if opened.format.demuxer == "flac":  # declares samples, but no bytes
            check_counted(declared, max(length))
    for warning in length_warnings(declared, at_least=length.sound, at_most=max(length)):
        on_warning(warning)
    with open_sound_track(recording, track) as opened:
        total = max(length.sound, length.sound_end - (opened.start_seconds or 0.0))
        decoder = BlockDecoder(opened, limits, on_progress, total)
        yield from prepared(decoder.blocks(), channel)
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

    def __init__(
        self,
        track: SoundTrack,
        limits: DecodingLimits,
        on_progress: ProgressListener,
        total_seconds: float | None,
        *,
        rate: int = SAMPLE_RATE,  # of the blocks, in hertz
    ) -> None:
        self.seconds = 0.0  # length of the decoded sound
        self.end = 0.0  # time of the last decoded sample, in seconds
        self._samples = 0
        self._track = track
        self._rate = rate
        self._timeline = Timeline(track.start_seconds)
        self._limits = limits
        self._on_progress = on_progress
        self._total_seconds = total_seconds

    def blocks(self) -> Iterator[Block]:
        """Yield the samples of all channels of the track, with silence in its gaps, piece by piece.

        Raises:
            UndecodableAudioError: the track is broken.
            AudioTooLongError: the track has more sound than `limits` accept, or plays longer.
        """
        resampler = Resampler(self._rate)
        for frame in self._track.frames():
            if frame is None:
                self._report()
                continue
            gap = self._timeline.gap_before(frame.time)
            self._count(frame, gap)
            if gap:
                yield from self._reported(resampler.rest())
                channels = resampler.channels or frame.layout.nb_channels
                yield from self._reported(_silence(round(gap * self._rate), channels))
            yield from self._reported(resampler.resample(frame))
        yield from self._reported(resampler.rest())

    def _count(self, frame: AudioFrame, gap: float) -> None:
        channels = frame.layout.nb_channels
        check_shape(channels, frame.sample_rate)
        seconds = frame.samples / frame.sample_rate
        self._samples += frame.samples * channels
        self.seconds += seconds
        self.end = (frame.time or 0.0) + seconds
        self._timeline.advance(gap + seconds)
        self._limits.check_length(self._timeline.seconds, self._samples)

    def _reported(self, blocks: Iterator[Block]) -> Iterator[Block]:
        for block in blocks:
            self._report()
            yield block

    def _report(self) -> None:
        done, total = self._timeline.seconds, self._total_seconds
        self._on_progress(Progress(done if total is None else min(done, total), total))


def _silence(samples: int, channels: int) -> Iterator[Block]:
    for at in range(0, samples, BLOCK_SAMPLES):
        yield np.zeros((channels, min(BLOCK_SAMPLES, samples - at)), np.float32)
