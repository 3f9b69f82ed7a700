"""How the route of the events is set up, looked into, mended and removed."""

from abc import abstractmethod
from typing import Protocol

from domain.model.route.route import Finding, ProvisioningReport
from domain.model.route.status import Inspection, RemovedResource


class EventInfrastructurePort(Protocol):
    """Bus, rule, target, queue and dead-letter queue, as one route; and an archive of its events, if wanted.

    `archive_days` says for how many days the archive keeps events (0: for good); None where none is wanted.
    Several may do any of this at the same time. Whatever was interrupted is completed by doing it again.
    Methods raise `InfrastructureError`, unless they say otherwise, where a part cannot be read or changed;
    its message names the part, the operation that failed, and what to do.
    """

    @abstractmethod
    def provision(self, *, archive_days: int | None = None) -> ProvisioningReport:
        """Create what is missing: dead-letter queue, queue, rule, target, archive, in this order; then check.

        What exists is never changed. It is skipped with a warning, and where it differs from what would have
        been created, each attribute is named. The bus is not created: one that is missing is most likely a
        wrong name.
        """
        ...

    @abstractmethod
    def repair(self, *, archive_days: int | None = None) -> ProvisioningReport:
        """Create what is missing, and change what differs and is ours; then check.

        What others have added stays: statements of policies, targets of the rule.
        """
        ...

    @abstractmethod
    def inspect(self, *, archive_days: int | None = None) -> Inspection:
        """Say how each part stands, without changing or receiving anything.

        A part that may not be read is told as such, and the others are still looked at.
        """
        ...

    @abstractmethod
    def remove(self, *, force: bool = False, archive: bool = False) -> tuple[RemovedResource, ...]:
        """Remove target, rule, queue and dead-letter queue, in this order; the archive only if asked to.

        Refuses while a message waits or is in flight in one of the queues, unless forced. Never touches the
        bus, nor what others have added: a rule with other targets and a dead-letter queue of other queues
        are left. What is not there is no error.
        """
        ...

    @abstractmethod
    def diagnose(self) -> tuple[Finding, ...]:
        """Say which links of the route are broken, as far as their configuration tells; empty if none is.

        What may not be read is a finding that is not proven. Changes nothing, sends nothing, never raises.
        """
        ...
