"""The archive of the route's events."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from adapters.aws.route.definition import event_pattern
from adapters.aws.route.drift import archive_differences
from adapters.aws.route.resource import ManagedResource, retry_transient
from domain.model.errors import InfrastructureError
from domain.model.route.route import Drift, RouteComponent

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import DescribeArchiveResponseTypeDef

    from adapters.aws.route.definition import Route


class RouteArchive(ManagedResource["DescribeArchiveResponseTypeDef"]):
    """Archive of the events that the rule matches, for `days`: 0 for good, None where none is configured."""

    def __init__(
        self, events: "EventBridgeClient", route: "Route", pause: Callable[[float], None], days: int | None
    ) -> None:
        name = route.names.archive
        super().__init__(RouteComponent.ARCHIVE, name, f"the archive {name}", pause)
        self._events = events
        self._bus_arn = route.bus_arn
        self._pattern = event_pattern(route.names)
        self._days = days

    def find(self) -> "DescribeArchiveResponseTypeDef | None":
        """Describe the archive."""
        try:
            return self._events.describe_archive(ArchiveName=self.name)
        except self._events.exceptions.ResourceNotFoundException:
            return None

    def create(self) -> bool:
        """Create the archive; False where another process created it first."""
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
        """Compare bus, pattern, retention and state."""
        return archive_differences(self._pattern, self._days, self._bus_arn, found)

    def apply(self, found: "DescribeArchiveResponseTypeDef", differences: Sequence[Drift]) -> None:
        """Set pattern and retention; refuse where the archive belongs to another bus."""
        if any(difference.attribute == "EventSourceArn" for difference in differences):
            raise InfrastructureError(
                f"{self.title} keeps the events of {found['EventSourceArn']}, and nothing of it was changed: "
                "choose another ARCHIVE_NAME"
            )
        days = found.get("RetentionDays", 0) if self._days is None else self._days
        retry_transient(
            lambda: self._events.update_archive(
                ArchiveName=self.name, EventPattern=self._pattern, RetentionDays=days
            ),
            self._pause,
        )

    def delete(self, found: "DescribeArchiveResponseTypeDef") -> str:
        """Delete the archive with all its events, unless it belongs to another bus."""
        if found["EventSourceArn"] != self._bus_arn:
            return f"it keeps the events of {found['EventSourceArn']}"
        retry_transient(lambda: self._events.delete_archive(ArchiveName=self.name), self._pause)
        return ""

    def state_of(self, found: "DescribeArchiveResponseTypeDef") -> str:
        """Return state, retention and number of events."""
        days = found.get("RetentionDays", 0)
        kept = f"{days} days" if days else "for good"
        return f"{found['State']}, keeps {kept}, {found.get('EventCount', 0)} events"
