"""Order between a transcript and its erasure in a consumer group: no handler gets what was erased."""

from collections.abc import Iterator, Sequence
from itertools import chain

from domain.model.consuming.lease import LeaseStatus, ProcessingLease
from domain.model.events.kinds import EventKind
from ports.deduplication_port import DeduplicationPort

Answer = ProcessingLease | LeaseStatus

_COMPLETED, _ERASED = EventKind.COMPLETED.detail_type, EventKind.ERASED.detail_type


def respect_erasures(deduplication: DeduplicationPort, answers: Sequence[Answer]) -> Sequence[Answer]:
    """Take back the leases of erased transcripts, and those of erasures whose transcript is being handled.

    The first become `ERASED`, the latter `IN_PROGRESS`. Two consumers, of transcripts and of erasures, may
    run at the same time: each has its lease before it looks for that of the other, so one of them sees it.

    Raises:
        ProcessedEventsUnavailableError: the store is unreachable or full, or fails.
    """
    leases = [answer for answer in answers if isinstance(answer, ProcessingLease)]
    withheld = dict(chain(_erased(deduplication, leases), _too_early(deduplication, leases)))
    deduplication.release([lease for lease in leases if lease in withheld])
    return [withheld.get(lease, lease) for lease in answers]


def _erased(
    deduplication: DeduplicationPort, leases: Sequence[ProcessingLease]
) -> Iterator[tuple[Answer, LeaseStatus]]:
    """Yield the transcripts whose erasure the group has handled, or is handling."""
    transcripts = [lease for lease in leases if lease.key.detail_type == _COMPLETED]
    known = deduplication.statuses(_ERASED, [lease.key.interaction_id for lease in transcripts])
    for lease in transcripts:
        if lease.key.interaction_id in known:
            yield lease, LeaseStatus.ERASED


def _too_early(
    deduplication: DeduplicationPort, leases: Sequence[ProcessingLease]
) -> Iterator[tuple[Answer, LeaseStatus]]:
    """Yield the erasures whose transcript a handler of the group has at this moment."""
    erasures = [lease for lease in leases if lease.key.detail_type == _ERASED]
    known = deduplication.statuses(_COMPLETED, [lease.key.interaction_id for lease in erasures])
    for lease in erasures:
        if known.get(lease.key.interaction_id) is LeaseStatus.IN_PROGRESS:
            yield lease, LeaseStatus.IN_PROGRESS
