import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from threading import Event

import pytest

from adapters.openai.access import OpenAiAccess
from adapters.openai.models import ResponseFormat, model_named
from adapters.openai.recogniser import OpenAiRecogniser, time_limit
from domain.model.errors import (
    TranscriberBusyError,
    TranscriberCrashedError,
    TranscriberUnavailableError,
    TranscriptionError,
)
from domain.model.speech import MAX_UNIT_SECONDS, HeardUnit, SpeechUnit
from ports.recogniser_port import Hints, RecogniserPort
from tests.contracts.recogniser_port import RecogniserPortContract
from tests.support.doubles.speech import unit_of
from tests.support.harness.loopback import use_proxy
from tests.support.harness.service import eventually
from tests.support.openai.server import (
    KEY,
    MAX_FILE_BYTES,
    MAX_FILE_SECONDS,
    OpenAiServer,
    Reply,
    openai_server,
    refusal,
    reply,
)

pytestmark = pytest.mark.slow

SPOKEN = "the merger is on friday"
NO_HINTS = Hints()


def recogniser_for(
    access: OpenAiAccess,
    model: str = "whisper-1",
    *,
    places: int = 1,
    limit: Callable[[SpeechUnit], float] = time_limit,
    response_format: ResponseFormat | None = None,
) -> OpenAiRecogniser:
    return OpenAiRecogniser(
        access, model_named(model, response_format), requests=places, pause=lambda _: 0.0, time_limit=limit
    )


@contextlib.asynccontextmanager
async def running(access: OpenAiAccess, model: str = "whisper-1") -> AsyncIterator[OpenAiRecogniser]:
    recogniser = recogniser_for(access, model)
    recogniser.start()
    try:
        yield recogniser
    finally:
        await recogniser.stop()


async def heard(
    access: OpenAiAccess, model: str = "whisper-1", hints: Hints = NO_HINTS, *, again: bool = False
) -> HeardUnit:
    recogniser = recogniser_for(access, model)
    try:
        return await recogniser.recognise(unit_of(seconds=12.0), hints, recording="one", again=again)
    finally:
        await recogniser.stop()


async def failure(access: OpenAiAccess, kind: type[TranscriptionError]) -> str:
    with pytest.raises(kind) as refused:
        await heard(access, "gpt-transcribe")
    assert type(refused.value) is kind
    assert refused.value.__cause__ is None, "the SDK's error would repeat what the server said"
    assert refused.value.__context__ is None
    message = str(refused.value)
    assert KEY not in message
    assert SPOKEN not in message
    assert access.host in message
    assert "transcription with gpt-transcribe" in message
    return message


@pytest.mark.parametrize("model", ["whisper-1", "gpt-transcribe"])
class TestOpenAiRecogniser(RecogniserPortContract):
    @pytest.fixture(autouse=True)
    def _choose(self, model: str) -> None:
        self.model = model

    @contextlib.asynccontextmanager
    async def running(self, places: int) -> AsyncIterator[RecogniserPort]:
        with openai_server() as server:
            recogniser = recogniser_for(OpenAiAccess(server.url, KEY), self.model, places=places)
            recogniser.start()
            try:
                yield recogniser
                assert server.most_at_work <= places
            finally:
                await recogniser.stop()

    @contextlib.asynccontextmanager
    async def broken(self) -> AsyncIterator[RecogniserPort]:
        with openai_server() as server:
            recogniser = recogniser_for(OpenAiAccess(server.url, "sk-of-another-account"), self.model)
            recogniser.start()
            try:
                yield recogniser
            finally:
                await recogniser.stop()


async def test_a_unit_is_sent_as_flac_with_a_file_name_and_a_content_type(
    server: OpenAiServer, access: OpenAiAccess
) -> None:
    unit = unit_of(seconds=12.5, sound=7)
    async with running(access) as recogniser:
        await recogniser.recognise(unit, Hints(), recording="one")

    (request,) = server.requests
    assert request.samples == unit.samples
    assert request.file.startswith(b"fLaC")
    assert request.file_name.endswith(".flac")
    assert request.content_type == "audio/flac"
    assert request.field("model") == "whisper-1"


async def test_the_longest_unit_stays_far_below_both_limits_of_the_service(
    server: OpenAiServer, access: OpenAiAccess
) -> None:
    noise = bytes(range(256)) * 125 * 30  # 30 s that hardly compress
    async with running(access) as recogniser:
        await recogniser.recognise(SpeechUnit(0, noise, ((0, len(noise) // 2),)), Hints(), recording="one")

    (request,) = server.requests
    assert request.seconds == MAX_UNIT_SECONDS
    assert len(request.file) <= 0.98 * MAX_FILE_BYTES
    assert request.seconds <= 0.98 * MAX_FILE_SECONDS


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (
            "gpt-transcribe",
            {"response_format": ["json"], "languages[]": ["en"], "keywords[]": ["Ada", "Ohm"]},
        ),
        ("gpt-4o-transcribe", {"response_format": ["json"], "language": ["en"], "prompt": ["Ada, Ohm"]}),
        ("gpt-4o-transcribe-diarize", {"response_format": ["diarized_json"], "language": ["en"]}),
        (
            "whisper-1",
            {
                "response_format": ["verbose_json"],
                "timestamp_granularities[]": ["word", "segment"],
                "language": ["en"],
                "prompt": ["Ada, Ohm"],
            },
        ),
        ("a-model-of-my-own", {"response_format": ["json"], "language": ["en"]}),
    ],
)
async def test_each_model_is_asked_with_the_fields_that_it_knows(
    server: OpenAiServer, access: OpenAiAccess, model: str, fields: dict[str, list[str]]
) -> None:
    server.models = (model,)

    await heard(access, model, Hints("en", ("Ada", "Ohm", "Ada")))

    assert server.requests[0].fields == {"model": [model], **fields}


async def test_a_term_that_would_have_the_request_refused_is_cleaned(
    server: OpenAiServer, access: OpenAiAccess
) -> None:
    await heard(access, "gpt-transcribe", Hints(None, ("<b>Ada\nLovelace</b>", "\u2028 <> ", "Ohm")))

    assert server.requests[0].fields["keywords[]"] == ["b Ada Lovelace /b", "Ohm"]


async def test_the_second_try_asks_for_the_text_alone(server: OpenAiServer, access: OpenAiAccess) -> None:
    await heard(access, hints=Hints("en", ("Ada",)), again=True)

    assert server.requests[0].fields == {
        "model": ["whisper-1"],
        "response_format": ["json"],
        "language": ["en"],
    }


async def test_an_operator_who_knows_what_the_server_can_do_gets_words_of_an_unknown_model(
    server: OpenAiServer, access: OpenAiAccess
) -> None:
    server.models = ("Systran/faster-whisper-large-v3",)
    recogniser = recogniser_for(
        access, "Systran/faster-whisper-large-v3", response_format=ResponseFormat.VERBOSE_JSON
    )

    answer = await recogniser.recognise(unit_of(), Hints(), recording="one")
    await recogniser.stop()

    assert answer.segments[0].words


@pytest.mark.parametrize(
    "hindrance",
    [refusal(429, "rate_limit_exceeded", retry_after="0"), refusal(500, "server_error"), Reply(b"", 503)],
)
async def test_a_request_that_fails_for_the_moment_is_sent_again(
    server: OpenAiServer, access: OpenAiAccess, hindrance: Reply
) -> None:
    server.next.extend([hindrance, hindrance])

    answer = await heard(access)

    assert answer.text
    assert len(server.requests) == 3
    assert len({request.file for request in server.requests}) == 1


async def test_a_lost_connection_is_no_answer(server: OpenAiServer, access: OpenAiAccess) -> None:
    server.next.append(Reply(b'{"text": "the mer', declared_length=1000))

    assert (await heard(access)).text
    assert len(server.requests) == 2


async def test_a_server_that_stays_busy_is_named_as_such_with_its_own_time(
    server: OpenAiServer, access: OpenAiAccess
) -> None:
    server.next.extend([refusal(429, "rate_limit_exceeded", SPOKEN, retry_after="3600")])

    with pytest.raises(TranscriberBusyError) as busy:
        await heard(access)

    assert busy.value.retry_after_seconds == 3600
    assert len(server.requests) == 1, "an hour is longer than a unit may take"


async def test_a_server_that_always_fails_is_given_up(server: OpenAiServer, access: OpenAiAccess) -> None:
    server.next.extend([refusal(500, "server_error", SPOKEN)] * 50)

    message = await failure(access, TranscriberUnavailableError)

    assert "HTTP 500, server_error" in message
    assert 1 < len(server.requests) < 20


async def test_a_refused_key_is_named_without_the_key(server: OpenAiServer, access: OpenAiAccess) -> None:
    del server
    wrong = replace(access, api_key=f"{KEY}-wrong")

    message = await failure(wrong, TranscriberUnavailableError)

    assert message.endswith("(HTTP 401, invalid_api_key): check OPENAI_API_KEY.")


async def test_an_unknown_model_is_named_with_its_remedy(server: OpenAiServer, access: OpenAiAccess) -> None:
    server.models = ("another",)

    message = await failure(access, TranscriberUnavailableError)

    assert "HTTP 404, model_not_found" in message
    assert "check the name of the model" in message


async def test_an_account_without_credit_is_not_asked_again(
    server: OpenAiServer, access: OpenAiAccess
) -> None:
    server.next.append(refusal(429, "insufficient_quota", SPOKEN))

    message = await failure(access, TranscriberUnavailableError)

    assert "no credit" in message
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (Reply(b"<html>Please log in.</html>", content_type="text/html; charset=utf-8"), "text/html"),
        (Reply(f'{{"text": "{SPOKEN}'.encode()), "application/json"),
        (Reply(b"", content_type=SPOKEN), "of an unknown type"),
        (reply({"error": {"message": SPOKEN}}), "without a text"),
        (reply([SPOKEN]), "without a text"),
    ],
)
async def test_an_answer_that_is_none_is_described_and_not_repeated(
    server: OpenAiServer, access: OpenAiAccess, broken: Reply, found: str
) -> None:
    server.next.append(broken)

    assert found in await failure(access, TranscriberCrashedError)


async def test_a_server_on_this_machine_is_asked_without_a_proxy(
    access: OpenAiAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_proxy(monkeypatch, "http://127.0.0.1:9")

    assert (await heard(access)).text


async def test_a_server_that_is_not_there_is_named(access: OpenAiAccess) -> None:
    nowhere = replace(access, base_url="http://127.0.0.1:9/v1")

    assert "cannot be reached" in await failure(nowhere, TranscriberUnavailableError)


def test_the_time_limit_grows_with_the_unit_and_admits_an_answer_after_121_seconds() -> None:
    limits = [time_limit(unit_of(seconds=seconds)) for seconds in (0.5, 12.0, 28.0, 30.0)]

    assert limits == sorted(limits)
    assert limits[0] >= 120
    assert limits[2] > 121
    assert limits[3] >= 2.5 * 30


async def test_an_answer_that_comes_too_late_is_none_and_the_request_is_sent_once_more(
    server: OpenAiServer, access: OpenAiAccess
) -> None:
    server.next.extend([replace(reply({"text": "late"}), after=server.stopped)] * 5)
    recogniser = recogniser_for(access, limit=lambda _: 0.3)

    with pytest.raises(TranscriberUnavailableError, match="in time"):
        await recogniser.recognise(unit_of(), Hints(), recording="one")
    server.stopped.set()
    await recogniser.stop()

    assert 1 <= len(server.requests) <= 3


async def test_a_call_that_is_cancelled_frees_its_place_though_the_server_is_silent(
    server: OpenAiServer, access: OpenAiAccess
) -> None:
    never = Event()
    server.next.append(replace(reply({"text": "late"}), after=never))
    async with running(access) as recogniser:
        call = asyncio.ensure_future(recogniser.recognise(unit_of(), Hints(), recording="one"))
        await eventually(lambda: server.requests)
        call.cancel()
        await asyncio.wait([call])

        assert (await recogniser.recognise(unit_of(), Hints(), recording="two")).text
        never.set()


async def test_a_service_that_comes_back_is_ready_again(server: OpenAiServer, access: OpenAiAccess) -> None:
    async with running(access) as recogniser:
        await eventually(lambda: recogniser.slots().ready == 1)
        server.next.append(refusal(403, "permission_denied"))

        with pytest.raises(TranscriberUnavailableError):
            await recogniser.recognise(unit_of(), Hints(), recording="one")

        await eventually(lambda: recogniser.slots().ready == 1)
        assert recogniser.slots().problem is None
        assert server.model_lists >= 2


async def test_a_server_without_a_list_of_models_is_ready(server: OpenAiServer, access: OpenAiAccess) -> None:
    server.models = None
    async with running(access) as recogniser:
        assert (await recogniser.engine()).name == "openai"


@pytest.mark.parametrize(
    ("url", "model", "warns"),
    [
        ("https://api.openai.com/v1", "whisper-1", True),
        ("https://eu.api.openai.com/v1", "gpt-4o-transcribe", True),
        ("https://api.openai.com/v1", "gpt-transcribe", False),
        ("https://speech.internal/v1", "whisper-1", False),
        ("https://notopenai.com/v1", "whisper-1", False),
    ],
)
async def test_the_start_warns_of_a_model_that_openai_ends(
    caplog: pytest.LogCaptureFixture, url: str, model: str, *, warns: bool
) -> None:
    recogniser = recogniser_for(OpenAiAccess(url, KEY), model)
    with caplog.at_level(logging.WARNING):
        recogniser.start()
        await recogniser.stop()  # before it asks

    assert ("26 February 2027" in caplog.text) == warns


async def test_neither_key_nor_text_is_in_the_log(
    server: OpenAiServer, access: OpenAiAccess, caplog: pytest.LogCaptureFixture
) -> None:
    server.next.extend([refusal(500, SPOKEN, f"{SPOKEN} {KEY}"), reply({"text": SPOKEN})])

    with caplog.at_level(logging.DEBUG):
        assert (await heard(access)).text == SPOKEN

    assert "sending it again" in caplog.text
    assert SPOKEN not in caplog.text
    assert KEY not in caplog.text
