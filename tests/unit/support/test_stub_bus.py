"""The stub bus: the rules of AWS that other emulators relax, and its faults.

It is also bound to the contract of `EventPort`, in tests/unit/adapters/aws/eventbridge/test_publisher.py.
"""

import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.support.aws.event_bridges import IMPATIENT, PATIENT, client_of
from tests.support.doubles.bus_faults import INTERNAL_ERROR, THROTTLED, Cut, EntryCount, Refusal, TextRefused
from tests.support.doubles.stub_bus import StubBus

pytestmark = pytest.mark.slow

ENTRY = {"Source": "s", "DetailType": "dt", "Detail": "{}"}


@pytest.fixture
def bus() -> Iterator[StubBus]:
    with StubBus("default", "orders", max_bytes=100) as bus:
        yield bus


def put(bus: StubBus, *entries: dict[str, Any], config: Config = PATIENT) -> list[dict[str, Any]]:
    return list(client_of(bus.url, config).put_events(Entries=entries)["Entries"])  # type: ignore[arg-type]


def test_a_bus_is_known_by_name_and_arn_and_an_unknown_one_accepts_and_drops(bus: StubBus) -> None:
    arn = "arn:aws:events:us-east-1:000000000000:event-bus/orders"
    results = put(bus, *({**ENTRY, "EventBusName": name} for name in ("orders", arn, "nowhere")))

    assert all(result["EventId"] for result in results)
    assert [entry["EventBusName"] for entry in bus.accepted] == ["orders", arn]
    assert [entry["EventBusName"] for entry in bus.dropped] == ["nowhere"]


def test_the_size_limit_is_for_the_bytes_of_all_entries_together(bus: StubBus) -> None:
    fits = {**ENTRY, "Detail": '{"a":"' + "€" * 29 + 'xx"}'}
    put(bus, fits)

    for entries in ([{**fits, "Source": "ss"}], [{**ENTRY, "Source": "s" * 50}] * 2):
        with pytest.raises(ClientError, match="over the limit"):
            put(bus, *entries)
    assert len(bus.accepted) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Detail": "[]"}, "MalformedDetail"),
        ({"Detail": '{"a":NaN}'}, "MalformedDetail"),
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException"),
    ],
)
def test_an_invalid_entry_is_refused_alone(bus: StubBus, fields: dict[str, str], code: str) -> None:
    results = put(bus, ENTRY, {**ENTRY, **fields})

    assert [result.get("ErrorCode") for result in results] == [None, code]


@pytest.mark.parametrize("fault", [Refusal("Fault", at=1), TextRefused("Fault", text="poison")])
def test_one_entry_of_several_is_refused(bus: StubBus, fault: Refusal) -> None:
    bus.fail_next(fault)

    results = put(bus, ENTRY, {**ENTRY, "Detail": '{"a":"poison"}'}, ENTRY)

    assert [result.get("ErrorCode") for result in results] == [None, "Fault", None]


@pytest.mark.parametrize(
    ("cut", "error", "accepted"),
    [
        (Cut.RESET, ConnectionClosedError, 0),
        (Cut.CLOSE, ConnectionClosedError, 1),
        (Cut.HALFWAY, ConnectionClosedError, 1),
        (Cut.HANG, ReadTimeoutError, 1),
    ],
)
def test_a_connection_breaks_before_or_after_the_event_is_accepted(
    bus: StubBus, cut: Cut, error: type[Exception], accepted: int
) -> None:
    bus.fail_next(cut)

    with pytest.raises(error):
        put(bus, ENTRY, config=IMPATIENT if cut is Cut.HANG else PATIENT)
    assert len(bus.accepted) == accepted


def test_faults_come_in_order_and_end(bus: StubBus) -> None:
    bus.fail_next(THROTTLED, INTERNAL_ERROR, EntryCount(3))

    for code in ("ThrottlingException", "InternalException"):
        with pytest.raises(ClientError, match=code):
            put(bus, ENTRY)

    assert [len(put(bus, ENTRY)) for _ in range(2)] == [3, 1]
    assert bus.calls == 4


def test_an_accident_within_the_stub_fails_the_test() -> None:
    with pytest.raises(ExceptionGroup, match="by accident"), StubBus() as bus:  # noqa: PT012 - leaving raises
        headers = {"X-Amz-Target": "AWSEvents.PutEvents", "Authorization": "AWS4-HMAC-SHA256"}
        request = urllib.request.Request(bus.url, data=b"not JSON", headers=headers)  # noqa: S310 - a URL of ours
        with pytest.raises(OSError, match="closed"):
            urllib.request.urlopen(request)  # noqa: S310 - a URL of ours
