"""The archive of the route's events."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from adapters.aws.route.definition import event_pattern
from adapters.aws.route.drift import archive_differences
from adapters.aws.route.resource import ManagedResource
from domain.model.errors import InfrastructureError
from domain.model.route.route import Drift, RouteComponent

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import DescribeArchiveResponseTypeDef

    from adapters.aws.route.definition import Route
    from adapters.aws.route.patience import Patience


class RouteArchive(ManagedResource["DescribeArchiveResponseTypeDef"]):
    """The archive that keeps what the rule takes.

    Args:
        days: how long it keeps events, 0 for good; None where nobody said.
    """

    def __init__(
        self, events: "EventBridgeClient", route: "Route", patience: "Patience", days: int | None
    ) -> None:
        super().__init__(RouteComponent.ARCHIVE, route.names.archive, f"the archive {route.names.archive}")
        self._events = events
        self._bus_arn = route.bus_arn
        self._pattern = event_pattern(route.names)
        self._days = days
        self._patience = patience

    def find(self) -> "DescribeArchiveResponseTypeDef | None":
        """Look it up by its name."""
        try:
            return self._events.describe_archive(ArchiveName=self.name)
        except self._events.exceptions.ResourceNotFoundException:
            return None

    def create(self) -> bool:
        """Create it; false where somebody was faster."""
        try:
            self._events.create_archive(
                ArchiveName=self.name,
                EventSourceArn=self._bus_arn,
                EventPattern=self._pattern,
                RetentionDays=self._days or 0,
            )
        except self._events.exceptions.ResourceAlreadyExistsException:
            return False
        return True

    def differences(self, found: "DescribeArchiveResponseTypeDef") -> Iterable[Drift]:
        """Bus, pattern, retention, state."""
        return archive_differences(self._pattern, self._days, self._bus_arn, found)

    def mend(self, found: "DescribeArchiveResponseTypeDef", differences: Sequence[Drift]) -> None:
        """Set pattern and retention; another bus's archive is somebody else's."""
        if any(difference.attribute == "EventSourceArn" for difference in differences):
            raise InfrastructureError(
                f"{self.title} keeps the events of {found['EventSourceArn']}, and nothing of it was changed: "
                "choose another ARCHIVE_NAME"
            )
        days = found.get("RetentionDays", 0) if self._days is None else self._days
        self._patience(
            lambda: self._events.update_archive(
                ArchiveName=self.name, EventPattern=self._pattern, RetentionDays=days
            )
        )

    def delete(self, found: "DescribeArchiveResponseTypeDef") -> str:
        """Delete it with everything in it, unless it is another bus's."""
        if found["EventSourceArn"] != self._bus_arn:
            return f"it keeps the events of {found['EventSourceArn']}"
        self._patience(lambda: self._events.delete_archive(ArchiveName=self.name))
        return ""

    def state_of(self, found: "DescribeArchiveResponseTypeDef") -> str:
        """Its state, how long it keeps events, and how many it has."""
        days = found.get("RetentionDays", 0)
        kept = f"{days} days" if days else "for good"
        return f"{found['State']}, keeps {kept}, {found.get('EventCount', 0)} events"
