"""Violations of the contract in the body of a dead letter."""

import json
from typing import Any

import pytest

from domain.model.events.event import DEFAULT_EVENT_SOURCE
from domain.model.events.kinds import EventKind
from domain.model.messages.dead_letter import MAX_PLACE, ContractViolation, Reading, read_body
from tests.support.harness.dead_letters import SPOKEN, an_envelope
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import a_failure, a_referring_event, an_erasure, an_event


def problems(body: str) -> list[tuple[str, str]]:
    return [(place, what) for place, what in read_body(body, DEFAULT_EVENT_SOURCE).problems]


def an_envelope_with(**changes: Any) -> str:
    """Build a valid envelope with changes of its detail; None removes a key."""
    envelope = json.loads(an_envelope())
    for name, value in changes.items():
        envelope["detail"][name] = value
        if value is None:
            del envelope["detail"][name]
    return json.dumps(envelope)


def test_both_versions_keep_the_contract() -> None:
    for event in (an_event(), a_referring_event()):
        reading = read_body(an_envelope(event), DEFAULT_EVENT_SOURCE)
        assert reading == Reading(event.tenant_id, event.interaction_id, event.version, ())


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (an_envelope_with(data=None), "$.detail.data"),
        (an_envelope_with(data={"raw_transcript": SPOKEN}), "$.detail.data.cleaned_transcript"),
        (an_envelope_with(tenant_id="someone"), "$.detail.tenant_id"),
        (an_envelope_with(timestamp="yesterday"), "$.detail.timestamp"),
        (an_envelope_with(user_id=7), "$.detail.user_id"),
        (an_envelope_with(extra=1), "$.detail.extra"),
        (an_envelope_with(**{'a "b"': 1}), '$.detail["a \\"b\\""]'),
        (an_envelope_with(version="3.0"), "$.detail.version"),
        (an_envelope_with(version=None), "$.detail.version"),
        (an_envelope_with(version=1.0), "$.detail.version"),
        (an_envelope(source="com.other"), "$.source"),
        (an_envelope(detail_type="Other"), "$.detail-type"),
        (an_envelope(detail=[]), "$.detail"),
        (an_envelope(detail="text"), "$.detail"),
        ("[]", "$"),
        ("7", "$"),
        ("", "$"),
        ("{", "$"),
        ('{"a": NaN}', "$"),
        ('{"a": "\\ud800"}', "$"),
        ("[" * 100_000, "$"),
        ("\0\x1b[2J\u202e", "$"),
    ],
)
def test_a_broken_message_says_where(body: str, place: str) -> None:
    (problem,) = problems(body)

    assert problem[0] == place
    assert problem[1]


def test_the_version_is_told_as_it_was_written() -> None:
    envelope = json.loads(an_envelope())
    envelope["detail"] |= {"version": "1.7", "language": "en"}

    reading = read_body(json.dumps(envelope), DEFAULT_EVENT_SOURCE)

    assert (reading.version, reading.problems) == ("1.7", ())


def test_what_is_no_envelope_of_ours_says_everything_that_is_missing() -> None:
    assert problems("{}") == [
        ("$.source", "is missing"),
        ("$.detail-type", "is missing"),
        ("$.detail", "is missing"),
    ]


def test_the_tenant_of_a_broken_event_is_read_all_the_same() -> None:
    event = an_event()
    envelope = json.loads(an_envelope(event))
    del envelope["detail"]["data"]

    reading = read_body(json.dumps(envelope), DEFAULT_EVENT_SOURCE)

    assert (reading.tenant_id, reading.interaction_id) == (event.tenant_id, event.interaction_id)


@pytest.mark.parametrize("number", ["1" + "0" * 5000, "-1e400"])
def test_a_number_that_is_too_long_is_a_problem_and_no_accident(number: str) -> None:
    body = an_envelope_with(user_id="@").replace('"@"', number)

    assert problems(body)


def test_no_problem_quotes_a_transcript_and_none_is_long() -> None:
    bodies = [
        an_envelope_with(data={"raw_transcript": SPOKEN, "cleaned_transcript": [SPOKEN]}),
        an_envelope_with(data=SPOKEN),
        an_envelope_with(version="9" * 100_000),
        an_envelope_with(**{"k" * 100_000: 1}),
        an_envelope(detail=SPOKEN),
        SPOKEN,
    ]
    for found in (problem for body in bodies for problem in problems(body)):
        assert SPOKEN not in "".join(found)
        assert all(len(part) <= MAX_PLACE + 20 for part in found), ContractViolation(*found)


@pytest.mark.parametrize("change", [{"resources": "x"}, {"replay-name": "no such name"}])
def test_what_a_consumer_would_refuse_for_its_envelope_is_a_problem(change: dict[str, object]) -> None:
    ((place, what),) = problems(json.dumps(json.loads(an_envelope(an_event())) | change))

    assert place == "$"
    assert next(iter(change)) in what


def test_a_moment_that_no_calendar_has_is_a_problem_and_no_accident() -> None:
    envelope = json.loads(an_envelope(an_event()))
    envelope["detail"]["timestamp"] = "9999-12-31T23:59:59.999999-23:59"

    assert [place for place, _ in problems(json.dumps(envelope))] == ["$.detail.timestamp"]


def test_a_dead_letter_of_a_failed_event_is_read_by_its_own_contract() -> None:
    failure = a_failure()
    broken = json.loads(failure.to_json()) | {
        "data": {"reason": "Not A Name", "detail": "", "retryable": True}
    }

    sound = read_body(enveloped(failure), DEFAULT_EVENT_SOURCE, EventKind.FAILED)
    reading = read_body(enveloped(failure, detail=broken), DEFAULT_EVENT_SOURCE, EventKind.FAILED)

    assert (sound.interaction_id, sound.version, sound.problems) == (failure.interaction_id, "1.0", ())
    assert [problem.place for problem in reading.problems] == ["$.detail.data.reason"]
    assert read_body(enveloped(failure), DEFAULT_EVENT_SOURCE).problems[0] == ContractViolation(
        "$.detail-type", "is not BatchProcessingCompleted"
    )


def test_a_dead_letter_of_an_erasure_is_read_by_its_own_contract() -> None:
    erasure = an_erasure()
    broken = json.loads(erasure.to_json()) | {"data": {"requested_by": "alice", "cause": "whim"}}

    sound = read_body(enveloped(erasure), DEFAULT_EVENT_SOURCE, EventKind.ERASED)
    reading = read_body(enveloped(erasure, detail=broken), DEFAULT_EVENT_SOURCE, EventKind.ERASED)

    assert (sound.interaction_id, sound.version, sound.problems) == (erasure.interaction_id, "1.0", ())
    assert [problem.place for problem in reading.problems] == ["$.detail.data.cause", "$.detail.data.at"]
    assert read_body(enveloped(erasure), DEFAULT_EVENT_SOURCE, EventKind.FAILED).problems[0] == (
        ContractViolation("$.detail-type", "is not BatchProcessingFailed")
    )
