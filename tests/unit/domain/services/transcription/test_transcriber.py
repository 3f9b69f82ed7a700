"""Transcriber by units: recordings are read, spread over an engine's places, and joined in order."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from domain.model.engines import EngineDescription
from domain.model.errors import (
    NotAudioError,
    TranscriberBusyError,
    TranscriberCrashedError,
    TranscriberUnavailableError,
    TranscriptionTooCostlyError,
    UnsupportedOptionError,
)
from domain.model.result_warnings import ResultWarning, WarningCode
from domain.model.speech import HeardSegment, HeardUnit
from domain.model.transcripts import Channels, Provenance, Quality, Transcript, TranscriptionOptions
from domain.services.transcription.transcriber import UNITS_AHEAD, UnitTranscriber
from ports.recogniser_port import Hints
from ports.speech_source_port import Reading, SoundSummary
from ports.transcriber_port import Progress
from tests.support.doubles.speech import (
    FakeRecogniser,
    FakeSpeechSource,
    UnitCall,
    alphabet,
    heard,
    unit_of,
    write_reading,
)
from tests.support.harness.service import eventually

LENGTH_DIFFERS = ResultWarning(code=WarningCode.LENGTH_DIFFERS, detail="It is shorter than it says.")


class Harness:
    """A transcriber on doubles, and the recordings that it reads."""

    def __init__(
        self,
        folder: Path,
        recogniser: FakeRecogniser | None = None,
        *,
        waiting_room: int = 8,
        language: str | None = None,
    ) -> None:
        self._folder = folder
        self.recogniser = recogniser or FakeRecogniser(places=2)
        self.source = FakeSpeechSource(places=2)
        self.transcriber = UnitTranscriber(
            self.source, self.recogniser, waiting_room=waiting_room, language=language
        )
        self.progress: list[Progress] = []

    def record(self, *steps: Reading | Exception, name: str = "recording") -> Path:
        return write_reading(self._folder / name, *steps)

    async def transcribe(
        self, *steps: Reading | Exception, options: TranscriptionOptions | None = None
    ) -> Transcript:
        return await self.transcriber.transcribe(
            self.record(*steps),
            options=options or TranscriptionOptions(),
            on_progress=self.progress.append,
        )


def minutes(count: int) -> list[Reading]:
    """Read units of 20 s with progress between them, and their summary."""
    steps: list[Reading] = []
    total = count * 60.0
    for number in range(count * 3):
        steps += [Progress(number * 20.0 + 19.0, total), unit_of(number * 20.0, 20.0, sound=number + 1)]
    return [*steps, Progress(total, total), SoundSummary(total, is_audible=True)]


def by_sound(answers: dict[int, HeardUnit]) -> FakeRecogniser:
    """Build a recogniser that hears a given answer in the units with a value of their samples, else words."""

    def answer(call: UnitCall) -> HeardUnit:
        sound = int.from_bytes(call.unit.samples[:2], "little")
        return answers.get(sound) or alphabet(call)

    return FakeRecogniser(answer, places=2)


async def test_units_are_joined_in_their_order_with_the_times_of_the_recording(tmp_path: Path) -> None:
    transcript = await Harness(tmp_path).transcribe(*minutes(2))

    assert [segment.start for segment in transcript.segments] == [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    assert transcript.duration_seconds == 120.0
    assert transcript.text == " ".join(segment.text for segment in transcript.segments)
    moments = [moment for segment in transcript.segments for moment in (segment.start, segment.end)]
    assert moments == sorted(moments)


async def test_the_transcript_names_engine_model_language_and_quality(tmp_path: Path) -> None:
    transcript = await Harness(tmp_path).transcribe(*minutes(1))

    assert transcript.provenance == Provenance(
        engine="fake", model="alphabet", language="en", language_probability=0.9
    )
    assert transcript.quality == Quality(suspect_units=0, retried_units=0, coverage=1.0)


async def test_units_that_end_in_another_order_are_joined_in_their_own(tmp_path: Path) -> None:
    """The first answer comes last, while others already follow."""
    harness = Harness(tmp_path, FakeRecogniser(places=2))
    recogniser = harness.recogniser
    recogniser.may_answer.clear()
    working = asyncio.ensure_future(harness.transcribe(*minutes(1)))
    await eventually(lambda: recogniser.at_work == 2)
    recogniser.may_answer.set()

    in_turn = await Harness(tmp_path, FakeRecogniser(places=1)).transcribe(*minutes(1))

    assert await working == in_turn
    assert recogniser.most_at_work == 2


async def test_it_reads_no_further_ahead_than_the_engine_follows(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    harness.recogniser.may_answer.clear()
    working = asyncio.ensure_future(harness.transcribe(*minutes(40)))
    await eventually(lambda: harness.recogniser.at_work == 2)
    await eventually(lambda: harness.source.steps_read > UNITS_AHEAD)
    read = harness.source.steps_read

    assert read <= 2 * (UNITS_AHEAD * 2 + 1)  # a unit and a progress are a step each

    harness.recogniser.may_answer.set()
    assert len((await working).segments) == 120


async def test_a_recording_without_speech_is_an_empty_transcript(tmp_path: Path) -> None:
    silent = await Harness(tmp_path).transcribe(Progress(5.0, 5.0), SoundSummary(5.0, is_audible=False))
    noisy = await Harness(tmp_path).transcribe(SoundSummary(5.0, is_audible=True))

    assert (silent.text, silent.segments, silent.warnings) == ("", (), ())
    assert silent.provenance == Provenance(engine="fake", model="alphabet")
    assert silent.quality == Quality()
    assert [warning.code for warning in noisy.warnings] == [WarningCode.NO_WORDS_HEARD]


async def test_words_heard_in_noise_are_doubted_and_the_speech_behind_it_is_not(tmp_path: Path) -> None:
    """Four minutes of noise in which an engine hears the end of a film, then a minute of speech."""

    def answer(call: UnitCall) -> HeardUnit:
        is_noise = call.unit.start_seconds < 240
        return heard("Thanks for watching!", 20.0) if is_noise else alphabet(call)

    transcript = await Harness(tmp_path, FakeRecogniser(answer, places=2)).transcribe(*minutes(5))

    believed = [segment.start for segment in transcript.segments if not segment.is_doubtful]
    assert believed == [240.0, 260.0, 280.0]
    assert transcript.quality.retried_units == transcript.quality.suspect_units == 12


async def test_noise_in_which_no_words_are_heard_leaves_no_segment(tmp_path: Path) -> None:
    def answer(call: UnitCall) -> HeardUnit:
        return HeardUnit() if call.unit.start_seconds < 240 else alphabet(call)

    transcript = await Harness(tmp_path, FakeRecogniser(answer, places=2)).transcribe(*minutes(5))

    assert [segment.start for segment in transcript.segments] == [240.0, 260.0, 280.0]
    assert transcript.quality == Quality(suspect_units=12, retried_units=12, coverage=0.2)


async def test_an_engine_that_loops_is_doubted_in_its_unit_alone(tmp_path: Path) -> None:
    loop = heard("thank you so much " * 20, 20.0)

    transcript = await Harness(tmp_path, by_sound({2: loop})).transcribe(*minutes(1))

    assert [segment.is_doubtful for segment in transcript.segments] == [False, True, False]
    assert transcript.segments[1].text == "thank you so much"
    assert transcript.quality.suspect_units == transcript.quality.retried_units == 1
    assert transcript.quality.coverage < 0.9


async def test_speech_without_words_lowers_the_coverage(tmp_path: Path) -> None:
    transcript = await Harness(tmp_path, by_sound({1: HeardUnit()})).transcribe(*minutes(1))

    assert transcript.quality == Quality(suspect_units=1, retried_units=1, coverage=0.667)
    assert len(transcript.segments) == 2


async def test_an_engine_that_drops_the_end_of_each_unit_is_noticed_and_mended(tmp_path: Path) -> None:
    def answer(call: UnitCall) -> HeardUnit:
        words = alphabet(call).segments[0].words
        kept = words if call.again else words[:-12]
        text = " ".join(word.text for word in kept)
        return HeardUnit(segments=(HeardSegment(start=0.0, end=kept[-1].end, text=text, words=kept),))

    transcript = await Harness(tmp_path, FakeRecogniser(answer)).transcribe(*minutes(1))

    complete = await Harness(tmp_path).transcribe(*minutes(1))
    assert transcript.text == complete.text
    assert transcript.quality == Quality(suspect_units=0, retried_units=3, coverage=1.0)


async def test_an_engine_that_names_times_beyond_its_units_is_held_to_them(tmp_path: Path) -> None:
    def answer(call: UnitCall) -> HeardUnit:
        words = alphabet(call).segments[0].words
        return HeardUnit(
            segments=(
                HeardSegment(start=-3.0, end=30.02, text=words[0].text),
                HeardSegment(start=40.0, end=2.0, text=words[1].text),
            )
        )

    transcript = await Harness(tmp_path, FakeRecogniser(answer)).transcribe(*minutes(1))

    assert len(transcript.segments) == 6
    assert all(before.end <= after.start for before, after in pairwise(transcript.segments))
    assert transcript.segments[-1].end <= transcript.duration_seconds


async def test_a_unit_whose_engine_died_is_recognised_again_and_the_text_is_complete(tmp_path: Path) -> None:
    def answer(call: UnitCall) -> HeardUnit:
        if not call.again and call.unit.start_seconds == 40.0:
            raise TranscriberCrashedError("killed")
        return alphabet(call)

    transcript = await Harness(tmp_path, FakeRecogniser(answer, places=2)).transcribe(*minutes(2))

    assert transcript.text == (await Harness(tmp_path).transcribe(*minutes(2))).text
    assert transcript.quality.retried_units == 1


async def test_an_engine_that_goes_silent_in_mid_run_is_asked_again_and_the_text_is_complete(
    tmp_path: Path,
) -> None:
    def answer(call: UnitCall) -> HeardUnit:
        is_silent = call.unit.start_seconds >= 60 and not call.again
        return HeardUnit() if is_silent else alphabet(call)

    transcript = await Harness(tmp_path, FakeRecogniser(answer, places=2)).transcribe(*minutes(2))

    assert transcript.text == (await Harness(tmp_path).transcribe(*minutes(2))).text
    assert transcript.quality == Quality(suspect_units=0, retried_units=3, coverage=1.0)


@pytest.mark.parametrize(
    "error", [TranscriberCrashedError("killed"), TranscriptionTooCostlyError("too costly")]
)
async def test_an_error_of_the_engine_ends_all_work_on_the_recording(
    tmp_path: Path, error: Exception
) -> None:
    def answer(call: UnitCall) -> HeardUnit:
        if call.unit.start_seconds == 40.0:
            raise error
        return alphabet(call)

    harness = Harness(tmp_path, FakeRecogniser(answer, places=2))

    with pytest.raises(type(error), match=str(error)):
        await harness.transcribe(*minutes(40))

    assert harness.source.open == []
    assert harness.recogniser.at_work == 0
    assert harness.transcriber.state().admitted == 0


async def test_an_error_of_the_recording_ends_its_units(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    harness.recogniser.may_answer.clear()

    with pytest.raises(NotAudioError, match="a zip"):
        await harness.transcribe(unit_of(), unit_of(10.0), NotAudioError("a zip"))

    assert harness.source.open == []
    assert harness.recogniser.at_work == 0


async def test_a_caller_who_hangs_up_ends_reading_and_recognition(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    harness.recogniser.may_answer.clear()
    working = asyncio.ensure_future(harness.transcribe(*minutes(40)))
    await eventually(lambda: harness.recogniser.at_work == 2)

    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
    assert harness.source.open == []
    assert harness.recogniser.at_work == 0
    assert harness.recogniser.cancelled == 2
    assert harness.transcriber.state().admitted == 0


async def test_options_reach_source_and_engine(tmp_path: Path) -> None:
    options = TranscriptionOptions(channels=Channels.SEPARATE, language="de", vocabulary=("Acme", "Zoë"))
    harness = Harness(tmp_path)

    await harness.transcribe(unit_of(channel=1), SoundSummary(10.0, is_audible=True), options=options)

    assert harness.source.options == [options]
    assert [call.hints for call in harness.recogniser.calls] == [Hints("de", ("Acme", "Zoë"))]


async def test_the_language_of_the_settings_counts_where_the_caller_names_none(tmp_path: Path) -> None:
    harness = Harness(tmp_path, language="de")
    named = TranscriptionOptions(language="en")

    await harness.transcribe(unit_of(), SoundSummary(10.0, is_audible=True))
    await harness.transcribe(unit_of(), SoundSummary(10.0, is_audible=True), options=named)

    assert [call.hints.language for call in harness.recogniser.calls] == ["de", "en"]


async def test_the_language_that_was_named_is_answered_where_the_engine_tells_none(tmp_path: Path) -> None:
    def answer(call: UnitCall) -> HeardUnit:
        return alphabet(call).model_copy(update={"language": None, "language_probability": None})

    transcript = await Harness(tmp_path, FakeRecogniser(answer), language="de").transcribe(*minutes(1))

    assert transcript.provenance is not None
    assert (transcript.provenance.language, transcript.provenance.language_probability) == ("de", None)


async def test_turns_of_two_channels_are_interleaved_and_keep_their_channel(tmp_path: Path) -> None:
    separate = TranscriptionOptions(channels=Channels.SEPARATE)
    turns = [
        *(unit_of(start, 10.0, channel=1, sound=1) for start in (0.0, 20.0)),
        *(unit_of(start, 10.0, channel=2, sound=2) for start in (10.0, 25.0)),
    ]

    transcript = await Harness(tmp_path).transcribe(
        *turns, SoundSummary(40.0, is_audible=True), options=separate
    )

    voices = [(segment.start, segment.channel) for segment in transcript.segments]
    assert voices == [(0.0, 1), (10.0, 2), (20.0, 1), (25.0, 2)]


async def test_a_recording_in_two_languages_has_a_warning(tmp_path: Path) -> None:
    recogniser = by_sound(
        {3: heard("guten tag meine damen und herren wie geht es ihnen", 20.0, language="de")}
    )

    transcript = await Harness(tmp_path, recogniser).transcribe(*minutes(1))

    (warning,) = transcript.warnings
    assert warning.code is WarningCode.SEVERAL_LANGUAGES
    assert "'en'" in warning.detail
    assert "de" in warning.detail
    assert transcript.provenance is not None
    assert transcript.provenance.language == "en"


async def test_a_mumbled_unit_is_recognised_again_in_the_language_of_the_recording(tmp_path: Path) -> None:
    mumbled = heard("hwyl fawr " * 3, 20.0, language="cy").model_copy(update={"language_probability": 0.3})

    def answer(call: UnitCall) -> HeardUnit:
        is_mumbled = call.unit.start_seconds == 80.0 and call.hints.language is None
        return mumbled if is_mumbled else alphabet(call)

    transcript = await Harness(tmp_path, FakeRecogniser(answer, places=2)).transcribe(*minutes(2))

    assert "hwyl" not in transcript.text
    assert transcript.warnings == ()
    assert transcript.quality == Quality(suspect_units=0, retried_units=1, coverage=1.0)


async def test_a_meeting_that_opens_in_another_language_keeps_both(tmp_path: Path) -> None:
    def answer(call: UnitCall) -> HeardUnit:
        own = "en" if call.unit.start_seconds < 300 else "nl"
        spoken = alphabet(call).model_copy(update={"language": call.hints.language or own})
        return spoken.model_copy(update={"language_probability": 0.5})

    harness = Harness(tmp_path, FakeRecogniser(answer, places=2))
    transcript = await harness.transcribe(*minutes(30))

    forced = [call.unit.start_seconds for call in harness.recogniser.calls if call.hints.language == "en"]
    assert transcript.provenance is not None
    assert transcript.provenance.language == "nl"
    assert [warning.code for warning in transcript.warnings] == [WarningCode.SEVERAL_LANGUAGES]
    assert forced == [300.0]


async def test_warnings_of_the_source_are_passed_on_once(tmp_path: Path) -> None:
    summary = SoundSummary(10.0, is_audible=True, warnings=(LENGTH_DIFFERS, LENGTH_DIFFERS))

    transcript = await Harness(tmp_path).transcribe(unit_of(), summary)

    assert transcript.warnings == (LENGTH_DIFFERS,)


async def test_progress_never_falls_and_ends_with_the_length(tmp_path: Path) -> None:
    harness = Harness(tmp_path)

    await harness.transcribe(*minutes(3))

    done = [progress.done_seconds for progress in harness.progress]
    assert done == sorted(done)
    assert harness.progress[-1] == Progress(180.0, 180.0)


async def test_a_language_that_the_model_does_not_know_is_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    harness = Harness(tmp_path)

    with pytest.raises(UnsupportedOptionError, match="does not know the language 'cy'; it knows de, en"):
        await harness.transcribe(*minutes(1), options=TranscriptionOptions(language="cy"))

    assert harness.source.options == []
    assert harness.transcriber.state().admitted == 0


async def test_a_language_of_the_settings_that_the_model_does_not_know_is_the_operators_fault(
    tmp_path: Path,
) -> None:
    harness = Harness(tmp_path, language="cy")

    with pytest.raises(TranscriberUnavailableError, match="TRANSCRIBER_LANGUAGE is 'cy', which the model"):
        await harness.transcribe(*minutes(1))

    assert harness.source.options == []
    assert (await harness.transcribe(*minutes(1), options=TranscriptionOptions(language="en"))).segments


async def test_an_engine_without_vocabulary_refuses_one(tmp_path: Path) -> None:
    plain = FakeRecogniser(engine=EngineDescription(name="plain", model="small"))

    with pytest.raises(UnsupportedOptionError, match="takes no vocabulary"):
        await Harness(tmp_path, plain).transcribe(
            *minutes(1), options=TranscriptionOptions(vocabulary=("Acme",))
        )


async def test_what_the_engine_cannot_do_is_refused_without_waiting_for_a_place(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    harness.recogniser.may_answer.clear()
    recording = harness.record(*minutes(1))
    at_work = [asyncio.ensure_future(harness.transcriber.transcribe(recording)) for _ in range(2)]
    await eventually(lambda: harness.recogniser.at_work == 2)

    with pytest.raises(UnsupportedOptionError):
        async with asyncio.timeout(60):
            await harness.transcriber.transcribe(recording, options=TranscriptionOptions(language="cy"))

    harness.recogniser.may_answer.set()
    await asyncio.gather(*at_work)


async def test_an_engine_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    harness = Harness(tmp_path)
    harness.recogniser.problem = "no model"

    with pytest.raises(TranscriberUnavailableError, match="no model"):
        await harness.transcribe(*minutes(1))

    state = harness.transcriber.state()
    assert (state.ready_slots, state.slots, state.problem, state.admitted) == (0, 2, "no model", 0)


async def test_recordings_wait_for_a_place_and_no_more_than_there_is_room_for(tmp_path: Path) -> None:
    harness = Harness(tmp_path, waiting_room=1)
    harness.recogniser.may_answer.clear()
    recording = harness.record(*minutes(3))
    at_work = [asyncio.ensure_future(harness.transcriber.transcribe(recording)) for _ in range(3)]
    await eventually(lambda: harness.transcriber.state().admitted == 3)

    with pytest.raises(TranscriberBusyError) as refusal:
        await harness.transcriber.transcribe(recording)
    with pytest.raises(TranscriberBusyError):
        harness.transcriber.check_capacity()
    assert refusal.value.retry_after_seconds >= 1
    await eventually(lambda: len(harness.source.open) == 2)

    harness.recogniser.may_answer.set()
    first, second, third = await asyncio.gather(*at_work)
    assert first == second == third
    assert harness.transcriber.state().admitted == 0


async def test_several_recordings_share_the_engine(tmp_path: Path) -> None:
    """A short recording is done while a long one is still at work."""
    harness = Harness(tmp_path)
    long = asyncio.ensure_future(harness.transcriber.transcribe(harness.record(*minutes(200), name="long")))
    await eventually(lambda: harness.recogniser.calls)

    await harness.transcriber.transcribe(harness.record(*minutes(1), name="short"))

    assert not long.done()
    assert len((await long).segments) == 600
