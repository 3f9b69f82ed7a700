"""Events as CloudEvents: every attribute, and the same event for a consumer as from the bus."""

import json

import pytest

from domain.model.errors import UnreadableMessageError
from domain.model.events.cloud_event import cloud_event
from domain.model.events.envelope import parse_envelope
from domain.model.events.event import DEFAULT_EVENT_SOURCE, TEST_EVENT_LABEL
from domain.model.events.kinds import EventKind
from domain.model.events.sent import SentEvent
from tests.support.samples.factories import A_TRACEPARENT, a_failure, a_referring_event, an_erasure, an_event

AWKWARD = 'Grüße, 👩‍👩‍👧 𝄞 {"data": "\\"}"} \x00\u2028'


def test_every_attribute_is_there() -> None:
    event = an_event(raw_transcript=AWKWARD)

    written = json.loads(
        cloud_event(event, source="com.acme", labels=("urn:a", "urn:b"), traceparent=A_TRACEPARENT)
    )

    assert written == {
        "specversion": "1.0",
        "id": str(event.interaction_id),
        "source": "com.acme",
        "type": "BatchProcessingCompleted",
        "subject": str(event.interaction_id),
        "time": "2026-11-23T18:00:00.123456Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:batch-transcription:event:batch-processing-completed:1.0",
        "partitionkey": str(event.tenant_id),
        "labels": "urn:a urn:b",
        "traceparent": A_TRACEPARENT,
        "data": json.loads(event.to_json()),
    }


def test_what_there_is_not_has_no_attribute() -> None:
    assert {"labels", "traceparent"}.isdisjoint(json.loads(cloud_event(an_event(), source="com.acme")))


def test_an_erasure_is_no_duplicate_of_the_event_that_it_takes_back() -> None:
    completed = an_event()
    erased = an_erasure(interaction_id=completed.interaction_id)

    ids = [json.loads(cloud_event(each, source="com.acme"))["id"] for each in (completed, erased)]

    assert ids == [str(completed.interaction_id), f"{completed.interaction_id}:erased"]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (an_event(raw_transcript=AWKWARD), EventKind.COMPLETED),
        (a_referring_event(), EventKind.COMPLETED),
        (a_failure(), EventKind.FAILED),
        (an_erasure(), EventKind.ERASED),
    ],
    ids=["1.0", "2.0", "failed", "erased"],
)
@pytest.mark.parametrize("labels", [(), (TEST_EVENT_LABEL,)], ids=["plain", "test"])
def test_a_consumer_reads_the_event_that_was_sent(
    event: SentEvent, kind: EventKind, labels: tuple[str, ...]
) -> None:
    body = cloud_event(event, source=DEFAULT_EVENT_SOURCE, labels=labels).decode()

    envelope = parse_envelope(body, DEFAULT_EVENT_SOURCE, kind)

    assert envelope.event == event
    assert envelope.is_test is bool(labels)


def test_a_later_minor_version_is_read_without_its_new_keys() -> None:
    event = an_event()
    document = json.loads(cloud_event(event, source=DEFAULT_EVENT_SOURCE))
    document["data"] |= {"version": "1.9", "mood": "cheerful"}

    envelope = parse_envelope(json.dumps(document), DEFAULT_EVENT_SOURCE)

    assert (envelope.event, envelope.version) == (event, "1.9")


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("source", "com.other", "its source is 'com.other'"),
        ("type", "BatchProcessingFailed", "a consumer of failed events reads it"),
        ("type", "TranscriptErased", "a consumer of erased events reads it"),
        ("data", {}, "breaks the contract"),
        ("labels", 7, "breaks the contract at resources"),
    ],
)
def test_a_fault_is_named(attribute: str, value: object, message: str) -> None:
    document = json.loads(cloud_event(an_event(), source=DEFAULT_EVENT_SOURCE)) | {attribute: value}

    with pytest.raises(UnreadableMessageError, match=message):
        parse_envelope(json.dumps(document), DEFAULT_EVENT_SOURCE)
