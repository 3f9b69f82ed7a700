"""Tries of one request: when it is sent again, how long it waits, and when it is given up."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from openai import APIConnectionError, APIStatusError, APITimeoutError

from adapters.openai.calls import Answer, Calls
from adapters.openai.refusals import retry_after
from domain.model.errors import (
    TranscriberBusyError,
    TranscriberCrashedError,
    TranscriberUnavailableError,
    TranscriptionError,
    TranscriptionFailedError,
)

REQUEST = httpx2.Request("POST", "http://speech.internal/v1/audio/transcriptions")
LIMIT = 120.0


class Given:
    """Answer that the SDK has read."""

    def __init__(self, content: bytes) -> None:
        self.http_response = httpx2.Response(200, content=content, request=REQUEST)


class Clock:
    """Time that passes only where a request or a pause takes some."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def calls(self, pause: Callable[[int], float] = lambda failures: 0.25 * failures) -> Calls:
        return Calls("speech.internal", pause, clock=lambda: self.now, sleep=self.sleep)


class Service:
    """Service that gives its answers in turn; each takes the same time."""

    def __init__(self, clock: Clock, *answers: bytes | Exception, seconds: float = 1.0) -> None:
        self._clock = clock
        self._answers = list(answers)
        self._seconds = seconds
        self.requests = 0

    async def send(self) -> Answer:
        self.requests += 1
        self._clock.now += self._seconds
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return Given(answer)


def status(number: int, **headers: str) -> APIStatusError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx2.Response(number, headers=named, request=REQUEST)
    return APIStatusError("", response=response, body=None)


async def failure(
    clock: Clock, service: Service, kind: type[TranscriptionError], seconds: float = LIMIT
) -> str:
    with pytest.raises(kind) as refused:
        await clock.calls().answer("transcription", service.send, seconds=seconds)
    return str(refused.value)


async def test_an_answer_is_returned_as_it_is() -> None:
    clock = Clock()
    service = Service(clock, b'{"text": "hello"}')

    assert await clock.calls().answer("transcription", service.send, seconds=LIMIT) == {"text": "hello"}
    assert clock.pauses == []


@pytest.mark.parametrize(
    "hindrance",
    [
        *(status(number) for number in (408, 409, 425, 429, 500, 502, 503, 504, 529)),
        APIConnectionError(request=REQUEST),
        APITimeoutError(REQUEST),
        TimeoutError(),
    ],
    ids=str,
)
async def test_what_may_pass_is_tried_again_after_a_pause(hindrance: Exception) -> None:
    clock = Clock()
    service = Service(clock, hindrance, b"{}")

    assert await clock.calls().answer("transcription", service.send, seconds=LIMIT) == {}
    assert len(clock.pauses) == 1


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        *((number, TranscriberUnavailableError) for number in (401, 403, 404, 405)),
        *((number, TranscriptionFailedError) for number in (400, 413, 415, 422)),
    ],
)
async def test_what_will_not_pass_is_tried_once(number: int, kind: type[TranscriptionError]) -> None:
    clock = Clock()
    service = Service(clock, status(number))

    message = await failure(clock, service, kind)

    assert f"HTTP {number}" in message
    assert service.requests == 1


async def test_the_pause_is_as_long_as_the_service_asks_for_and_a_little_longer() -> None:
    clock = Clock()
    service = Service(clock, status(429, retry_after="7"), status(503, retry_after="5"), b"{}")

    await clock.calls().answer("transcription", service.send, seconds=LIMIT)

    assert clock.pauses == [7.0, 5.25]


async def test_a_service_that_asks_for_more_time_than_a_unit_has_is_given_up_at_once() -> None:
    clock = Clock()
    service = Service(clock, status(429, retry_after="86400"))

    with pytest.raises(TranscriberBusyError) as busy:
        await clock.calls().answer("transcription", service.send, seconds=LIMIT)

    assert busy.value.retry_after_seconds == 86_400
    assert clock.pauses == []


async def test_a_service_that_never_recovers_costs_a_bounded_time_and_number_of_requests() -> None:
    clock = Clock()
    service = Service(clock, status(500))

    await failure(clock, service, TranscriberUnavailableError)

    assert 2 <= service.requests <= 20
    assert clock.now <= 2 * LIMIT


async def test_a_service_that_never_answers_is_waited_for_twice() -> None:
    clock = Clock()
    service = Service(clock, TimeoutError(), seconds=LIMIT)

    message = await failure(clock, service, TranscriberUnavailableError)

    assert "speech.internal did not answer the transcription in time" in message
    assert service.requests == 2


async def test_an_answer_after_121_seconds_is_in_time_where_the_unit_is_long_enough() -> None:
    clock = Clock()
    service = Service(clock, b"{}", seconds=121.0)

    assert await clock.calls().answer("transcription", service.send, seconds=280.0) == {}


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"text": "half', b"\xff\xfe", b"[" * 100_000])
async def test_an_answer_that_is_no_json_is_not_asked_for_again(content: bytes) -> None:
    clock = Clock()
    service = Service(clock, content)

    message = await failure(clock, service, TranscriberCrashedError)

    assert message == (
        f"speech.internal answered the transcription with {len(content)} bytes that hold no JSON"
        " (of an unknown type)."
    )
    assert service.requests == 1


@pytest.mark.parametrize(("value", "seconds"), [("0", 0.0), ("7", 7.0), ("0.5", 0.5), (" 3 ", 3.0)])
def test_retry_after_may_be_a_number(value: str, seconds: float) -> None:
    assert retry_after({"retry-after": value}) == seconds


def test_retry_after_may_be_a_date() -> None:
    now = datetime.now(UTC)

    later = retry_after({"retry-after": format_datetime(now + timedelta(seconds=600), usegmt=True)})
    earlier = retry_after({"retry-after": format_datetime(now - timedelta(seconds=600), usegmt=True)})

    assert later is not None
    assert 0 < later <= 600
    assert earlier == 0.0


@pytest.mark.parametrize(
    "value",
    ["", "soon", "-5", "1e9", "9" * 50, "Fri, 99 Nov 2026", "Mon, 01 Jan 99999999999999 00:00:00 GMT"],
)
def test_a_retry_after_that_is_neither_counts_as_none(value: str) -> None:
    assert retry_after({"retry-after": value}) is None
