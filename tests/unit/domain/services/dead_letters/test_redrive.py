"""A redrive ends, and moves only the selected messages."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from domain.model.errors import InfrastructureError, JobStoreUnavailableError
from domain.model.events.event import CompletedEvent
from domain.model.messages.dead_letter import Selection
from domain.services.dead_letters.redrive import FindErased
from tests.support.harness.dead_letters import BESIDE, UNDELIVERED, Ground, an_envelope
from tests.support.samples.factories import an_event

ALL = Selection()
BY_HAND = Selection(limit=1000)
REFUSED = InfrastructureError("UnsupportedOperation")


@pytest.fixture(params=["by the service", "by hand"])
def either_way(request: pytest.FixtureRequest, ground: Ground) -> Ground:
    if request.param == "by hand":
        ground.move_task.refusal = REFUSED
    return ground


def test_all_are_moved(either_way: Ground) -> None:
    either_way.fill_with_events(25)
    before = either_way.everything()

    outcome = either_way.redrive().run(ALL)

    assert (outcome.moved, outcome.ok, outcome.skipped) == (25, True, 0)
    assert either_way.queue.bodies() == before
    assert either_way.dead_letters.bodies() == []


def test_they_are_visible_at_once_and_carry_what_travelled_with_them(either_way: Ground) -> None:
    either_way.fill("a")

    either_way.redrive().run(ALL)

    (message,) = either_way.queue.receive(10, visibility_timeout=1)
    assert (message.receive_count, message.attributes) == (1, BESIDE)


def test_an_empty_dead_letter_queue_is_no_failure(either_way: Ground) -> None:
    assert either_way.redrive().run(ALL).ok


def test_the_progress_of_a_move_is_told(ground: Ground) -> None:
    ground.fill_with_events(25)
    told: list[tuple[int, int | None]] = []

    ground.redrive().run(ALL, lambda *progress: told.append(progress))

    assert told == [(10, 25), (20, 25), (25, 25), (25, 25)]


def test_one_is_moved_by_the_id_of_its_message_or_of_its_event(ground: Ground) -> None:
    event, other = an_event(), an_event()
    first, second, _ = ground.fill(an_envelope(event), an_envelope(other), an_envelope())

    assert ground.redrive().run(Selection(id=first)).moved == 1
    assert ground.redrive().run(Selection(id=str(other.interaction_id))).moved == 1
    assert len(ground.queue.bodies()) == 2
    assert ground.redrive().run(Selection(id=second)).moved == 0


def test_what_has_no_event_inside_is_not_called_none(ground: Ground) -> None:
    ground.fill("no json")

    assert ground.redrive().run(Selection(id="None")).moved == 0


def test_a_tenant_gets_its_own_and_nobody_elses(ground: Ground) -> None:
    mine, theirs = uuid4(), uuid4()
    ground.fill_with_events(12, mine)
    ground.fill_with_events(12, theirs)
    decoy = an_envelope(
        an_event(tenant_id=theirs, raw_transcript=f'"tenant_id":"{mine}"'), tenant_id=str(mine)
    )
    ground.fill(decoy, f'{{"tenant_id": "{mine}"}}', str(mine))

    outcome = ground.redrive().run(Selection(tenant_id=mine))

    assert outcome.moved == 12
    assert all(str(theirs) not in body for body in ground.queue.bodies())
    assert len(ground.dead_letters.bodies()) == 15
    assert ground.dead_letters.depth().in_flight == 0


def test_no_more_are_moved_than_was_said(ground: Ground) -> None:
    ground.fill_with_events(25)

    assert ground.redrive().run(Selection(limit=12)).moved == 12

    assert len(ground.queue.bodies()) == 12
    assert ground.dead_letters.depth() == (13, 0)


def test_what_was_looked_at_and_not_meant_is_visible_again(ground: Ground) -> None:
    ground.fill_with_events(25)

    ground.redrive().run(Selection(tenant_id=uuid4()))

    assert ground.dead_letters.depth() == (25, 0)


def test_a_poison_message_that_comes_straight_back_is_moved_once_and_left(ground: Ground) -> None:
    ground.move_task.refusal = REFUSED
    ground.fill_with_events(25)
    ground.queue.after["resend"] = ground.fail_what_waits

    outcome = ground.redrive().run(ALL)

    assert (outcome.moved, outcome.skipped, outcome.ok) == (25, 25, True)
    assert ground.dead_letters.depth() == (25, 0)


def test_copies_are_known_by_their_ids_where_the_clock_here_is_ahead(ground: Ground) -> None:
    ground.fill_with_events(25)
    ground.queue.after["resend"] = ground.fail_what_waits
    redrive = ground.redrive()
    redrive._now = lambda: ground.now().replace(year=2100)

    assert redrive.run(BY_HAND).moved == 25


def test_a_move_of_poison_ends_once_it_has_moved_more_than_there_was(ground: Ground) -> None:
    ground.fill_with_events(25)
    ground.queue.after["resend"] = ground.fail_what_waits

    outcome = ground.redrive().run(ALL)

    assert not ground.move_task.running
    assert 25 < outcome.moved <= 40
    assert outcome.skipped == 25
    assert ground.dead_letters.depth() == (25, 0)


def test_what_arrives_meanwhile_is_left_for_the_next_time(ground: Ground) -> None:
    ground.fill_with_events(15)
    arrivals = itertools.count()

    def arrive() -> None:
        ground.dead_letters.send(f"late {next(arrivals)}")

    ground.queue.after["resend"] = arrive

    outcome = ground.redrive().run(BY_HAND)

    assert (outcome.moved, outcome.skipped) == (15, 3)
    assert ground.dead_letters.bodies() == ["late 0", "late 1", "late 2"]


def test_a_redrive_ends_however_fast_messages_arrive(ground: Ground) -> None:
    ground.fill_with_events(1)

    def arrive() -> None:
        for _ in range(10):
            ground.dead_letters.send("late")

    ground.dead_letters.before["receive"] = arrive

    assert ground.redrive().run(BY_HAND).moved == 1


def test_two_redrives_at_once_both_end_and_lose_nothing(ground: Ground) -> None:
    ground.fill_with_events(200)
    before = ground.everything()
    ground.queue.after["resend"] = ground.fail_what_waits

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: ground.redrive().run(BY_HAND), range(2)))

    assert sum(result.moved for result in results) >= 200
    assert set(ground.everything()) == set(before)


def test_a_dead_letter_queue_that_moves_messages_on_is_left_alone(ground: Ground) -> None:
    ground.fill("a")
    ground.dead_letters._dead_letters = ground.queue

    with pytest.raises(InfrastructureError, match="redrive policy of its own"):
        ground.redrive().run(ALL)

    assert set(ground.dead_letters.counts().values()) == {0}
    assert not ground.move_task.running


def test_what_the_bus_gave_up_is_redriven_like_everything_else(ground: Ground) -> None:
    ground.dead_letters.send(an_envelope(), BESIDE, UNDELIVERED)
    ground.clock.advance(1)

    assert ground.redrive().run(BY_HAND).moved == 1
    assert len(ground.queue.bodies()) == 1


def test_an_erased_transcript_is_not_sent_again(ground: Ground) -> None:
    kept, gone = an_event(), an_event()
    ground.fill(an_envelope(kept), an_envelope(gone), "not json")

    outcome = ground.redrive(lambda ids: frozenset({gone.interaction_id} & set(ids))).run(ALL)

    assert (outcome.moved, outcome.erased, outcome.ok) == (2, 1, True)
    (left,) = ground.dead_letters.bodies()
    assert str(gone.interaction_id) in left


def test_nothing_is_sent_while_nothing_tells_what_was_erased(ground: Ground) -> None:
    ground.fill_with_events(2)

    def away(_ids: object) -> frozenset[UUID]:
        raise JobStoreUnavailableError("database error: away")

    outcome = ground.redrive(away).run(ALL)

    assert (outcome.moved, outcome.ok, outcome.problem) == (0, False, "database error: away")
    assert len(ground.dead_letters.bodies()) == 2


def _erased(*events: CompletedEvent) -> FindErased:
    gone = {event.interaction_id for event in events}
    return lambda ids: frozenset(gone & set(ids))


def test_erased_transcripts_in_front_do_not_use_up_the_limit(ground: Ground) -> None:
    gone = [an_event() for _ in range(12)]
    ground.fill(*map(an_envelope, gone))
    ground.fill_with_events(3)

    outcome = ground.redrive(_erased(*gone)).run(Selection(limit=2))

    assert (outcome.moved, outcome.erased, outcome.ok) == (2, 12, True)
    assert ground.dead_letters.depth() == (13, 0)


def test_no_more_is_received_or_counted_as_erased_than_the_limit_needs(ground: Ground) -> None:
    events = [an_event() for _ in range(25)]
    ground.fill(*map(an_envelope, events))

    outcome = ground.redrive(_erased(events[0], events[5], events[12])).run(Selection(limit=3))

    assert (outcome.moved, outcome.erased) == (3, 1)
    assert len(ground.dead_letters.received) == 10


def test_one_whose_transcript_was_erased_is_looked_for_no_further(ground: Ground) -> None:
    gone = an_event()
    ground.fill(an_envelope(gone))
    ground.fill_with_events(24)

    outcome = ground.redrive(_erased(gone)).run(Selection(id=str(gone.interaction_id)))

    assert (outcome.moved, outcome.erased, outcome.ok) == (0, 1, True)
    assert len(ground.dead_letters.received) == 10
