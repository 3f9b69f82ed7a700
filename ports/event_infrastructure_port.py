"""Port for provisioning, repairing, inspecting and removing the route of the events."""

from abc import abstractmethod
from typing import Protocol

from domain.model.route.route import Finding, ProvisioningReport
from domain.model.route.status import Inspection, RemovedResource


class EventInfrastructurePort(Protocol):
    """The route of bus, rule, target, queue and dead-letter queue, with an optional archive of its events.

    `archive_days` is the retention of the archive (0: for good); None where no archive is wanted. A route
    whose names have no archive never gets one. Several
    processes may call any method at the same time. An interrupted call is completed by repeating it. Methods
    raise `InfrastructureError`, unless they say otherwise, where a resource cannot be read or changed; the
    message names the resource, the failed operation, and the remedy.
    """

    @abstractmethod
    def provision(self, *, archive_days: int | None = None) -> ProvisioningReport:
        """Create missing resources: dead-letter queue, queue, rule, target, archive; then check the route.

        Existing resources are never changed, but skipped with a warning that names each attribute that
        differs. The bus is not created: a missing one is most likely a wrong name.
        """
        ...

    @abstractmethod
    def repair(self, *, archive_days: int | None = None) -> ProvisioningReport:
        """Create missing resources, change those that differ; then check.

        Additions of others are kept: statements of policies, targets of the rule.
        """
        ...

    @abstractmethod
    def inspect(self, *, archive_days: int | None = None) -> Inspection:
        """Report the status of each resource, without changing any or receiving a message.

        A resource that cannot be read is reported as such, and the others are still read.
        """
        ...

    @abstractmethod
    def remove(self, *, force: bool = False, archive: bool = False) -> tuple[RemovedResource, ...]:
        """Remove target, rule, queue and dead-letter queue, in this order; the archive only where requested.

        Refuses while one of the queues holds a message, unless forced. Keeps the bus and the additions of
        others: a rule with other targets and a dead-letter queue of other queues are left. A missing resource
        is no error.
        """
        ...

    @abstractmethod
    def diagnose(self) -> tuple[Finding, ...]:
        """List the broken components of the route by their configuration; empty where none is broken.

        A component that cannot be read is an unproven finding. Changes nothing, sends nothing, never raises.
        """
        ...
