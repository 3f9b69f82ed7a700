"""What a recording may ask of a decoder. Uploads are hostile: each figure is checked while decoding."""

from dataclasses import dataclass

from domain.model.errors import AudioTooLongError, UndecodableAudioError

MAX_CHANNELS = 8
"""A 7.1 recording; a wav may declare 65,535."""

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 4_000, 192_000
"""Hertz. Below, nothing can be understood; above, nothing can be heard."""

SAMPLES_PER_SECOND = 192_000
"""Samples x channels that a second of the longest recording may have: 96 kHz stereo, or 48 kHz quadro."""

_PADDING_SECONDS = 0.1  # what encoders add to a recording of just the longest length


@dataclass(frozen=True, slots=True)
class DecodingLimits:
    """How much sound one recording may hold.

    Attributes:
        max_audio_seconds: the longest recording that is accepted.
    """

    max_audio_seconds: float = 4 * 3600

    @property
    def max_samples(self) -> int:
        """Samples x channels of the largest recording: more channels make it shorter."""
        return int(self.max_audio_seconds * SAMPLES_PER_SECOND)

    def check_length(self, seconds: float, samples: float) -> None:
        """Refuse what plays for too long, or decodes to too much.

        Args:
            seconds: how long the sound plays.
            samples: how many samples it has, in all channels together.

        Raises:
            AudioTooLongError: one of the limits is passed.
        """
        if seconds > self.max_audio_seconds + _PADDING_SECONDS:
            raise AudioTooLongError(f"The recording plays longer than {self.max_audio_seconds:g} s.")
        if samples > self.max_samples:
            raise AudioTooLongError(
                f"The recording decodes to more than {self.max_samples} samples in all of its channels."
            )


def check_shape(channels: int, sample_rate: int) -> None:
    """Refuse what no microphone records.

    Raises:
        UndecodableAudioError: channels or sample rate (Hz) are absurd.
    """
    if not 1 <= channels <= MAX_CHANNELS:
        raise UndecodableAudioError(
            f"The recording has {channels} channels; 1 to {MAX_CHANNELS} are accepted."
        )
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise UndecodableAudioError(
            f"The recording has a sample rate of {sample_rate} Hz; "
            f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz are accepted."
        )
