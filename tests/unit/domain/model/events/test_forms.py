"""Bodies in the forms of SNS: a CloudEvent, and a notification around one, wherever bodies are read."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.model.errors import UnreadableMessageError
from domain.model.events.cloud_event import cloud_event
from domain.model.events.envelope import parse_envelope, read_envelope
from domain.model.events.event import DEFAULT_EVENT_SOURCE, TEST_EVENT_LABEL
from domain.model.events.kinds import EventKind
from domain.model.events.sent import SentEvent
from domain.model.messages.dead_letter import read_body
from domain.model.route.test_event import (
    LEFT_OVER_AFTER,
    change_on_the_way,
    is_left_over,
    names_interaction,
    route_test_event,
)
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import A_MOMENT, a_failure, a_referring_event, an_event

SECRET = "this must not be in a log"


def raw(event: SentEvent, *labels: str) -> str:
    return cloud_event(event, source=DEFAULT_EVENT_SOURCE, labels=labels).decode()


def notified(message: str, **changes: object) -> str:
    """Write what SNS sends for a subscription without raw delivery."""
    notification = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:topic",
        "Message": message,
        "Timestamp": "2026-11-23T18:00:00.000Z",
        "SignatureVersion": "1",
        "Signature": "EXAMPLE",
        "MessageAttributes": {"source": {"Type": "String", "Value": DEFAULT_EVENT_SOURCE}},
    }
    return json.dumps({**notification, **changes})


def enveloped_by_sns(event: SentEvent, *labels: str) -> str:
    return notified(raw(event, *labels))


def twice(event: SentEvent, *labels: str) -> str:
    return notified(notified(raw(event, *labels)))


Form = Callable[..., str]
FORMS = pytest.mark.parametrize("form", [raw, enveloped_by_sns, twice])


@FORMS
def test_each_form_is_read_as_the_same_event(form: Form) -> None:
    for event in (an_event(raw_transcript='"\\ 👩‍👩‍👧 \x00'), a_referring_event()):
        read = parse_envelope(form(event, "urn:a"), DEFAULT_EVENT_SOURCE)
        assert read == (event, None, False, event.version)
    failure = a_failure()
    assert parse_envelope(form(failure), DEFAULT_EVENT_SOURCE, EventKind.FAILED).event == failure


@FORMS
def test_the_label_of_a_test_is_seen(form: Form) -> None:
    assert parse_envelope(form(an_event(), "urn:a", TEST_EVENT_LABEL), DEFAULT_EVENT_SOURCE).is_test


def test_an_envelope_of_the_bus_in_a_notification_is_read_too() -> None:
    event = an_event()

    assert parse_envelope(notified(enveloped(event)), DEFAULT_EVENT_SOURCE).event == event


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (notified("no json"), "it is not JSON"),
        (notified("[1]"), "it is JSON, but no object"),
        (notified("{}"), "source is missing"),
        (notified(raw(an_event()), Type="SubscriptionConfirmation"), "source is missing"),
        (notified("", Message={"a": 1}), "source is missing"),
        (notified(raw(a_failure())), "a consumer of failed events reads it"),
        (notified(raw(an_event()).replace('"tenant_id"', '"tenant"')), "detail.tenant_id"),
    ],
)
def test_a_notification_of_something_else_is_refused_with_its_reason(body: str, complaint: str) -> None:
    with pytest.raises(UnreadableMessageError, match=complaint):
        parse_envelope(body, DEFAULT_EVENT_SOURCE)


@FORMS
def test_no_refusal_quotes_a_transcript(form: Form) -> None:
    body = form(an_event(raw_transcript=SECRET)).replace("completed", SECRET)

    with pytest.raises(UnreadableMessageError) as refusal:
        parse_envelope(body, "com.other")
    assert SECRET not in str(refusal.value)


def test_no_depth_of_notifications_ends_the_process() -> None:
    body = raw(an_event())
    for _ in range(12):
        body = notified(body)

    assert read_envelope(body) is not None


@FORMS
def test_a_dead_letter_names_its_tenant_and_its_faults(form: Form) -> None:
    event = an_event()
    sound = read_body(form(event), DEFAULT_EVENT_SOURCE)
    broken = read_body(form(event).replace("completed", "unheard of"), DEFAULT_EVENT_SOURCE)

    assert (sound.tenant_id, sound.interaction_id, sound.version) == (
        event.tenant_id, event.interaction_id, "1.0"
    )  # fmt: skip
    assert sound.problems == ()
    assert (broken.tenant_id, broken.interaction_id) == (event.tenant_id, event.interaction_id)
    assert [problem.place for problem in broken.problems] == ["$.detail.status"]


@FORMS
def test_a_test_event_is_recognised_compared_and_left_over(form: Form) -> None:
    sent = route_test_event(A_MOMENT)
    body = form(sent, TEST_EVENT_LABEL)

    assert names_interaction(body, sent.interaction_id)
    assert change_on_the_way(body, sent) is None
    assert change_on_the_way(form(route_test_event(A_MOMENT)), sent) == "the detail holds other values"
    assert is_left_over(body, A_MOMENT + LEFT_OVER_AFTER + timedelta(seconds=1))
    assert not is_left_over(body, A_MOMENT + LEFT_OVER_AFTER)
    assert not is_left_over(form(sent), A_MOMENT + timedelta(days=1))
