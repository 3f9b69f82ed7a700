"""Messages in the form in which the bus delivers them to a queue."""

import json
from collections.abc import Sequence

from domain.model.events.event import DEFAULT_EVENT_SOURCE
from domain.model.events.sent import SentEvent
from tests.support.samples.factories import an_event


def enveloped(
    event: SentEvent | None = None,
    *,
    detail: object = None,
    resources: Sequence[str] = (),
    replay: str | None = None,
    detail_type: object = None,
    **changes: object,
) -> str:
    """Build the body of a message with an event, or with `detail`; `changes` replace or add keys."""
    event = event or an_event()
    around = {
        "version": "0",
        "id": "bbc3cf1a-0000-4000-8000-000000000000",
        "detail-type": event.DETAIL_TYPE if detail_type is None else detail_type,
        "source": DEFAULT_EVENT_SOURCE,
        "account": "123456789012",
        "time": "2026-11-24T09:45:32Z",
        "region": "us-east-1",
        "resources": list(resources),
        "detail": json.loads(event.to_json()) if detail is None else detail,
        **({"replay-name": replay} if replay else {}),
        **changes,
    }
    return json.dumps({key: value for key, value in around.items() if value is not ...})
