"""The body of a PutEvents call, written by us: long transcripts cost botocore more than sending them does.

botocore looks at each field, and writes texts with Python's JSON encoder, a character at a time and as ASCII.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_ENTRIES = "entries"
"""Where the context of a call keeps them, while botocore makes a request of what is left."""


def use_fast_serializer(client: "EventBridgeClient") -> None:
    """Have the client send bodies of ours; it may be told so again."""
    events = client.meta.events
    events.register("before-parameter-build.eventbridge.PutEvents", _defer_entries, unique_id="defer-entries")
    events.register("before-call.eventbridge.PutEvents", _write, unique_id="write-entries")


def _defer_entries(params: dict[str, Any], context: dict[str, Any], **_others: object) -> None:
    """Leave botocore the least that it finds valid."""
    context[_ENTRIES], params["Entries"] = params["Entries"], [{}]


def _write(params: dict[str, Any], context: Mapping[str, Any], **_others: object) -> None:
    params["body"] = body(context[_ENTRIES])


def body(entries: "Sequence[PutEventsRequestEntryTypeDef]") -> bytes:
    """The entries as JSON in UTF-8; times are seconds since 1970, as botocore writes them."""
    return to_json({"Entries": entries}, temporal_mode="seconds")
