"""Formats of subtitles: WebVTT and SubRip."""

from domain.model.transcripts import Transcript
from domain.services.subtitles.cues import Cue, cues_of

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ARROW = "-->"


def webvtt(transcript: Transcript) -> str:
    """Write a transcript as WebVTT; speakers, channels and tracks are its voices."""
    return "\n".join(["WEBVTT\n", *map(_webvtt_cue, cues_of(transcript))])


def subrip(transcript: Transcript) -> str:
    """Write a transcript as SubRip, which has no escapes and no voices: the text names them."""
    cues = cues_of(transcript, with_labels=True)
    return "\n".join(_subrip_cue(number, cue) for number, cue in enumerate(cues, start=1))


def _webvtt_cue(cue: Cue) -> str:
    voice = f"<v {cue.voice.translate(_ESCAPES)}>" if cue.voice else ""
    text = "\n".join(cue.lines).translate(_ESCAPES)
    return f"{_times(cue, '.')}\n{voice}{text}\n"


def _subrip_cue(number: int, cue: Cue) -> str:
    text = "\n".join(cue.lines).replace(_ARROW, "→")
    return f"{number}\n{_times(cue, ',')}\n{text}\n"


def _times(cue: Cue, point: str) -> str:
    return f" {_ARROW} ".join(_time(moment, point) for moment in (cue.start, cue.end))


def _time(moment: int, point: str) -> str:
    """Write hours, of which there may be more than 99, minutes, seconds and milliseconds."""
    seconds, thousandths = divmod(moment, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{thousandths:03}"
