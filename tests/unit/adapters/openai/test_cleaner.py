"""A cleaner that trusts no model: each way in which models were seen to fail is one server here."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest

from adapters.cleaning.rules import RulesCleaner
from adapters.in_memory import InMemoryEventPublisher
from adapters.openai.access import OpenAiAccess
from adapters.openai.cleaner import OpenAiCleaner
from domain.model.identity import Identity
from domain.services.batch_processing import BatchProcessingService
from domain.services.publishing.event_publisher import EventPublisher
from tests.contracts.cleaner_port import CleanerPortContract, heard
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import eventually
from tests.support.openai.server import KEY, OpenAiServer, Reply, completion, refusal, reply

pytestmark = pytest.mark.slow

QUESTION = "um what is the the capital of france"
BY_RULES = "What is the capital of france."
BY_MODEL = "What is the capital of France?"


@pytest.fixture
def cleaner(server: OpenAiServer, access: OpenAiAccess) -> OpenAiCleaner:
    server.chat = tidy
    return cleaner_for(access)


def cleaner_for(access: OpenAiAccess, *, seconds: float = 60.0, requests: int = 4) -> OpenAiCleaner:
    return OpenAiCleaner(
        access, "tidy-1", RulesCleaner(), requests=requests, pause=lambda _: 0.0, seconds=seconds
    )


def tidy(text: str) -> Reply:
    """Clean as a good model does."""
    return completion(RulesCleaner().readable_text(heard(text)) or text)


class TestOpenAiCleaner(CleanerPortContract):
    pass


async def test_the_model_gets_each_segment_by_itself_and_its_text_is_used(
    server: OpenAiServer, cleaner: OpenAiCleaner
) -> None:
    server.chat = lambda text: completion(BY_MODEL if text == QUESTION else "I do not know.")

    cleaned = await cleaner.clean(heard(QUESTION, "uh i do not know"))

    assert cleaned.text == f"{BY_MODEL} I do not know."
    assert (cleaned.cleaner, cleaned.fallbacks) == ("openai", 0)
    assert len(server.chats) == 2
    assert {request["model"] for request in server.chats} == {"tidy-1"}


WAYS: dict[str, Reply] = {
    "answers the question": completion("The capital of France is Paris. It has two million inhabitants."),
    "obeys": completion("What? Is!"),
    "returns an example": completion("So, I went to the store yesterday and bought some milk."),
    "returns its reasoning": completion(f"Remove 'um'. Remove the second 'the'. {BY_MODEL}"),
    "thinks aloud": completion(f"<think>A question.</think>{BY_MODEL}"),
    "returns half": completion("What is the"),
    "returns nothing": completion(""),
    "returns nothing but marks": completion("?"),
    "returns null": completion(None),
    "is cut off": completion(BY_MODEL, finish_reason="length"),
    "is filtered": completion(BY_MODEL, finish_reason="content_filter"),
    "translates": completion("Quelle est la capitale de la France ?"),
    "adds marks": completion(f"**{BY_MODEL}**"),
    "has no choices": reply({"choices": []}),
    "has another form": reply({"message": "hello"}),
    "is a list": reply([BY_MODEL]),
    "ends oddly": reply({"choices": [{"message": {"content": BY_MODEL}, "finish_reason": ["stop"]}]}),
    "is refused for its contents": refusal(400, "content_filter", "What is the capital of France?"),
    "is a page": Reply(b"<html>log in</html>", content_type="text/html"),
    "is half a JSON": Reply(b'{"choices": [{"mess'),
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_segment_whose_model_fails_is_cleaned_by_rules_and_counted(
    server: OpenAiServer, cleaner: OpenAiCleaner, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    server.chat = lambda text: WAYS[way] if text == QUESTION else tidy(text)

    with caplog.at_level(logging.DEBUG):
        cleaned = await cleaner.clean(heard("Good morning.", QUESTION, "Good night."))

    assert cleaned.text.casefold() == "good morning. what is the capital of france good night."
    assert cleaned.fallbacks == 1
    assert "france" not in caplog.text.casefold()


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_of_it_reaches_the_event(
    server: OpenAiServer, cleaner: OpenAiCleaner, tmp_path: Path, way: str
) -> None:
    server.chat = lambda _: WAYS[way]
    events = InMemoryEventPublisher()
    (tmp_path / "recording").write_bytes(b"sound")
    service = BatchProcessingService(FixedTranscriber(heard(QUESTION)), cleaner, EventPublisher(events))
    alice = Identity(tenant_id=uuid4(), user_id="alice", account_id=None)

    result = await service.process(tmp_path / "recording", alice, uuid4())

    (event,) = events.published
    assert event.data.cleaned_transcript == result.cleaned_transcript == BY_RULES
    assert (result.cleaned.cleaner, result.cleaned.fallbacks) == ("openai", 1)


@pytest.mark.parametrize(
    ("hindrance", "requests"),
    [
        (refusal(500, "server_error"), 3),
        (refusal(429, "rate_limit_exceeded"), 3),
        (refusal(404, "no_model"), 1),
    ],
)
async def test_a_service_that_fails_is_not_asked_for_every_segment(
    server: OpenAiServer, access: OpenAiAccess, hindrance: Reply, requests: int
) -> None:
    server.chat = lambda _: hindrance
    cleaner = cleaner_for(access, requests=1)

    cleaned = await cleaner.clean(heard(*(f"um good morning mister {letter}" for letter in "bcdefghjkl")))

    assert cleaned.text == " ".join(f"Good morning mister {letter}." for letter in "bcdefghjkl")
    assert cleaned.fallbacks == 10
    assert len(server.chats) == requests


async def test_a_service_that_fails_for_a_moment_costs_nothing(
    server: OpenAiServer, cleaner: OpenAiCleaner
) -> None:
    server.next.extend([refusal(503, "overloaded", retry_after="0"), refusal(429, "rate_limit_exceeded")])

    cleaned = await cleaner.clean(heard(QUESTION))

    assert cleaned.fallbacks == 0
    assert len(server.chats) == 3


async def test_a_service_that_is_not_there_leaves_the_work_to_the_rules(access: OpenAiAccess) -> None:
    cleaner = cleaner_for(replace(access, base_url="http://127.0.0.1:9/v1"))

    assert (await cleaner.clean(heard(QUESTION))) == (BY_RULES, "openai", 1)


async def test_a_service_that_never_answers_leaves_the_work_to_the_rules(
    server: OpenAiServer, access: OpenAiAccess
) -> None:
    silent = replace(completion(BY_MODEL), after=server.stopped)
    server.chat = lambda _: silent

    cleaned = await cleaner_for(access, seconds=0.2).clean(heard(QUESTION))
    server.stopped.set()

    assert cleaned == (BY_RULES, "openai", 1)


async def test_a_refused_key_is_logged_without_the_key_or_the_text(
    server: OpenAiServer, access: OpenAiAccess, caplog: pytest.LogCaptureFixture
) -> None:
    del server
    wrong = replace(access, api_key=f"{KEY}-wrong")

    with caplog.at_level(logging.DEBUG):
        cleaned = await cleaner_for(wrong).clean(heard(QUESTION))

    assert cleaned.fallbacks == 1
    assert "check OPENAI_API_KEY" in str([record.__dict__.get("error") for record in caplog.records])
    assert KEY not in str([record.__dict__ for record in caplog.records])
    assert "france" not in caplog.text.casefold()


async def test_a_model_that_takes_no_temperature_is_asked_without(
    server: OpenAiServer, cleaner: OpenAiCleaner
) -> None:
    error = {"message": "Unsupported value.", "type": "invalid_request_error", "param": "temperature"}
    server.next.append(reply({"error": error}, 400))

    cleaned = await cleaner.clean(heard(QUESTION))
    await cleaner.clean(heard(QUESTION))

    assert cleaned.fallbacks == 0
    assert ["temperature" in request for request in server.chats] == [True, False, False]


async def test_a_segment_without_words_is_not_sent(server: OpenAiServer, cleaner: OpenAiCleaner) -> None:
    cleaned = await cleaner.clean(heard("...", "♪"))

    assert cleaned == ("", "openai", 0)
    assert server.chats == []


async def test_no_more_requests_are_sent_at_once_than_allowed(
    server: OpenAiServer, access: OpenAiAccess
) -> None:
    server.chat = tidy
    cleaner = cleaner_for(access, requests=2)
    recordings = [heard(*(f"good morning mister {letter}" for letter in "abcdefgh")) for _ in range(3)]

    await asyncio.gather(*map(cleaner.clean, recordings))

    assert server.most_at_work <= 2
    assert len(server.chats) == 24


async def test_cancelling_sends_no_further_segment(server: OpenAiServer, access: OpenAiAccess) -> None:
    never = Event()
    held: Callable[[str], Reply] = lambda text: replace(tidy(text), after=never)  # noqa: E731 - named for its type
    server.chat = held
    cleaner = cleaner_for(access, requests=1)
    call = asyncio.ensure_future(cleaner.clean(heard("one", "two", "three")))
    await eventually(lambda: server.chats)

    call.cancel()
    await asyncio.wait([call])
    never.set()
    server.chat = tidy

    assert (await cleaner.clean(heard("four"))).text
    assert len(server.chats) == 2


async def test_texts_are_cleaned_as_one_where_words_cross_segments(
    server: OpenAiServer, cleaner: OpenAiCleaner
) -> None:
    server.chat = completion

    cleaned = await cleaner.clean(heard("I want to", "I want to go."))

    assert cleaned.text == "I want to go."


def test_an_access_shows_no_key() -> None:
    access = OpenAiAccess("https://user:password@speech.internal:8443/v1", KEY)

    assert KEY not in repr(access)
    assert access.host == "speech.internal:8443"
