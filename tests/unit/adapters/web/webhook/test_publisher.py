"""The publisher against a real HTTPS server: the contract of its port, and what each answer means."""

import logging
from email.utils import format_datetime

import pytest

from adapters.web.webhook.publisher import WebhookPublisher
from domain.model.clock import utc_now
from domain.model.errors import EventBusUnavailableError, EventPublishError, EventTooLargeError
from domain.model.events.event import Publication, PublicationStatus
from domain.model.outbox import MAX_WAIT_SECONDS
from domain.services.claim_check import ClaimCheck
from tests.contracts.event_port import Arrival, Delivery, EventPortContract, Transport
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until
from tests.support.samples.factories import A_TRACEPARENT, a_failure, a_referring_event, an_erasure, an_event
from tests.support.web.webhook_server import Received, Reply, WebhookServer
from tests.unit.adapters.web.conftest import HOST
from tests.unit.adapters.web.webhook.conftest import SOURCE, BuildEndpoint, BuildPublisher

PAGE = b"\n<!DOCTYPE html>\n<title>Sign in</title>"


class TestTheWebhook(EventPortContract):
    """Contract of the port, over HTTPS."""

    @pytest.fixture
    def transport(
        self, endpoint: WebhookServer, build: BuildPublisher, build_endpoint: BuildEndpoint
    ) -> Transport:
        def arrivals(count: int) -> list[Arrival]:
            wait_until(lambda: len(endpoint.accepted) >= count)
            return [received.arrival for received in endpoint.accepted]

        endpoint.answer = lambda received: Reply(404 if received.path == "/unknown" else 204)
        return Transport(
            build(),
            arrivals,
            Delivery(unknown_bus_is_refused=True),
            to_unknown_bus=build(build_endpoint(f"https://{HOST}:{endpoint.port}/unknown")),
            unreachable=build(build_endpoint(f"https://{HOST}:{free_port()}/")),
            traceparents=lambda: [received.headers.get("traceparent") for received in endpoint.accepted],
        )


def error_of(publisher: WebhookPublisher) -> EventPublishError:
    with pytest.raises(EventPublishError) as failure:
        publisher.publish(an_event())
    return failure.value


def test_the_request_is_a_signed_cloud_event(endpoint: WebhookServer, publisher: WebhookPublisher) -> None:
    event = an_event()

    publisher.publish_all([event], traceparents=[A_TRACEPARENT])

    (received,) = endpoint.requests
    assert received.path == "/hooks/calls?token=hunter2"
    assert received.headers["content-type"] == "application/cloudevents+json"
    assert received.headers["host"] == f"{HOST}:{endpoint.port}"
    assert received.headers["webhook-id"] == received.document["id"] == str(event.interaction_id)
    assert received.headers["traceparent"] == received.document["traceparent"] == A_TRACEPARENT
    assert received.document["source"] == SOURCE


def test_each_attempt_has_the_same_id_and_its_own_time(
    endpoint: WebhookServer, build: BuildPublisher
) -> None:
    times = iter([1_800_000_000.0, 1_800_000_600.9])
    publisher, event = build(now=lambda: next(times)), an_event()

    receipts = [publisher.publish(event).event_id for _ in range(2)]

    first, second = endpoint.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == receipts[0] == receipts[1]
    assert (first.headers["webhook-timestamp"], second.headers["webhook-timestamp"]) == (
        "1800000000",
        "1800000600",
    )
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert first.body == second.body


def test_an_erasure_has_an_id_of_its_own(endpoint: WebhookServer, publisher: WebhookPublisher) -> None:
    erasure = an_erasure()

    assert publisher.publish(erasure).event_id == f"{erasure.interaction_id}:erased"
    assert endpoint.requests[0].headers["webhook-id"] == f"{erasure.interaction_id}:erased"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206, 299])
def test_any_success_accepts_the_event(
    endpoint: WebhookServer, publisher: WebhookPublisher, status: int
) -> None:
    endpoint.reply(status)
    event = an_event()

    assert publisher.publish(event) == Publication(PublicationStatus.PUBLISHED, str(event.interaction_id))


def test_a_receiver_may_answer_with_some_text(endpoint: WebhookServer, publisher: WebhookPublisher) -> None:
    endpoint.reply(200, b"<ok/>", Content_Type="text/html")

    assert publisher.publish(an_event()).status is PublicationStatus.PUBLISHED


@pytest.mark.parametrize(
    "status", [300, 301, 302, 307, 400, 401, 403, 404, 408, 409, 410, 422, 429, 500, 503]
)
def test_any_other_answer_keeps_the_event(
    endpoint: WebhookServer, publisher: WebhookPublisher, status: int
) -> None:
    endpoint.reply(status, Location="/elsewhere")

    error = error_of(publisher)

    assert type(error) is EventBusUnavailableError
    assert str(error) == f"the endpoint did not take the event: {HOST}:{endpoint.port} answered {status}"
    assert [received.path for received in endpoint.requests] == ["/hooks/calls?token=hunter2"]


@pytest.mark.parametrize("page", [PAGE, b"<HTML><body>parked</body></HTML>"])
def test_a_web_page_accepts_no_event(
    endpoint: WebhookServer, publisher: WebhookPublisher, page: bytes
) -> None:
    endpoint.reply(200, page)

    assert "answered 200 with a web page" in str(error_of(publisher))


def test_an_endpoint_that_finds_a_transcript_too_large_gets_a_reference(
    endpoint: WebhookServer, publisher: WebhookPublisher
) -> None:
    endpoint.answer = lambda received: Reply(413 if len(received.body) > 5_000 else 204)

    assert isinstance(publisher.publish_all([an_event(raw_transcript="x" * 9_000)])[0], EventTooLargeError)
    assert publisher.publish(a_referring_event()).status is PublicationStatus.PUBLISHED


def test_an_endpoint_that_finds_everything_too_large_parks_no_event_without_transcripts(
    endpoint: WebhookServer, publisher: WebhookPublisher
) -> None:
    endpoint.reply(413)

    outcomes = publisher.publish_all([a_referring_event(), a_failure(), an_erasure()])

    assert [type(outcome) for outcome in outcomes] == [EventBusUnavailableError] * 3


def test_without_a_store_the_reason_names_the_remedy(
    endpoint: WebhookServer, publisher: WebhookPublisher
) -> None:
    endpoint.reply(413)

    (outcome,) = ClaimCheck(publisher, None).publish_all([an_event()])

    assert str(outcome) == ("the endpoint answered 413; set PAYLOAD_BUCKET and retry it: nothing is cut")


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "7", 7.0),
        (503, "120", 120.0),
        (503, "86400", MAX_WAIT_SECONDS),
        (503, "9" * 400, MAX_WAIT_SECONDS),
        (503, "soon", 0.0),
        (503, "-3", 0.0),
        (503, "Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        (500, "7", 0.0),
    ],
)
def test_an_endpoint_may_ask_for_a_pause_of_ten_minutes_at_most(
    endpoint: WebhookServer, publisher: WebhookPublisher, status: int, header: str, seconds: float
) -> None:
    endpoint.reply(status, Retry_After=header)

    error = error_of(publisher)

    assert isinstance(error, EventBusUnavailableError)
    assert error.retry_after_seconds == seconds


def test_the_pause_may_be_a_date(endpoint: WebhookServer, publisher: WebhookPublisher) -> None:
    endpoint.reply(503, Retry_After=format_datetime(utc_now(), usegmt=False).replace("20", "21", 1))

    error = error_of(publisher)

    assert isinstance(error, EventBusUnavailableError)
    assert error.retry_after_seconds == MAX_WAIT_SECONDS


def test_an_endpoint_that_asks_for_a_pause_gets_no_other_event_of_the_call(
    endpoint: WebhookServer, publisher: WebhookPublisher
) -> None:
    endpoint.reply(429, Retry_After="30")

    outcomes = publisher.publish_all([an_event() for _ in range(5)])

    assert len(endpoint.requests) == 1
    assert [type(outcome) for outcome in outcomes] == [EventBusUnavailableError] * 5


def test_an_event_that_the_endpoint_refuses_delays_no_other(
    endpoint: WebhookServer, publisher: WebhookPublisher
) -> None:
    bad, *others = [an_event() for _ in range(4)]

    def refuse_one(received: Received) -> Reply:
        return Reply(400 if received.event == bad else 204)

    endpoint.answer = refuse_one

    outcomes = publisher.publish_all([bad, *others])

    assert [type(outcome) for outcome in outcomes] == [EventBusUnavailableError, *[Publication] * 3]


@pytest.mark.parametrize("status", [301, 308, 410])
def test_an_endpoint_that_has_gone_is_logged_once(
    endpoint: WebhookServer, publisher: WebhookPublisher, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.reply(status)
    publisher.publish_all([an_event() for _ in range(3)])
    endpoint.reply(204)
    publisher.publish(an_event())
    endpoint.reply(status)
    publisher.publish_all([an_event() for _ in range(3)])

    told = [record for record in caplog.records if "has gone or moved" in record.message]
    assert [record.levelno for record in told] == [logging.ERROR] * 2
    assert "hunter2" not in caplog.text + str([vars(record) for record in caplog.records])


def test_connections_are_kept_open(endpoint: WebhookServer, publisher: WebhookPublisher) -> None:
    for _ in range(3):
        publisher.publish_all([an_event(), an_event()])

    assert len(endpoint.accepted) == 6
    assert endpoint.connections == 1
