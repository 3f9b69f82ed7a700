"""How the route of the events is set up and looked into."""

from abc import abstractmethod
from typing import Protocol

from domain.model.infrastructure import Finding, Provisioning


class EventInfrastructurePort(Protocol):
    """Bus, rule, target, queue and dead-letter queue, as one route.

    What exists is never changed. Several may provision at the same time.
    """

    @abstractmethod
    def provision(self) -> Provisioning:
        """Create what is missing: dead-letter queue, queue, rule, target, in this order; then check it all.

        What exists is skipped with a warning, and where it differs from what would have been created, each
        attribute is named. The bus is not created: a bus that is missing is most likely a wrong name.

        Raises:
            InfrastructureError: a part cannot be read or created. The message says what to do; running it
                again completes what was begun.
        """
        ...

    @abstractmethod
    def diagnose(self) -> tuple[Finding, ...]:
        """Say which links of the route are broken, as far as their configuration tells; empty if none is.

        What may not be read is a finding that is not proven. Changes nothing, sends nothing, never raises.
        """
        ...
