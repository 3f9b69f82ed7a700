"""What can be done with any part of the route: find it, make it, compare it, mend it, remove it."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from botocore.exceptions import ClientError

from adapters.aws.errors import translate_infrastructure_errors
from domain.model.errors import InfrastructureError
from domain.model.route.route import Drift, ProvisionedResource, RouteComponent
from domain.model.route.status import QueueLoad, RemovalOutcome, RemovedResource, ResourceStatus

logger = logging.getLogger(__name__)

Found = TypeVar("Found")

GONE_CODES = frozenset(
    {"ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
)


class ManagedResource(ABC, Generic[Found]):
    """One part of the route as it is wanted; `Found` is the part as AWS shows it.

    The five abstract methods call AWS plainly; the others word what comes of it.
    """

    def __init__(self, component: RouteComponent, name: str, title: str) -> None:
        self.component = component
        self.name = name
        self.title = title

    @abstractmethod
    def find(self) -> Found | None:
        """Look for the part; None where it is missing."""

    @abstractmethod
    def create(self) -> bool:
        """Make it; False where somebody else was faster."""

    @abstractmethod
    def differences(self, found: Found) -> Iterable[Drift]:
        """What is not as wanted about it."""

    @abstractmethod
    def mend(self, found: Found, differences: Sequence[Drift]) -> None:
        """Make ours of it what is wanted, and leave everything else."""

    @abstractmethod
    def delete(self, found: Found) -> str:
        """Remove it; where it has to be left, say why."""

    def name_of(self, found: Found) -> str:  # noqa: ARG002 - most parts are called what they were to be called
        """What the part is called that was found."""
        return self.name

    def state_of(self, found: Found) -> str:  # noqa: ARG002 - most parts have none
        """AWS's word for the state it is in."""
        return ""

    def load_of(self, found: Found) -> QueueLoad | None:  # noqa: ARG002 - most parts hold nothing
        """What is in it."""
        return None

    def ensure(self) -> ProvisionedResource:
        """Create the part where it is missing, else leave it as it is and warn (requirement 7.6)."""
        with translate_infrastructure_errors(f"provisioning {self.title}"):
            found = self.find()
            if found is None and self.create():
                return self._created()
            found = found or self._find_again()
            return self._existing(self.name_of(found), tuple(self.differences(found)))

    def repair(self) -> ProvisionedResource:
        """Create the part where it is missing, else mend what differs and is ours."""
        with translate_infrastructure_errors(f"repairing {self.title}"):
            found = self.find()
            if found is None and self.create():
                return self._created()
            found = found or self._find_again()
            differences = tuple(self.differences(found))
            mended = tuple(difference for difference in differences if difference.ours)
            if mended:
                self.mend(found, mended)
                logger.info("mended", extra=self._extra(mended))
            others = tuple(difference for difference in differences if not difference.ours)
            return ProvisionedResource(
                self.component, self.name_of(found), created=False, differences=others, mended=mended
            )

    def look(self, *, expected: bool = True) -> ResourceStatus:
        """How the part stands; where it may not be looked at, that is the answer."""
        try:
            with translate_infrastructure_errors(f"reading {self.title}"):
                found = self.find()
                if found is None:
                    return ResourceStatus(self.component, self.name, exists=False, expected=expected)
                return ResourceStatus(
                    self.component,
                    self.name_of(found),
                    exists=True,
                    differences=tuple(self.differences(found)),
                    state=self.state_of(found),
                    load=self.load_of(found),
                    expected=expected,
                )
        except InfrastructureError as error:
            return ResourceStatus(
                self.component, self.name, exists=None, problem=str(error), expected=expected
            )

    def remove(self) -> RemovedResource:
        """Remove the part where it is there."""
        with translate_infrastructure_errors(f"removing {self.title}"):
            found = self.find()
            if found is None:
                return RemovedResource(self.component, self.name, RemovalOutcome.MISSING)
            reason = self._delete(found)
            logger.info("left" if reason else "removed", extra=self._extra())
            return RemovedResource(
                self.component,
                self.name_of(found),
                RemovalOutcome.LEFT if reason else RemovalOutcome.REMOVED,
                reason,
            )

    def _delete(self, found: Found) -> str:
        try:
            return self.delete(found)
        except ClientError as error:  # somebody else may remove it at the same time
            if error.response["Error"]["Code"] not in GONE_CODES:
                raise
        return ""

    def _find_again(self) -> Found:
        found = self.find()
        if found is None:
            raise InfrastructureError(f"{self.title} appears and disappears: somebody removes it meanwhile")
        return found

    def _created(self) -> ProvisionedResource:
        logger.info("created", extra=self._extra())
        return ProvisionedResource(self.component, self.name, created=True)

    def _existing(self, name: str, differences: tuple[Drift, ...]) -> ProvisionedResource:
        logger.warning("exists already, creation skipped", extra=self._extra(differences))
        return ProvisionedResource(self.component, name, created=False, differences=differences)

    def _extra(self, differences: Iterable[Drift] = ()) -> dict[str, object]:
        names = [difference.attribute for difference in differences]
        return {"part": self.component.value, "part_name": self.name, "differences": names}
