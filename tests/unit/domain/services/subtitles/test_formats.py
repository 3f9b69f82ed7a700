"""WebVTT and SubRip: any transcript gives valid, readable subtitles with all of its words."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.model.transcripts import Segment, Transcript, Word
from domain.services.subtitles.formats import subrip, webvtt
from tests.support.harness.subtitles import Shown, read_subrip, read_webvtt

WEBVTT = """WEBVTT

00:00:00.300 --> 00:00:03.100
<v Channel 1>um please open the the window

01:00:04.000 --> 01:00:05.000
<v Channel 2>R&amp;D said: a &lt; b --&gt; c
"""
SUBRIP = """1
00:00:00,300 --> 00:00:03,100
Channel 1: um please open the the window

2
01:00:04,000 --> 01:00:05,000
Channel 2: R&D said: a < b → c
"""
CALL = Transcript(
    duration_seconds=4000.0,
    segments=(
        Segment(start=0.3, end=3.1, text="um please open the the window", channel=1),
        Segment(start=3604.0, end=3604.2, text="R&D said: a < b --> c", channel=2),
    ),
)

TEXTS = st.one_of(
    st.text(max_size=60),
    st.text("ab ,.<>&-", max_size=120),
    st.lists(
        st.sampled_from(["so", "hello,", "-->", "&amp;", "<v", "Ende.", "x" * 50, "你好。"]), max_size=40
    ).map(" ".join),
)
TIMES = st.floats(0, 30).map(lambda seconds: round(seconds, 3))
NAMES = st.none() | st.text(max_size=50) | st.sampled_from(["A", "spk_0", "Zoë & Tom", "<b>", "-->"])


@st.composite
def words(draw: st.DrawFn, text: str, start: float, end: float) -> tuple[Word, ...]:
    """Time the words of a text, or others that an engine confused with them, or none."""
    tokens = draw(st.sampled_from([text.split(), [], text.split()[1:], ["other", "words"], ["", "-"]]))
    moments = sorted(start + (end - start) * draw(st.floats(0, 1)) for _ in range(2 * len(tokens)))
    return tuple(
        Word(start=moments[2 * number], end=moments[2 * number + 1], text=token)
        for number, token in enumerate(tokens)
    )


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    start, end = sorted((draw(TIMES), draw(TIMES)))
    text = " ".join(draw(TEXTS).split())
    channel = draw(st.none() | st.integers(1, 2))
    return Segment(
        start=start,
        end=end,
        text=text,
        words=draw(words(text, start, end)),
        speaker=draw(NAMES),
        channel=channel,
    )


TRANSCRIPTS = st.builds(
    lambda found: Transcript(
        duration_seconds=30.0, segments=tuple(sorted(found, key=lambda segment: segment.start))
    ),
    st.lists(segments(), max_size=6),
)
SIMULTANEOUS = Transcript(
    duration_seconds=1.0,
    segments=tuple(Segment(start=1.0, end=1.0, text=f"word {number}") for number in range(50)),
)


def letters(text: str) -> str:
    """Keep what is neither space nor a control character."""
    return "".join(sorted(letter for letter in text if not letter.isspace() and letter.isprintable()))


def spoken(transcript: Transcript) -> str:
    return letters(transcript.text)


def test_a_call_in_webvtt() -> None:
    assert webvtt(CALL) == WEBVTT


def test_a_call_in_subrip() -> None:
    assert subrip(CALL) == SUBRIP


def test_without_speech_there_are_no_cues() -> None:
    silence = Transcript(duration_seconds=5.0)

    assert (webvtt(silence), subrip(silence)) == ("WEBVTT\n", "")
    assert read_webvtt(webvtt(silence)) == read_subrip(subrip(silence)) == []


def test_hours_may_exceed_99() -> None:
    late = Transcript(
        duration_seconds=500_000.0, segments=(Segment(start=360_000.0, end=360_001.0, text="still here"),)
    )

    assert "100:00:00,000 --> 100:00:01,000" in subrip(late)
    assert read_webvtt(webvtt(late)) == [Shown(360_000_000, 360_001_000, ("still here",))]


@given(TRANSCRIPTS)
@example(SIMULTANEOUS)
def test_any_transcript_gives_valid_webvtt_with_all_words(transcript: Transcript) -> None:
    shown = read_webvtt(webvtt(transcript))

    assert letters("".join(cue.text for cue in shown)) == spoken(transcript)


@given(TRANSCRIPTS)
@example(SIMULTANEOUS)
def test_any_transcript_gives_valid_subrip(transcript: Transcript) -> None:
    shown = read_subrip(subrip(transcript))

    words = [word for word in transcript.text.split() if word.isprintable()]
    assert len("".join(cue.text for cue in shown)) >= len(words)


@given(NAMES)
def test_a_voice_is_named_as_the_engine_names_it(name: str | None) -> None:
    transcript = Transcript(
        duration_seconds=2.0, segments=(Segment(start=0.0, end=1.0, text="hello", speaker=name),)
    )

    (cue,) = read_webvtt(webvtt(transcript))

    assert letters(cue.voice or "") == letters(name or "")


@pytest.mark.parametrize(
    ("segment", "voice"),
    [
        (Segment(start=0.0, end=1.0, text="a"), None),
        (Segment(start=0.0, end=1.0, text="a", speaker="spk_0"), "spk_0"),
        (Segment(start=0.0, end=1.0, text="a", channel=2), "Channel 2"),
        (Segment(start=0.0, end=1.0, text="a", track=1, channel=2, speaker="A"), "Track 1, Channel 2, A"),
    ],
)
def test_voices_are_speakers_channels_and_tracks(segment: Segment, voice: str | None) -> None:
    (cue,) = read_webvtt(webvtt(Transcript(duration_seconds=1.0, segments=(segment,))))

    assert cue.voice == voice


def test_marks_of_the_format_are_shown_and_not_obeyed() -> None:
    text = "<c.red>a & b</c> &nbsp; -->"
    transcript = Transcript(duration_seconds=5.0, segments=(Segment(start=0.0, end=4.0, text=text),))

    (cue,) = read_webvtt(webvtt(transcript))

    assert cue.text == text
