"""Decoding limits. Uploads are hostile: each limit is checked while decoding."""

from dataclasses import dataclass

from domain.model.errors import AudioTooLongError, UndecodableAudioError

MAX_CHANNELS = 8
"""Channels of a 7.1 recording; a wav may declare 65,535."""

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 4_000, 192_000
"""Hertz. Speech below is unintelligible; sound above is inaudible."""

SAMPLES_PER_SECOND = 192_000
"""Samples x channels per second of the longest recording: 96 kHz stereo, or 48 kHz quadro."""

_PADDING_SECONDS = 0.1  # encoders may add so much to a recording of exactly the longest length


@dataclass(frozen=True, slots=True)
class DecodingLimits:
    """Limits on the sound of one recording."""

    max_audio_seconds: float = 4 * 3600  # length of the longest recording that is accepted

    @property
    def max_samples(self) -> int:
        """Samples x channels of the largest recording; more channels make it shorter."""
        return int(self.max_audio_seconds * SAMPLES_PER_SECOND)

    def check_length(self, seconds: float, samples: float) -> None:
        """Refuse a recording that plays too long, or decodes to too many samples in all channels together.

        Raises:
            AudioTooLongError: a limit is exceeded.
        """
        if seconds > self.max_audio_seconds + _PADDING_SECONDS:
            raise AudioTooLongError(f"The recording plays longer than {self.max_audio_seconds:g} s.")
        if samples > self.max_samples:
            raise AudioTooLongError(
                f"The recording decodes to more than {self.max_samples} samples in all of its channels."
            )


def check_shape(channels: int, sample_rate: int) -> None:
    """Refuse an absurd number of channels or sample rate (Hz).

    Raises:
        UndecodableAudioError: one of them is out of range.
    """
    if not 1 <= channels <= MAX_CHANNELS:
        raise UndecodableAudioError(
            f"The recording has {channels or 'an unknown number of'} channels; "
            f"1 to {MAX_CHANNELS} are accepted."
        )
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise UndecodableAudioError(
            f"The recording has a sample rate of {sample_rate} Hz; "
            f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz are accepted."
        )
