"""Identifiers of the published schemas."""

import re

from domain.model.events.sent import SentEvent


def schema_id(model: type[SentEvent]) -> str:
    """Return the `$id` of the published schema of a version."""
    return f"urn:batch-transcription:event:{hyphenated(model.DETAIL_TYPE)}:{model.SCHEMA_VERSION}"


def hyphenated(name: str) -> str:
    """Write the name of a type as it stands in the names of files and schemas."""
    return re.sub("(?<=[a-z])(?=[A-Z])", "-", name).lower()
