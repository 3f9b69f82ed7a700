"""Erasure of one interaction: its rows first, then its objects, whose names the tombstone keeps."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.model.erasures import ErasedRows, Erasure, PendingObjects
from domain.model.errors import PayloadStoreError, RecordingStoreUnavailableError
from domain.model.events.erased import ErasureCause
from domain.model.identity import Interaction
from ports.erasure_port import ErasurePort
from ports.payload_store_port import PayloadStorePort
from ports.recording_store_port import RecordingStorePort

logger = logging.getLogger(__name__)

STILL_LEASED = "a relay may still store the transcripts: repeat the erasure in three minutes"


@dataclass(slots=True)
class DeletedObjects:
    """Objects of one interaction that were deleted, and why others are still stored."""

    recordings: int = 0
    payloads: int = 0  # with all their versions
    unreachable: RecordingStoreUnavailableError | None = None  # the recording itself is still stored
    problems: list[str] = field(default_factory=list)


class Eraser:
    """Erases one interaction; every method may block, and may be repeated after any interruption."""

    def __init__(
        self,
        erasures: ErasurePort,
        recordings: RecordingStorePort,
        payloads: PayloadStorePort | None,
        *,
        announces: bool,  # events of the kind `erased` are sent
        wake: Callable[[], None],  # tells the relay that there is work
    ) -> None:
        self._erasures = erasures
        self._recordings = recordings
        self._payloads = payloads
        self._announces = announces
        self._wake = wake

    def erase(self, interaction: Interaction, *, requested_by: str, cause: ErasureCause) -> DeletedObjects:
        """Erase an interaction; what could not be deleted outside the database stays pending.

        Raises:
            JobUnfinishedError: it is a job that has not ended; nothing is erased.
            JobStoreUnavailableError: the database failed; repeat the erasure.
        """
        self.erase_rows(interaction, requested_by=requested_by, cause=cause)
        objects = DeletedObjects()
        for pending in self._erasures.pending(1, interaction_id=interaction.id):
            objects = self.delete_objects(pending)
        self._erasures.scrub()
        return objects

    def erase_rows(self, interaction: Interaction, *, requested_by: str, cause: ErasureCause) -> ErasedRows:
        """Erase the rows of an interaction; its objects are pending then.

        Raises:
            JobUnfinishedError, JobStoreUnavailableError: as above.
        """
        erasure = Erasure(requested_by, cause, announces=self._announces)
        rows = self._erasures.erase(interaction, erasure)
        if rows.announced:
            self._wake()
        logger.info(
            "interaction erased",
            extra={
                "interaction_id": str(interaction.id),
                "tenant_id": str(interaction.tenant_id),
                "cause": cause.value,
                **rows._asdict(),
            },
        )
        return rows

    def delete_objects(self, pending: PendingObjects) -> DeletedObjects:
        """Delete the objects of an erased interaction.

        Raises:
            JobStoreUnavailableError: the database failed; repeat the erasure.
        """
        objects = DeletedObjects()
        self._delete_recording(pending, objects)
        self._delete_payloads(pending, objects)
        if not objects.problems and not self._erasures.finish(pending.interaction_id):
            objects.problems.append(STILL_LEASED)
        if objects.problems:
            logger.warning(
                "objects of an erased interaction are still stored: run `transcripts erase --pending`",
                extra={"interaction_id": str(pending.interaction_id), "problem": objects.problems[0]},
            )
        return objects

    def _delete_recording(self, pending: PendingObjects, objects: DeletedObjects) -> None:
        if pending.recording_key is None:
            return
        try:
            problem = self._recordings.erase(pending.recording_key)
        except RecordingStoreUnavailableError as error:
            objects.unreachable = error
            objects.problems.append(str(error))
            return
        objects.recordings += 1
        if problem is not None:
            objects.problems.append(problem)

    def _delete_payloads(self, pending: PendingObjects, objects: DeletedObjects) -> None:
        if self._payloads is None:
            return
        try:
            objects.payloads += self._payloads.erase(pending.tenant_id, pending.interaction_id)
        except PayloadStoreError as error:
            objects.problems.append(str(error))
