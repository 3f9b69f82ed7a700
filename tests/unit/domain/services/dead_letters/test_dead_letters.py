"""Listing releases dead letters; archiving and purging delete only the selected ones."""

import itertools
from collections.abc import Iterator
from uuid import uuid4

import pytest

from domain.model.errors import ArchiveError, InfrastructureError
from domain.model.messages.archived import ArchivedMessage
from domain.model.messages.dead_letter import Selection
from domain.services.dead_letters.scan import VISIBILITY_TIMEOUT
from ports.dead_letter_archive_port import DeadLetterArchivePort
from tests.support.doubles.queue import failing_with
from tests.support.harness.dead_letters import BESIDE, UNDELIVERED, Ground, an_envelope
from tests.support.samples.factories import an_event

ALL = Selection()


class _Archive(DeadLetterArchivePort):
    """An archive of JSON in memory that fails from a given message on."""

    def __init__(self, *, fails_at: int | None = None) -> None:
        self._fails_at = fails_at
        self.kept: dict[str, bytes] = {}

    def keep(self, message: ArchivedMessage, /) -> None:
        if len(self.kept) == self._fails_at:
            raise ArchiveError("no space left")
        self.kept[message.name] = message.to_json().encode()

    def messages(self) -> Iterator[ArchivedMessage]:
        for name, content in self.kept.items():
            yield ArchivedMessage.read(content, name)


def test_each_is_shown_once_with_what_is_known_of_it(ground: Ground) -> None:
    event = an_event()
    ids = ground.fill(an_envelope(event), "no json")
    ids.append(ground.dead_letters.send("{}", BESIDE, UNDELIVERED))

    found = list(ground.service.each())

    assert [letter.id for _, letter in found] == ids
    first, second, third = (letter for _, letter in found)
    assert (first.reading.interaction_id, first.reading.problems) == (event.interaction_id, ())
    assert second.reading.problems[0].place == "$"
    assert (third.delivery_failure, third.receive_count, third.size) == (UNDELIVERED, 1, 2)
    assert first.age_seconds(ground.now()) == 2.0  # the last look waited a second


@pytest.mark.parametrize("shown", [12, 25])
def test_a_look_releases_everything_at_its_end_or_where_it_is_broken_off(ground: Ground, shown: int) -> None:
    ground.fill_with_events(25)
    look = ground.service.each()

    assert len(list(itertools.islice(look, shown))) == shown
    look.close()

    assert ground.dead_letters.depth() == (25, 0)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InfrastructureError("ExpiredToken")])
def test_a_look_that_fails_releases_what_it_held(ground: Ground, error: BaseException) -> None:
    ground.fill_with_events(25)
    calls = itertools.count()
    ground.dead_letters.before["receive"] = lambda: failing_with(error)() if next(calls) == 2 else None

    with pytest.raises(type(error)):
        list(ground.service.each())

    assert ground.dead_letters.depth() == (25, 0)


def test_a_look_that_outlasts_the_hiding_shows_nothing_twice_and_ends(ground: Ground) -> None:
    ground.fill_with_events(25)
    ground.dead_letters.after["receive"] = lambda: ground.clock.advance(VISIBILITY_TIMEOUT + 1)

    found = [letter.id for _, letter in ground.service.each()]

    assert len(found) == len(set(found))


def test_a_wrong_tenant_sees_nothing(ground: Ground) -> None:
    mine = uuid4()
    ground.fill_with_events(3, mine)

    assert len(list(ground.service.each(Selection(tenant_id=mine)))) == 3
    assert list(ground.service.each(Selection(tenant_id=uuid4()))) == []


def test_what_is_archived_leaves_the_queue(ground: Ground) -> None:
    ground.fill_with_events(25)
    archive = _Archive()

    report = ground.service.archive(ALL, archive, keep=False)

    assert (report.done, report.problem) == (25, "")
    assert len(archive.kept) == 25
    assert ground.dead_letters.bodies() == []


def test_what_is_archived_can_stay_as_well(ground: Ground) -> None:
    ground.fill_with_events(25)

    assert ground.service.archive(ALL, _Archive(), keep=True).done == 25
    assert ground.dead_letters.depth() == (25, 0)


def test_what_could_not_be_archived_is_not_deleted(ground: Ground) -> None:
    ground.fill_with_events(25)
    archive = _Archive(fails_at=14)

    report = ground.service.archive(ALL, archive, keep=False)

    assert (report.done, report.problem) == (10, "no space left")
    assert len(archive.kept) == 14
    assert ground.dead_letters.depth() == (15, 0)


def test_one_tenants_dead_letters_are_archived_alone(ground: Ground) -> None:
    mine = uuid4()
    ground.fill_with_events(3, mine)
    ground.fill_with_events(3)

    assert ground.service.archive(Selection(tenant_id=mine), _Archive(), keep=False).done == 3
    assert ground.dead_letters.depth() == (3, 0)


def test_an_archive_can_be_put_back_with_everything(ground: Ground) -> None:
    ground.fill("a" * 1000, "\0 \x1b[2J \u202e 🎙")
    before = ground.dead_letters.bodies()
    archive = _Archive()
    ground.service.archive(ALL, archive, keep=False)

    report = ground.service.restore(archive)

    assert report.done == 2
    assert ground.queue.bodies() == before
    assert all(one.attributes == BESIDE for one in ground.queue._stored)
    assert len(archive.kept) == 2


def test_an_archive_with_something_else_in_it_is_not_put_back_at_all(ground: Ground) -> None:
    archive = _Archive()
    ground.fill_with_events(2)
    ground.service.archive(ALL, archive, keep=False)
    archive.kept["stranger.json"] = b'{"format": "dead-letter/2"}'

    with pytest.raises(ArchiveError, match=r"stranger.json is no archived message \(invalid at format\)"):
        ground.service.restore(archive)

    assert ground.queue.bodies() == []


def _archived(ground: Ground, count: int) -> _Archive:
    archive = _Archive()
    ground.fill_with_events(count)
    ground.service.archive(ALL, archive, keep=False)
    return archive


def test_messages_that_are_refused_do_not_keep_later_ones_from_being_put_back(ground: Ground) -> None:
    archive = _archived(ground, 25)
    ground.queue.refuse_copies = 2
    first = next(archive.messages())

    report = ground.service.restore(archive)

    assert (report.done, report.failed, report.ok) == (23, 2, False)
    assert report.problem == f"{first.id}: AccessDenied"
    assert len(ground.queue.bodies()) == 23


def test_a_queue_that_refuses_everything_soon_ends_the_putting_back(ground: Ground) -> None:
    archive = _archived(ground, 100)
    ground.queue.refuse_copies = -1

    report = ground.service.restore(archive)

    assert (report.done, report.failed) == (0, 30)
    assert report.problem.endswith(": AccessDenied")


def test_batches_that_are_sent_in_part_do_not_end_the_putting_back(ground: Ground) -> None:
    archive = _archived(ground, 100)

    def refuse_nine() -> None:
        ground.queue.refuse_copies = 9

    ground.queue.before["resend"] = refuse_nine

    report = ground.service.restore(archive)

    assert (report.done, report.failed) == (10, 90)


def test_a_putting_back_that_is_interrupted_after_a_failure_tells_both(ground: Ground) -> None:
    archive = _archived(ground, 25)
    ground.queue.refuse_copies = 1
    calls = itertools.count()
    ground.queue.before["resend"] = lambda: failing_with(KeyboardInterrupt())() if next(calls) == 1 else None

    report = ground.service.restore(archive)

    assert (report.done, report.failed, report.interrupted) == (9, 1, True)


def test_a_purge_says_how_many_went_and_leaves_what_came_later(ground: Ground) -> None:
    ground.fill_with_events(25)
    ground.dead_letters.send("late")

    report = ground.service.purge()

    assert (report.done, report.skipped) == (25, 1)
    assert ground.dead_letters.bodies() == ["late"]
    assert ground.dead_letters.depth() == (1, 0)


def test_deletions_that_fail_are_told(ground: Ground) -> None:
    ground.fill_with_events(25)
    ground.dead_letters.before["delete"] = ground.forget_receipts

    report = ground.service.purge()

    assert (report.done, report.undeleted) == (10, 10)
    assert "could not be deleted" in report.problem


def test_an_interruption_tells_what_was_done_before(ground: Ground) -> None:
    ground.fill_with_events(25)
    calls = itertools.count()
    ground.dead_letters.before["delete"] = lambda: (
        failing_with(KeyboardInterrupt())() if next(calls) == 1 else None
    )

    report = ground.service.purge()

    assert report.problem == "it was interrupted"
    assert ground.dead_letters.depth() == (15, 0)
