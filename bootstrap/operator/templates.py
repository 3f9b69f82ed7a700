"""The route as a file for CloudFormation or Terraform; `deploy/` links to both files."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.aws.route.definition import MAX_REPLAY_STEM, MAX_TARGET_ID
from domain.model.errors import ConfigurationError
from domain.model.events.kinds import EventKind

if TYPE_CHECKING:
    from bootstrap.settings import Settings

FOLDER = Path(__file__).parent


class RouteTemplate(StrEnum):
    """The tool that reads the file; both files are JSON."""

    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"


def route_template(
    settings: "Settings",
    template: RouteTemplate,
    *,
    archive_days: int | None,
    kind: EventKind = EventKind.COMPLETED,
) -> str:
    """Fill the settings into the file of a tool; it fits any account and region, and needs no credentials.

    An archive keeps events for `archive_days` (0: for good); None for no archive. A route without an archive
    ignores them.

    Raises:
        ConfigurationError: events go to SNS, whose route has no file.
    """
    if settings.is_sns:
        raise ConfigurationError(
            "EVENT_TRANSPORT=sns: both files are of a route of EventBridge; run `transcripts provision`"
        )
    names = settings.routes[kind]
    values = settings.model_dump() | {
        "rule_name": names.rule,
        "queue_name": names.queue,
        "dlq_name": names.dead_letter_queue,
        "archive_name": names.archive,
        "archive_days": archive_days if names.archive else None,
    }
    is_stack = template is RouteTemplate.CLOUDFORMATION
    file = FOLDER / ("cloudformation.json" if is_stack else "terraform.tf.json")
    text = file.read_text(encoding="utf-8").replace(EventKind.COMPLETED.detail_type, kind.detail_type)
    return json.dumps((_cloudformation if is_stack else _terraform)(text, values), indent=2)


def _cloudformation(text: str, values: dict[str, object]) -> object:
    """Replace the parameters: an update of a stack would keep their old values and ignore new defaults."""
    given = {name.title().replace("_", ""): value for name, value in (values | _cut(values)).items()}
    for name in json.loads(text)["Parameters"]:
        value = "" if given[name] is None else str(given[name])
        text = text.replace(f'{{"Ref": "{name}"}}', f'"{value}"').replace(f"${{{name}}}", value)
    document = json.loads(text)
    del document["Parameters"]
    return document


def _cut(values: dict[str, object]) -> dict[str, object]:
    """Cut what must be short; CloudFormation has no function for it."""
    return {
        "replay_stem": str(values["rule_name"])[:MAX_REPLAY_STEM],
        "target_id": str(values["queue_name"])[:MAX_TARGET_ID],
    }


def _terraform(text: str, values: dict[str, object]) -> object:
    """Make the settings the defaults of the variables."""
    document = json.loads(text)
    for name, variable in document["variable"].items():
        variable["default"] = values[name]
    return document
