"""Operator of a request: the caller, and the objects that operators work on."""

import logging
from collections.abc import Callable
from typing import Annotated, NamedTuple, TypeVar

from fastapi import Request, Security
from starlette.concurrency import run_in_threadpool

from bootstrap.container import Container
from bootstrap.factories.route import RouteContainer
from bootstrap.transports import is_on_aws
from domain.model.access import Scope
from domain.model.errors import InfrastructureError
from domain.model.events.kinds import EventKind
from domain.model.identity import Identity
from entrypoints.api.access import CallerDependency
from entrypoints.api.browsers import refuse_other_sites
from entrypoints.api.dependencies import get_container

logger = logging.getLogger(__name__)

NOT_STORED = {"Cache-Control": "no-store"}
"""Headers of answers that no cache may keep."""

Result = TypeVar("Result")


class Operator(NamedTuple):
    """Collaborators of one operator's request."""

    identity: Identity
    container: Container

    def route(self, kind: EventKind) -> RouteContainer:
        """Return the route of a kind of events.

        Raises:
            InfrastructureError: the transport has none.
        """
        transport = self.container.event_transport()
        if not is_on_aws(transport):
            raise InfrastructureError(
                f"Events go to {transport}, which has no route that could be looked at."
            )
        route: RouteContainer = self.container.routes()[kind]
        return route

    async def run(self, action: Callable[[], Result]) -> Result:
        """Run a blocking action in a thread beside those of jobs, which it may not hold up."""
        return await run_in_threadpool(action)

    def log(self, action: str, **facts: object) -> None:
        """Log an action with the operator who asked for it."""
        who = {"operator": self.identity.user_id, "operator_tenant": str(self.identity.tenant_id)}
        logger.info(action, extra={**who, **facts})


async def get_operator(request: Request, caller: CallerDependency) -> Operator:
    """Collect the collaborators of an operator's request.

    Raises:
        AccessDeniedError: a page of another site sent the request.
    """
    refuse_other_sites(request)
    return Operator(caller.identity, await get_container(request))


OperatorDependency = Annotated[Operator, Security(get_operator, scopes=[Scope.OPERATE])]
