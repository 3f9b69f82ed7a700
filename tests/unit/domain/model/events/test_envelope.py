"""Bodies that a consumer accepts, and those it refuses."""

import json

import pytest

from domain.model.errors import UnreadableMessageError
from domain.model.events.envelope import EventEnvelope, parse_envelope
from domain.model.events.event import DEFAULT_EVENT_SOURCE, TEST_EVENT_LABEL
from domain.model.events.kinds import EventKind
from domain.model.events.sent import StoredEvent
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import a_failure, a_referring_event, an_erasure, an_event

SECRET = "this must not be in a log"
FAR_AHEAD, FAR_BACK = "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00+23:59"


def a_detail(**changes: object) -> dict[str, object]:
    detail = json.loads(an_event(raw_transcript=SECRET).to_json())
    return {key: value for key, value in {**detail, **changes}.items() if value is not ...}


def test_both_versions_are_read() -> None:
    for event in (an_event(), a_referring_event()):
        assert parse_envelope(enveloped(event), DEFAULT_EVENT_SOURCE) == (event, None, False, event.version)


def test_the_name_of_a_replay_and_the_label_of_a_test_are_seen() -> None:
    event = an_event()
    body = enveloped(event, replay="after-the.outage_7", resources=["other", TEST_EVENT_LABEL])

    assert parse_envelope(body, DEFAULT_EVENT_SOURCE) == (event, "after-the.outage_7", True, "1.0")


def test_keys_that_the_bus_adds_to_its_envelope_are_passed_over() -> None:
    assert parse_envelope(enveloped(trace={"id": 7}), DEFAULT_EVENT_SOURCE)


def test_a_later_minor_version_is_read_without_its_new_keys() -> None:
    event = an_event()
    detail = json.loads(event.to_json())
    detail |= {"version": "1.7", "language": "en", "data": {**detail["data"], "summary": "short"}}

    assert parse_envelope(enveloped(detail=detail), DEFAULT_EVENT_SOURCE) == (event, None, False, "1.7")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not JSON"),
        ("not json", "not JSON"),
        ('{"detail": ', "not JSON"),
        ('"text"', "no object"),
        ("[]", "no object"),
        ("null", "no object"),
        ("[" * 100_000, "not JSON"),
        ("{}", "source is missing"),
        (an_event().to_json(), "no envelope of the bus: source is missing"),
        (enveloped(source="com.others"), "its source is 'com.others', not 'com.yourapp.transcription'"),
        (enveloped(source=7), "its source is 7"),
        (enveloped(source={"a": 1}), "its source is a dict"),
        (enveloped(source="x" * 10_000), "its source is 'xxx"),
        (enveloped(detail_type="MeetingEnded"), "its detail-type is 'MeetingEnded'"),
        (enveloped(detail_type=...), "detail-type is missing"),
        (enveloped(detail=[]), "breaks the contract at detail"),
        (enveloped(detail=...), "breaks the contract at detail .Field required"),
        (enveloped(detail=a_detail(version="3.0")), "its version is '3.0', which a newer consumer may read"),
        (enveloped(detail=a_detail(version="latest")), "its version is 'latest'"),
        (enveloped(detail=a_detail(version="1.01")), "its version is '1.01'"),
        (enveloped(detail=a_detail(version="01.0")), "its version is '01.0'"),
        (enveloped(detail=a_detail(version=1)), "its version is 1"),
        (enveloped(detail=a_detail(version=...)), "breaks the contract at detail"),
        (enveloped(detail=a_detail(user_id="")), "breaks the contract at detail.user_id"),
        (enveloped(detail=a_detail(tenant_id=...)), "breaks the contract at detail.tenant_id"),
        (enveloped(detail=a_detail(**{SECRET: 1})), r"breaks the contract at detail \(Extra inputs"),
        (enveloped(detail=a_detail(timestamp=FAR_AHEAD)), "breaks the contract at detail.timestamp"),
        (enveloped(detail=a_detail(timestamp=FAR_BACK)), "breaks the contract at detail.timestamp"),
        (enveloped(detail=a_detail(data={"raw_transcript": SECRET})), "detail.data.cleaned_transcript"),
        (
            enveloped(detail=a_detail(version="1.1", user_id=7)),
            "read as 1.0, breaks the contract at detail.user_id",
        ),
        (enveloped(replay="no such name: \x00"), "breaks the contract at replay-name"),
        (enveloped(detail=a_detail(**{f"key{i}": i for i in range(100)})), "and 95 more"),
    ],
)
def test_what_is_no_event_of_ours_is_refused_with_what_is_wrong_and_where(body: str, reason: str) -> None:
    with pytest.raises(UnreadableMessageError, match=reason) as refusal:
        parse_envelope(body, DEFAULT_EVENT_SOURCE)

    assert SECRET not in str(refusal.value)
    assert len(str(refusal.value)) < 1500


OTHER_KINDS = pytest.mark.parametrize(
    ("event", "kind"),
    [(a_failure(), EventKind.FAILED), (an_erasure(), EventKind.ERASED)],
    ids=["failed", "erased"],
)


@OTHER_KINDS
def test_an_event_of_another_kind_is_read_by_a_consumer_of_that_kind_alone(
    event: StoredEvent, kind: EventKind
) -> None:
    envelope = parse_envelope(enveloped(event, replay="again"), DEFAULT_EVENT_SOURCE, kind)

    assert envelope == EventEnvelope(event, "again", is_test=False, version="1.0")
    for other in set(EventKind) - {kind}:
        with pytest.raises(UnreadableMessageError) as refusal:
            parse_envelope(enveloped(event), DEFAULT_EVENT_SOURCE, other)
        assert str(refusal.value) == (
            f"its detail-type is '{event.DETAIL_TYPE}', not '{other.detail_type}': "
            f"a consumer of {kind} events reads it"
        )
    with pytest.raises(UnreadableMessageError, match="a consumer of completed events reads it"):
        parse_envelope(enveloped(), DEFAULT_EVENT_SOURCE, kind)


@OTHER_KINDS
def test_a_later_minor_version_of_another_kind_is_read_without_what_it_has_added(
    event: StoredEvent, kind: EventKind
) -> None:
    detail = json.loads(event.to_json()) | {"version": "1.3", "unit": 7}

    envelope = parse_envelope(enveloped(event, detail=detail), DEFAULT_EVENT_SOURCE, kind)

    assert (envelope.event, envelope.version) == (event, "1.3")
    with pytest.raises(UnreadableMessageError, match=r"its version is '2\.0'.*this one reads 1\.0"):
        parse_envelope(enveloped(event, detail=detail | {"version": "2.0"}), DEFAULT_EVENT_SOURCE, kind)


@OTHER_KINDS
def test_a_breach_of_another_kind_is_named_by_its_place(event: StoredEvent, kind: EventKind) -> None:
    detail = json.loads(event.to_json())
    last = list(detail["data"])[-1]
    detail["data"][last] = "perhaps"

    with pytest.raises(UnreadableMessageError, match=rf"at detail\.data\.{last}"):
        parse_envelope(enveloped(event, detail=detail), DEFAULT_EVENT_SOURCE, kind)
