"""Declared length of a recording in seconds; a difference is worth a warning, and no more.

Declared are the size of a wav, the frames of an mp3 with a Xing or Info header, the samples of a flac or
aiff, the track length of an mp4 and the duration of a webm. Others (ogg, aac, amr, a live webm) declare none.
"""

from domain.model.errors import UndecodableAudioError
from domain.model.result_warnings import ResultWarning, WarningCode

_TOLERANCE_SECONDS, _TOLERANCE_SHARE = 0.5, 0.01
"""Tolerated difference, as encoders pad and round: the larger of both."""


def check_counted(declared: float | None, decoded: float) -> None:
    """Refuse a recording with less sound than its encoder counted; both lengths are in seconds.

    Raises:
        UndecodableAudioError: the decoded length is shorter than the counted one.
    """
    if declared is not None and declared - decoded > _tolerance(declared):
        raise UndecodableAudioError(
            f"The recording declares {declared:.1f} s, but only {decoded:.1f} s could be decoded: "
            "the recording is truncated."
        )


def length_warnings(declared: float | None, *, at_least: float, at_most: float) -> tuple[ResultWarning, ...]:
    """Warn of a header that declares another length than the sound and the pictures have; all in seconds."""
    if declared is None or at_least - _tolerance(at_least) <= declared <= at_most + _tolerance(declared):
        return ()
    detail = (
        f"The recording's header declares {declared:.1f} s, but the file holds {at_least:.1f} s of sound, "
        "all of which was transcribed. If sound is missing, send the original file."
    )
    return (ResultWarning(code=WarningCode.LENGTH_DIFFERS, detail=detail),)


def _tolerance(declared: float) -> float:
    return max(_TOLERANCE_SECONDS, declared * _TOLERANCE_SHARE)
