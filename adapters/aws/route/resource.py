"""Base class of the route's resources: find, create, compare, change and delete each of them."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from botocore.exceptions import ClientError

from adapters.aws.errors import translate_infrastructure_errors
from domain.model.errors import InfrastructureError
from domain.model.route.route import Drift, ProvisionedResource, RouteComponent
from domain.model.route.status import QueueLoad, RemovalOutcome, RemovedResource, ResourceStatus

logger = logging.getLogger(__name__)

Found = TypeVar("Found")
Result = TypeVar("Result")

MAX_TRIES = 5
PAUSE_SECONDS = 1.0
TRANSIENT_CODES = frozenset(
    {
        "ConcurrentAccess",  # of SNS: another process provisions at the same time
        "ConcurrentModificationException",  # of EventBridge, the same
        "AWS.SimpleQueueService.NonExistentQueue",  # SQS may take a second to know what it just created
        "QueueDoesNotExist",
    }
)

GONE_CODES = frozenset(
    {"ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NotFound"}
)


def retry_transient(call: Callable[[], Result], pause: Callable[[float], None] = time.sleep) -> Result:
    """Repeat a call that fails with a transient code; raise the error of the last try."""
    for _ in range(MAX_TRIES - 1):
        try:
            return call()
        except ClientError as error:
            if error.response["Error"]["Code"] not in TRANSIENT_CODES:
                raise
        pause(PAUSE_SECONDS)
    return call()


class ManagedResource(ABC, Generic[Found]):
    """One resource of the route as it should be; `Found` is the resource as AWS describes it.

    The five abstract methods call AWS; the others translate errors and return results of the domain.
    """

    def __init__(
        self, component: RouteComponent, name: str, title: str, pause: Callable[[float], None]
    ) -> None:
        self.component = component
        self.name = name
        self.title = title
        self._pause = pause

    @abstractmethod
    def find(self) -> Found | None:
        """Describe the resource; None where it does not exist."""

    @abstractmethod
    def create(self) -> bool:
        """Create the resource; False where another process created it first."""

    @abstractmethod
    def differences(self, found: Found) -> Iterable[Drift]:
        """Compare the resource found with the one wanted."""

    @abstractmethod
    def apply(self, found: Found, differences: Sequence[Drift]) -> None:
        """Change the attributes that differ and are ours; leave all others."""

    @abstractmethod
    def delete(self, found: Found) -> str:
        """Delete the resource; return the reason where it has to be left."""

    def name_of(self, found: Found) -> str:  # noqa: ARG002 - most resources have the name that is wanted
        """Return the name of the resource found."""
        return self.name

    def state_of(self, found: Found) -> str:  # noqa: ARG002 - most resources have no state
        """Return AWS's word for the resource's state."""
        return ""

    def load_of(self, found: Found) -> QueueLoad | None:  # noqa: ARG002 - most resources hold no messages
        """Return the message counts of a queue."""
        return None

    def ensure(self) -> ProvisionedResource:
        """Create the resource where it is missing; otherwise leave it and log a warning (requirement 7.6)."""
        with translate_infrastructure_errors(f"provisioning {self.title}"):
            found = self.find()
            if found is None and self.create():
                return self._created()
            found = found or self._find_again()
            return self._existing(self.name_of(found), tuple(self.differences(found)))

    def repair(self) -> ProvisionedResource:
        """Create the resource where it is missing; otherwise change what differs and is ours."""
        with translate_infrastructure_errors(f"repairing {self.title}"):
            found = self.find()
            if found is None and self.create():
                return self._created()
            found = found or self._find_again()
            differences = tuple(self.differences(found))
            mended = tuple(difference for difference in differences if difference.ours)
            if mended:
                self.apply(found, mended)
                logger.info("mended", extra=self._extra(mended))
            others = tuple(difference for difference in differences if not difference.ours)
            return ProvisionedResource(
                self.component, self.name_of(found), created=False, differences=others, mended=mended
            )

    def status(self, *, expected: bool = True) -> ResourceStatus:
        """Report the status of the resource; a failed read is part of the status, not an error."""
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
        """Delete the resource if it exists."""
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
        except ClientError as error:  # another process may delete it at the same time
            if error.response["Error"]["Code"] not in GONE_CODES:
                raise
        return ""

    def _find_again(self) -> Found:
        found = self.find()
        if found is None:
            raise InfrastructureError(
                f"{self.title} was deleted by another process while it was being provisioned; "
                "run the command again"
            )
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
