"""Contract of every outbox: one test for each sentence of `OutboxPort`'s docstrings.

An outbox binds the contract by subclassing it and providing the fixture `kept`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.model.errors import InteractionIdTakenError, OutboxUnavailableError
from domain.model.events.event import BatchProcessingCompleted
from domain.model.outbox import EventLease, OutboxCounts, OutboxState, Outcome, Postponed, Published, Rejected
from ports.outbox_port import OutboxPort
from tests.support.databases.databases import Clock
from tests.support.samples.factories import A_TRACEPARENT, ANOTHER_TRACEPARENT, an_event, trace_of

AWKWARD_TEXTS = (
    "",
    "Grüße, 你好, שלום 👩‍👩‍👧 𝄞",
    "'; DROP TABLE outbox; --",
    "a\x00b \x1b[31m \u202e",
    "x" * 300_000,
)


@dataclass(frozen=True)
class KeptOutbox:
    """An outbox with its clock."""

    port: OutboxPort
    clock: Clock
    keeping: Callable[[float], OutboxPort]
    """An outbox on the same store, if that outlives the process, that keeps texts for so many days."""
    reopened: Callable[[], OutboxPort] | None = None
    """The same outbox opened by another process; None if no event outlives the process."""
    broken: Callable[[], OutboxPort] | None = None
    """An outbox whose store is unavailable; None if the store cannot fail."""


class OutboxPortContract:
    """Bound by each adapter of `OutboxPort`."""

    @pytest.mark.parametrize("text", AWKWARD_TEXTS, ids=range(len(AWKWARD_TEXTS)))
    def test_an_event_comes_back_as_it_was_added(self, kept: KeptOutbox, text: str) -> None:
        event = an_event(raw_transcript=text, cleaned_transcript=text, account_id=None)

        kept.port.add(event)

        (lease,) = kept.port.lease_due(10, lease_seconds=60)
        assert (lease.event, lease.interaction_id, lease.attempts) == (event, event.interaction_id, 0)

    def test_each_lease_of_an_event_has_its_trace_context(self, kept: KeptOutbox) -> None:
        traced = kept.port.add(an_event(), traceparent=A_TRACEPARENT, lease_seconds=60)
        untraced = kept.port.add(an_event())
        kept.port.record([Postponed(traced, 0.0, "the bus was away")])

        first = {lease.interaction_id: lease for lease in kept.port.lease_due(10, lease_seconds=60)}
        kept.clock.advance(61)
        later = {lease.interaction_id: lease for lease in kept.port.lease_due(10, lease_seconds=60)}

        for leases in (first, later):
            assert leases[traced.interaction_id].traceparent == traced.traceparent
            assert trace_of(traced.traceparent) == trace_of(A_TRACEPARENT)
            assert leases[untraced.interaction_id].traceparent == untraced.traceparent

    def test_an_event_that_is_stored_already_keeps_its_trace_context(self, kept: KeptOutbox) -> None:
        event = an_event()
        kept.port.add(event, traceparent=A_TRACEPARENT)

        kept.port.add(event, traceparent=ANOTHER_TRACEPARENT)

        (lease,) = kept.port.lease_due(10, lease_seconds=60)
        assert trace_of(lease.traceparent) == trace_of(A_TRACEPARENT)

    def test_an_added_event_is_visible_to_other_processes(self, kept: KeptOutbox) -> None:
        if kept.reopened is None:
            pytest.skip("nothing here outlives the process")
        event = an_event()
        kept.port.add(event)

        other = kept.reopened()

        assert [lease.event for lease in other.lease_due(10, lease_seconds=60)] == [event]

    def test_any_number_of_threads_may_use_it_at_once(self, kept: KeptOutbox) -> None:
        events = [an_event() for _ in range(40)]

        def add_and_publish(event_number: int) -> list[EventLease]:
            kept.port.add(events[event_number])
            leases = kept.port.lease_due(2, lease_seconds=60)
            assert kept.port.record([Published(lease, "receipt") for lease in leases]) == len(leases)
            return list(leases)

        with ThreadPoolExecutor(4) as threads:
            leased = [lease for leases in threads.map(add_and_publish, range(40)) for lease in leases]
        leased += kept.port.lease_due(40, lease_seconds=60)

        assert sorted(lease.interaction_id for lease in leased) == sorted(e.interaction_id for e in events)

    def test_every_method_reports_a_store_that_cannot_be_reached(self, kept: KeptOutbox) -> None:
        if kept.broken is None:
            pytest.skip("there is nothing that could be away")
        port = kept.broken()
        calls: list[Callable[[], object]] = [
            lambda: port.add(an_event()),
            lambda: port.lease_due(1, lease_seconds=1),
            lambda: port.record([Published(EventLease(an_event(), uuid4(), 0), "receipt")]),
            port.counts,
            port.seconds_until_due,
            lambda: port.find(uuid4()),
            lambda: port.statuses([uuid4()]),
            port.records,
            port.retry,
            lambda: port.purge_payloads(1),
            lambda: port.prune(older_than_days=0),
        ]

        for call in calls:
            with pytest.raises(OutboxUnavailableError):
                call()

    def test_an_added_event_is_leased_by_its_producer_for_as_long_as_asked(self, kept: KeptOutbox) -> None:
        lease = kept.port.add(an_event(), lease_seconds=30)

        assert kept.port.lease_due(10, lease_seconds=60) == ()
        kept.clock.advance(31)
        assert [each.event for each in kept.port.lease_due(10, lease_seconds=60)] == [lease.event]

    @pytest.mark.parametrize("state", OutboxState)
    def test_another_event_with_a_known_interaction_id_is_refused_and_changes_nothing(
        self, kept: KeptOutbox, state: OutboxState
    ) -> None:
        first = an_event(raw_transcript="first")
        _bring_to(kept.port, state, kept.port.add(first, lease_seconds=60))
        before = kept.port.find(first.interaction_id)

        with pytest.raises(InteractionIdTakenError, match=str(first.interaction_id)):
            kept.port.add(an_event(interaction_id=first.interaction_id, raw_transcript="second"))

        assert kept.port.find(first.interaction_id) == before

    def test_one_of_many_concurrent_events_with_one_interaction_id_is_stored(self, kept: KeptOutbox) -> None:
        events = [an_event(interaction_id=(shared := uuid4())), an_event()]
        events += [an_event(interaction_id=shared, raw_transcript=str(number)) for number in range(8)]

        def is_added(event: BatchProcessingCompleted) -> bool:
            try:
                return kept.port.add(event).event == event
            except InteractionIdTakenError:
                return False

        with ThreadPoolExecutor(10) as threads:
            added = [event for event, fits in zip(events, threads.map(is_added, events), strict=True) if fits]

        assert len(added) == 2
        stored = {lease.interaction_id: lease.event for lease in kept.port.lease_due(10, lease_seconds=60)}
        assert stored == {event.interaction_id: event for event in added}

    @pytest.mark.parametrize("state", [OutboxState.WAITING, OutboxState.REJECTED])
    def test_the_lease_on_an_event_that_is_stored_already_changes_nothing(
        self, kept: KeptOutbox, state: OutboxState
    ) -> None:
        event = an_event()
        _bring_to(kept.port, state, kept.port.add(event, lease_seconds=60))
        before = kept.port.find(event.interaction_id)

        lease = kept.port.add(event, lease_seconds=60)

        assert kept.port.record([Rejected(lease, "not mine to say")]) == 0
        assert kept.port.find(event.interaction_id) == before

    def test_the_number_of_leases_is_limited(self, kept: KeptOutbox) -> None:
        added = {kept.port.add(an_event()).interaction_id for _ in range(5)}

        first = kept.port.lease_due(3, lease_seconds=60)
        rest = kept.port.lease_due(3, lease_seconds=60)

        assert (len(first), len(rest)) == (3, 2)
        assert {lease.interaction_id for lease in first + rest} == added

    def test_the_event_due_longest_comes_first(self, kept: KeptOutbox) -> None:
        events = []
        for _ in range(4):
            events.append(kept.port.add(an_event()).event)
            kept.clock.advance(1)

        assert [lease.event for lease in kept.port.lease_due(3, lease_seconds=60)] == events[:3]

    def test_a_leased_event_is_not_leased_again_before_the_lease_ends(self, kept: KeptOutbox) -> None:
        kept.port.add(an_event())
        kept.port.lease_due(1, lease_seconds=60)

        kept.clock.advance(59)
        assert kept.port.lease_due(1, lease_seconds=60) == ()
        kept.clock.advance(1)
        assert len(kept.port.lease_due(1, lease_seconds=60)) == 1

    def test_an_event_that_is_not_due_cannot_be_leased(self, kept: KeptOutbox) -> None:
        kept.port.record([Postponed(kept.port.add(an_event(), lease_seconds=60), 10, "throttled")])

        assert kept.port.lease_due(1, lease_seconds=60) == ()
        kept.clock.advance(10)
        assert len(kept.port.lease_due(1, lease_seconds=60)) == 1

    def test_no_event_waits_for_a_clock_that_was_set_back_by_hours(self, kept: KeptOutbox) -> None:
        crashed = kept.port.add(an_event(), lease_seconds=60)
        postponed = kept.port.add(an_event(), lease_seconds=60)
        kept.port.record([Postponed(postponed, 60, "throttled")])
        kept.clock.advance(-8 * 3600)
        added = kept.port.add(an_event())
        assert kept.port.seconds_until_due() == 0

        leases = [lease for _ in range(3) for lease in kept.port.lease_due(1, lease_seconds=60)]

        assert leases[0].event == added.event
        assert {lease.event for lease in leases[1:]} == {crashed.event, postponed.event}
        assert kept.port.lease_due(1, lease_seconds=60) == ()
        assert kept.port.record([Published(crashed, "stale")]) == 0
        assert kept.port.record([Published(lease, "receipt") for lease in leases]) == 3

    def test_a_lease_that_began_before_the_clock_was_set_back_is_over(self, kept: KeptOutbox) -> None:
        kept.port.add(an_event())
        kept.clock.advance(8 * 3600)
        kept.port.lease_due(1, lease_seconds=60)
        kept.clock.advance(-8 * 3600)

        assert kept.port.seconds_until_due() == 0
        assert len(kept.port.lease_due(1, lease_seconds=60)) == 1
        assert kept.port.seconds_until_due() == pytest.approx(60)

    def test_a_token_is_stale_once_the_event_is_leased_again(self, kept: KeptOutbox) -> None:
        kept.port.add(an_event())
        (slow,) = kept.port.lease_due(1, lease_seconds=60)
        kept.clock.advance(61)
        (quick,) = kept.port.lease_due(1, lease_seconds=60)

        assert slow.token != quick.token
        assert kept.port.record([Rejected(slow, "too late")]) == 0
        assert kept.port.record([Published(quick, "receipt")]) == 1

    def test_a_token_counts_after_its_lease_until_the_event_is_leased_again(self, kept: KeptOutbox) -> None:
        kept.port.add(an_event())
        (lease,) = kept.port.lease_due(1, lease_seconds=60)
        kept.clock.advance(3600)

        assert kept.port.record([Published(lease, "receipt")]) == 1

    def test_a_lease_that_ran_out_is_no_failed_attempt(self, kept: KeptOutbox) -> None:
        kept.port.add(an_event())
        for _ in range(3):
            (lease,) = kept.port.lease_due(1, lease_seconds=60)
            kept.clock.advance(61)

        assert lease.attempts == 0
        assert kept.port.records()[0].attempts == 0

    def test_outcomes_of_every_kind_are_recorded_together(self, kept: KeptOutbox) -> None:
        leases = [kept.port.add(an_event(), lease_seconds=60) for _ in range(3)]

        counted = kept.port.record(
            [Published(leases[0], "receipt"), Postponed(leases[1], 5, "throttled"), Rejected(leases[2], "no")]
        )

        assert counted == 3
        assert kept.port.counts()[:3] == (1, 1, 1)

    def test_stale_tokens_do_not_harm_the_others(self, kept: KeptOutbox) -> None:
        leases = [kept.port.add(an_event(), lease_seconds=60) for _ in range(3)]
        kept.port.record([Published(leases[1], "receipt")])

        assert kept.port.record([Published(lease, "again") for lease in leases]) == 2
        assert kept.port.counts().published == 3

    def test_one_lease_counts_once(self, kept: KeptOutbox) -> None:
        lease = kept.port.add(an_event(), lease_seconds=60)

        assert kept.port.record([Published(lease, "first"), Published(lease, "second")]) == 1

    def test_an_empty_record_changes_nothing(self, kept: KeptOutbox) -> None:
        assert kept.port.record([]) == 0

    def test_recording_ends_the_lease(self, kept: KeptOutbox) -> None:
        lease = kept.port.add(an_event(), lease_seconds=3600)

        kept.port.record([Postponed(lease, 0, "try again at once")])

        (again,) = kept.port.lease_due(1, lease_seconds=60)
        assert again.event == lease.event
        assert kept.port.record([Published(lease, "stale")]) == 0

    def test_a_postponed_event_counts_its_failed_attempts(self, kept: KeptOutbox) -> None:
        lease = kept.port.add(an_event(), lease_seconds=60)
        kept.port.record([Postponed(lease, 0, "throttled")])
        (lease,) = kept.port.lease_due(1, lease_seconds=60)
        assert lease.attempts == 1

        kept.port.record([Postponed(lease, 0, "the relay pauses", is_attempt=False)])

        (lease,) = kept.port.lease_due(1, lease_seconds=60)
        assert lease.attempts == 1

    def test_published_events_lose_their_texts_and_keep_their_record(self, kept: KeptOutbox) -> None:
        lease = kept.port.add(an_event(), lease_seconds=60)
        kept.port.record([Postponed(lease, 0, "throttled")])
        kept.clock.advance(10)

        kept.port.record([Published(kept.port.lease_due(1, lease_seconds=60)[0], "receipt")])

        record = kept.port.find(lease.interaction_id)
        assert record
        assert record.event is None
        assert record.published_at
        assert record.published_at - record.added_at == timedelta(seconds=10)
        assert (record.state, record.event_id) == (OutboxState.PUBLISHED, "receipt")
        assert (record.attempts, record.reason, record.due_at) == (1, "throttled", None)
        assert record.tenant_id == lease.event.tenant_id

    def test_texts_of_published_events_are_kept_where_the_setting_says_so(self, kept: KeptOutbox) -> None:
        port = kept.keeping(0.5)
        lease = port.add(an_event(), lease_seconds=60)

        assert port.record([Published(lease, "receipt")]) == 1

        record = port.find(lease.interaction_id)
        assert record
        assert (record.state, record.event_id) == (OutboxState.PUBLISHED, "receipt")
        assert record.event == lease.event
        assert record.due_at is None
        assert port.lease_due(1, lease_seconds=60) == ()
        assert port.counts()[:3] == (0, 0, 1)

    def test_texts_that_were_kept_for_long_enough_are_dropped_and_the_record_stays(
        self, kept: KeptOutbox
    ) -> None:
        port = kept.keeping(0.5)
        lease = port.add(an_event(), lease_seconds=60)
        kept.clock.advance(30)
        port.record([Published(lease, "receipt")])
        before = port.find(lease.interaction_id)
        assert before

        kept.clock.advance(43_199)
        assert port.purge_payloads(10) == 0
        kept.clock.advance(1)
        assert port.purge_payloads(10) == 1

        assert port.find(lease.interaction_id) == replace(before, event=None)
        assert port.purge_payloads(10) == 0

    def test_texts_are_dropped_in_batches(self, kept: KeptOutbox) -> None:
        port = kept.keeping(1)
        leases = [port.add(an_event(), lease_seconds=60) for _ in range(5)]
        port.record([Published(lease, "receipt") for lease in leases])
        kept.clock.advance(86_400)

        assert [port.purge_payloads(2) for _ in range(4)] == [2, 2, 1, 0]
        assert {record.event for record in port.records()} == {None}

    def test_texts_that_an_earlier_setting_kept_can_be_dropped_at_once(self, kept: KeptOutbox) -> None:
        if kept.reopened is None:
            pytest.skip("no event outlives the process, nor its setting")
        port = kept.keeping(365)
        port.record([Published(port.add(an_event(), lease_seconds=60), "receipt")])

        assert kept.keeping(0).purge_payloads(10) == 1
        assert port.records()[0].event is None

    def test_texts_of_unpublished_events_are_never_dropped(self, kept: KeptOutbox) -> None:
        kept.port.add(an_event())
        kept.port.record([Postponed(kept.port.add(an_event(), lease_seconds=60), 0, "throttled")])
        kept.port.record([Rejected(kept.port.add(an_event(), lease_seconds=60), "no")])
        kept.clock.advance(1e9)

        assert kept.port.purge_payloads(10) == 0
        assert all(record.event for record in kept.port.records())

    def test_kept_texts_are_pruned_with_their_record(self, kept: KeptOutbox) -> None:
        port = kept.keeping(365)
        port.record([Published(port.add(an_event(), lease_seconds=60), "receipt")])

        assert port.prune(older_than_days=0) == 1
        assert port.records() == ()

    def test_a_rejected_event_is_parked_with_its_texts_and_the_reason(self, kept: KeptOutbox) -> None:
        lease = kept.port.add(an_event(), lease_seconds=60)

        kept.port.record([Rejected(lease, "MalformedDetail")])

        record = kept.port.find(lease.interaction_id)
        assert record
        assert (record.state, record.reason) == (OutboxState.REJECTED, "MalformedDetail")
        assert (record.event, record.attempts) == (lease.event, 1)
        assert (record.due_at, record.published_at) == (None, None)
        kept.clock.advance(1e6)
        assert kept.port.lease_due(1, lease_seconds=60) == ()

    @pytest.mark.parametrize("text", ["", "a\x00b", "\ud800", "x" * 100_000, "'\"%s%(a)s:b"])
    def test_any_text_of_the_bus_can_be_recorded(self, kept: KeptOutbox, text: str) -> None:
        leases = [kept.port.add(an_event(), lease_seconds=60) for _ in range(3)]

        counted = kept.port.record(
            [Published(leases[0], text), Postponed(leases[1], 1, text), Rejected(leases[2], text)]
        )

        assert counted == 3

    def test_an_empty_outbox_counts_nothing(self, kept: KeptOutbox) -> None:
        assert kept.port.counts() == OutboxCounts(0, 0, 0, 0.0)

    def test_the_oldest_waiting_event_has_an_age(self, kept: KeptOutbox) -> None:
        settled = kept.port.add(an_event(), lease_seconds=60)
        kept.clock.advance(100)
        kept.port.record([Published(settled, "receipt")])
        kept.port.add(an_event())
        kept.clock.advance(5)
        kept.port.add(an_event())
        kept.clock.advance(20)
        kept.port.lease_due(10, lease_seconds=60)

        assert kept.port.counts()[:3] == (2, 0, 1)
        assert kept.port.counts().oldest_waiting_seconds == pytest.approx(25)

    def test_the_time_until_the_next_lease_is_known(self, kept: KeptOutbox) -> None:
        assert kept.port.seconds_until_due() is None

        lease = kept.port.add(an_event(), lease_seconds=30)
        assert kept.port.seconds_until_due() == pytest.approx(30)

        kept.port.record([Postponed(lease, 7, "throttled")])
        assert kept.port.seconds_until_due() == pytest.approx(7)

        kept.port.add(an_event())
        kept.clock.advance(1)
        assert kept.port.seconds_until_due() == 0

    def test_settled_events_are_never_due(self, kept: KeptOutbox) -> None:
        kept.port.record([Published(kept.port.add(an_event(), lease_seconds=60), "receipt")])
        kept.port.record([Rejected(kept.port.add(an_event(), lease_seconds=60), "no")])

        assert kept.port.seconds_until_due() is None

    def test_the_record_of_a_waiting_event(self, kept: KeptOutbox) -> None:
        event = kept.port.add(an_event()).event

        record = kept.port.find(event.interaction_id)

        assert record
        assert (record.interaction_id, record.tenant_id) == (event.interaction_id, event.tenant_id)
        assert (record.state, record.attempts, record.event) == (OutboxState.WAITING, 0, event)
        assert record.added_at == record.due_at == datetime.fromtimestamp(kept.clock(), UTC)
        assert (record.published_at, record.event_id, record.reason) == (None, None, None)

    def test_an_event_that_was_never_added_has_no_record(self, kept: KeptOutbox) -> None:
        assert kept.port.find(uuid4()) is None

    def test_the_states_of_many_events_are_told_together(self, kept: KeptOutbox) -> None:
        waiting, published, rejected = (kept.port.add(an_event(), lease_seconds=60) for _ in range(3))
        kept.port.record([Published(published, "receipt"), Rejected(rejected, "no")])
        asked = [each.interaction_id for each in (waiting, published, rejected)]

        assert kept.port.statuses([*asked, uuid4()]) == {
            waiting.interaction_id: (OutboxState.WAITING, None),
            published.interaction_id: (OutboxState.PUBLISHED, "receipt"),
            rejected.interaction_id: (OutboxState.REJECTED, None),
        }
        assert kept.port.statuses([]) == {}

    def test_records_begin_with_those_added_last(self, kept: KeptOutbox) -> None:
        added = []
        for _ in range(4):
            added.append(kept.port.add(an_event()).interaction_id)
            kept.clock.advance(1)

        assert [record.interaction_id for record in kept.port.records(limit=3)] == added[:0:-1]

    @pytest.mark.parametrize("state", OutboxState)
    def test_records_in_one_state(self, kept: KeptOutbox, state: OutboxState) -> None:
        leases = {each: kept.port.add(an_event(), lease_seconds=60) for each in OutboxState}
        for each, lease in leases.items():
            _bring_to(kept.port, each, lease)

        (record,) = kept.port.records(state)

        assert (record.interaction_id, record.state) == (leases[state].interaction_id, state)
        assert len(kept.port.records()) == 3

    def test_everything_rejected_can_be_made_due_at_once(self, kept: KeptOutbox) -> None:
        rejected = [kept.port.add(an_event(), lease_seconds=60) for _ in range(2)]
        postponed = kept.port.add(an_event(), lease_seconds=60)
        kept.port.record(
            [Postponed(postponed, 60, "throttled"), *(Rejected(each, "no") for each in rejected)]
        )

        assert kept.port.retry() == 2

        leases = kept.port.lease_due(10, lease_seconds=60)
        assert {lease.event.interaction_id for lease in leases} == {each.interaction_id for each in rejected}
        assert all(lease.attempts == 1 for lease in leases)
        assert kept.port.counts()[:3] == (3, 0, 0)

    def test_named_events_wait_no_longer(self, kept: KeptOutbox) -> None:
        leases = [kept.port.add(an_event(), lease_seconds=60) for _ in range(4)]
        outcomes: list[Outcome] = [Postponed(leases[0], 99, "throttled"), Postponed(leases[1], 99, "no")]
        kept.port.record([*outcomes, Rejected(leases[2], "no"), Rejected(leases[3], "no")])
        named = [leases[0].interaction_id, leases[2].interaction_id]

        assert kept.port.retry([*named, uuid4()]) == 2

        due = kept.port.lease_due(10, lease_seconds=60)
        assert {lease.interaction_id for lease in due} == set(named)

    def test_no_names_are_not_all_names(self, kept: KeptOutbox) -> None:
        kept.port.record([Rejected(kept.port.add(an_event(), lease_seconds=60), "no")])

        assert kept.port.retry([]) == 0
        assert kept.port.counts().rejected == 1

    def test_a_published_event_is_not_tried_again(self, kept: KeptOutbox) -> None:
        lease = kept.port.add(an_event(), lease_seconds=60)
        kept.port.record([Published(lease, "receipt")])

        assert kept.port.retry([lease.interaction_id]) == 0
        assert kept.port.lease_due(1, lease_seconds=60) == ()

    def test_a_retry_breaks_no_lease(self, kept: KeptOutbox) -> None:
        lease = kept.port.add(an_event(), lease_seconds=60)

        assert kept.port.retry([lease.interaction_id]) == 1

        assert kept.port.lease_due(1, lease_seconds=60) == ()
        assert kept.port.record([Published(lease, "receipt")]) == 1

    def test_only_events_published_before_then_are_pruned(self, kept: KeptOutbox) -> None:
        old, new = (kept.port.add(an_event(), lease_seconds=1e9) for _ in range(2))
        kept.port.record([Published(old, "receipt")])
        kept.clock.advance(86_400)
        kept.port.record([Published(new, "receipt")])
        kept.clock.advance(86_400)

        assert kept.port.prune(older_than_days=1.5) == 1
        assert [record.interaction_id for record in kept.port.records()] == [new.interaction_id]

    def test_all_events_that_are_old_enough_are_pruned(self, kept: KeptOutbox) -> None:
        leases = [kept.port.add(an_event(), lease_seconds=60) for _ in range(10)]
        kept.port.record([Published(lease, "receipt") for lease in leases])

        assert kept.port.prune(older_than_days=0) == 10
        assert kept.port.counts().published == 0

    def test_rejected_events_are_pruned_only_on_request(self, kept: KeptOutbox) -> None:
        kept.port.record([Rejected(kept.port.add(an_event(), lease_seconds=60), "no")])
        kept.clock.advance(86_400)

        assert kept.port.prune(older_than_days=0) == 0
        assert kept.port.prune(older_than_days=2, rejected=True) == 0
        assert kept.port.prune(older_than_days=1, rejected=True) == 1
        assert kept.port.records() == ()

    def test_waiting_events_are_never_pruned(self, kept: KeptOutbox) -> None:
        kept.port.add(an_event())
        kept.port.record([Postponed(kept.port.add(an_event(), lease_seconds=60), 0, "throttled")])
        rejected = kept.port.add(an_event(), lease_seconds=60)
        kept.port.record([Rejected(rejected, "no")])
        kept.port.retry()
        kept.clock.advance(1e9)

        assert kept.port.prune(older_than_days=0, rejected=True) == 0
        assert kept.port.counts().waiting == 3


def _bring_to(port: OutboxPort, state: OutboxState, lease: EventLease) -> None:
    """Record the outcome that leads to `state`."""
    if state is OutboxState.PUBLISHED:
        port.record([Published(lease, "receipt")])
    elif state is OutboxState.REJECTED:
        port.record([Rejected(lease, "no")])
