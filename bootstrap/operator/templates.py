"""The route for teams that provision with tools of their own."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from adapters.aws.templates.cloudformation import cloudformation
from adapters.aws.templates.templates import WantedRoute
from adapters.aws.templates.terraform import terraform

if TYPE_CHECKING:
    from bootstrap.settings import Settings


class RouteTemplate(StrEnum):
    """What reads the template; both are JSON."""

    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"


_PRINTERS: Mapping[RouteTemplate, Callable[[WantedRoute], str]] = {
    RouteTemplate.CLOUDFORMATION: cloudformation,
    RouteTemplate.TERRAFORM: terraform,
}


def route_template(settings: "Settings", template: RouteTemplate, *, archive_days: int | None) -> str:
    """The route of these settings, for any account and region; needs no credentials.

    Args:
        settings: what the parts are called, and which key encrypts the queues.
        template: for which tool.
        archive_days: for how long an archive keeps events (0: for good); None for no archive.
    """
    from bootstrap.container import build_container  # noqa: PLC0415 - slow to import, and `--help` only names the tools

    names = build_container(settings).route_names()
    return _PRINTERS[template](WantedRoute(names, settings.queue_kms_key, archive_days))
