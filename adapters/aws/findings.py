"""Run a check of a component; a check that fails is itself a finding."""

from collections.abc import Callable, Iterable

from adapters.aws.errors import translate_infrastructure_errors
from domain.model.errors import InfrastructureError
from domain.model.route.route import Finding, RouteComponent

Check = Callable[[], Iterable[Finding]]

TRY_AGAIN = "Correct what the message names, and try again."


def checked(component: RouteComponent, check: Check, remedy: str = TRY_AGAIN) -> tuple[Finding, ...]:
    """Return the findings of the check, or an unproven finding where the check fails."""
    try:
        with translate_infrastructure_errors(f"checking the {component}"):
            return tuple(check())
    except InfrastructureError as error:
        problem = f"the {component} could not be checked"
        return (Finding(component, problem, str(error), remedy, proven=False),)
