"""What templates of the route have in common, whichever tool reads them: they fit any account and region."""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from adapters.aws.route.definition import Route
from domain.model.route.route import RouteNames

Json = dict[str, object]

PARTITION, REGION, ACCOUNT = "@partition@", "@region@", "@account@"
"""What stands in ARNs for what is known only where the template is used."""


class WantedRoute(NamedTuple):
    """What a template is to create; the bus has to be there.

    Attributes:
        names: of bus, rule, queues and archive.
        key: the KMS key that encrypts both queues; None for SQS's own encryption.
        archive_days: for how long an archive keeps events (0: for good); None for no archive.
    """

    names: RouteNames
    key: str | None = None
    archive_days: int | None = None

    @property
    def anywhere(self) -> Route:
        """The route that `transcripts provision` creates, in an account and a region to be named."""
        bus = f"arn:{PARTITION}:events:{REGION}:{ACCOUNT}:event-bus/{self.names.bus}"
        return Route(self.names, bus, self.key, replays=self.archive_days is not None)


def typed(attribute: str, value: str) -> object:
    """SQS takes texts; templates have types."""
    if attribute == "KmsMasterKeyId":
        return value
    parsed: object = json.loads(value)
    return parsed


def filled_in(value: object, fill_in: Callable[[str], object]) -> object:
    """The same document, with something else for each text in it."""
    match value:
        case str():
            return fill_in(value)
        case dict():
            return {key: filled_in(each, fill_in) for key, each in value.items()}
        case list():
            return [filled_in(each, fill_in) for each in value]
    return value


def replaced(text: str, values: Mapping[str, str]) -> str:
    """The text with other words for its placeholders."""
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text
