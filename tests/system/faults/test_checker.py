"""Checker of the fault tests: it finds lost, repeated and unreadable events."""

from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import ValidationError

from domain.model.events.event import BatchProcessingCompleted
from tests.support.doubles.bus_faults import Entry
from tests.support.faults.checker import DeliveryCheck, PromiseLog, judge, nothing_lost
from tests.support.samples.factories import an_event


def entry(event: BatchProcessingCompleted) -> Entry:
    return {"Detail": event.to_json()}


def test_what_was_promised_and_never_came_is_lost(tmp_path: Path) -> None:
    came, lost = an_event(), uuid4()
    log = PromiseLog(tmp_path / "promised")
    log.note(str(came.interaction_id))
    log.note(str(lost))

    assert judge(log.ids(), [entry(came)]) == DeliveryCheck(promised=2, lost=frozenset({lost}), duplicates=0)
    with pytest.raises(AssertionError):
        nothing_lost(log, [entry(came)])


def test_an_event_that_came_twice_is_a_duplicate_and_no_loss(tmp_path: Path) -> None:
    event = an_event()
    log = PromiseLog(tmp_path / "promised")
    log.note(str(event.interaction_id))

    assert nothing_lost(log, [entry(event), entry(event)]) == DeliveryCheck(1, frozenset(), duplicates=1)


def test_an_event_without_a_promise_is_allowed_and_must_be_valid() -> None:
    assert judge(frozenset(), [entry(an_event())]).lost == frozenset()
    with pytest.raises(ValidationError):
        judge(frozenset(), [{"Detail": "{}"}])


def test_promises_outlive_the_caller_and_too_few_of_them_show_nothing(tmp_path: Path) -> None:
    PromiseLog(tmp_path / "promised").note(str(uuid4()))

    assert len(PromiseLog(tmp_path / "promised").ids()) == 1
    with pytest.raises(AssertionError):
        nothing_lost(PromiseLog(tmp_path / "others"), [])
