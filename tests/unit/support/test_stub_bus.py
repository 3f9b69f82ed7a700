"""The stub bus itself: each rule that it takes from AWS, and each fault."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.support.aws.event_bridges import IMPATIENT, client_of
from tests.support.doubles.stub_bus import (
    ACCESS_DENIED,
    EXPIRED_TOKEN,
    INTERNAL_ERROR,
    THROTTLED,
    CallError,
    CallRefusedError,
    Cut,
    EntryCount,
    Garbage,
    Latency,
    Refusal,
    SomeRefused,
    StubBus,
    TextRefused,
)
from tests.support.samples.factories import A_MOMENT


@pytest.fixture
def bus() -> Iterator[StubBus]:
    with StubBus("default", "orders", max_bytes=100) as bus:
        yield bus


def put(bus: StubBus, *entries: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = dict(client_of(bus.url, IMPATIENT).put_events(Entries=entries))  # type: ignore[arg-type]
    del answer["ResponseMetadata"]
    return answer


def entry(**fields: Any) -> dict[str, Any]:
    return {"Source": "s", "DetailType": "dt", "Detail": "{}", **fields}


def test_an_entry_is_accepted_with_an_id_of_its_own(bus: StubBus) -> None:
    answer = put(bus, entry(), entry())

    assert answer["FailedEntryCount"] == 0
    assert len({result["EventId"] for result in answer["Entries"]}) == 2
    assert bus.accepted == [entry(), entry()]


def test_an_unknown_bus_accepts_and_drops(bus: StubBus) -> None:
    answer = put(bus, entry(EventBusName="nowhere"))

    assert answer["Entries"][0]["EventId"]
    assert bus.accepted == []
    assert bus.dropped == [entry(EventBusName="nowhere")]


@pytest.mark.parametrize("name", ["orders", "arn:aws:events:us-east-1:000000000000:event-bus/orders"])
def test_a_bus_is_known_by_its_name_and_its_arn(bus: StubBus, name: str) -> None:
    put(bus, entry(EventBusName=name))

    assert len(bus.accepted) == 1


def test_a_call_has_at_most_ten_entries(bus: StubBus) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        put(bus, *[entry()] * 11)

    assert bus.accepted == []
    assert len(put(bus, *[entry()] * 10)["Entries"]) == 10


def test_a_call_has_at_least_one_entry(bus: StubBus) -> None:
    with pytest.raises(CallRefusedError, match="ValidationException"):  # boto3 would not send it
        bus.put({"Entries": []})


@pytest.mark.parametrize(
    "fields",
    [
        {"Detail": '{"a":"' + "x" * 89 + '"}'},
        {"Detail": '{"a":"' + "€" * 29 + 'xx"}'},
        {"Resources": ["r" * 50, "r" * 45]},
        {"Resources": ["r" * 81], "Time": A_MOMENT},
    ],
    ids=["characters", "bytes, not characters", "resources", "time"],
)
def test_the_size_limit_is_exact_to_the_byte(bus: StubBus, fields: dict[str, Any]) -> None:
    put(bus, entry(**fields))

    with pytest.raises(ClientError, match="over the limit"):
        put(bus, entry(**fields, EventBusName="counts for nothing") | {"Source": "ss"})
    assert len(bus.accepted) == 1


def test_the_size_limit_is_for_all_entries_together(bus: StubBus) -> None:
    with pytest.raises(ClientError, match="over the limit"):
        put(bus, *[entry(Source="s" * 50)] * 2)


@pytest.mark.parametrize("detail", ["[]", '"text"', "1", "null", "{", '{"a":NaN}', '{"a":-Infinity}'])
def test_a_detail_is_a_json_object(bus: StubBus, detail: str) -> None:
    answer = put(bus, entry(Detail=detail))

    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "MalformedDetail"
    assert bus.accepted == []


@pytest.mark.parametrize("missing", ["Source", "DetailType", "Detail"])
def test_an_entry_has_a_source_a_type_and_a_detail(bus: StubBus, missing: str) -> None:
    incomplete = entry()
    del incomplete[missing]

    assert put(bus, incomplete)["Entries"][0]["ErrorCode"] == "InvalidArgument"


def test_only_aws_speaks_as_aws(bus: StubBus) -> None:
    answer = put(bus, entry(Source="aws.s3"), entry(Source="awsome"))

    assert [result.get("ErrorCode") for result in answer["Entries"]] == [
        "NotAuthorizedForSourceException",
        None,
    ]


def test_an_unsigned_call_is_refused(bus: StubBus) -> None:
    request = urllib.request.Request(  # noqa: S310 - a URL of ours
        bus.url, data=b"{}", headers={"X-Amz-Target": "AWSEvents.PutEvents"}
    )
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(request)  # noqa: S310 - a URL of ours
    refused.value.close()


def test_other_operations_are_unknown(bus: StubBus) -> None:
    with pytest.raises(ClientError, match="UnknownOperationException"):
        client_of(bus.url).list_event_buses()


def test_one_entry_of_several_is_refused(bus: StubBus) -> None:
    bus.fail_next(Refusal("ThrottlingException", "Rate exceeded", at=1))

    answer = put(bus, entry(), entry(Source="other"), entry())

    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][1] == {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
    assert bus.accepted == [entry(), entry()]


def test_a_share_of_the_entries_is_refused(bus: StubBus) -> None:
    bus.fail_always(SomeRefused("ThrottlingException", share=0.3))

    refused = sum(put(bus, *[entry()] * 10)["FailedEntryCount"] for _ in range(30))

    assert 60 <= refused <= 120
    assert len(bus.accepted) == 300 - refused


def test_entries_are_refused_for_what_is_in_them(bus: StubBus) -> None:
    bus.fail_always(TextRefused("MalformedDetail", text="poison"))

    answer = put(bus, entry(), entry(Detail='{"a":"poison"}'), entry())

    assert [result.get("ErrorCode") for result in answer["Entries"]] == [None, "MalformedDetail", None]


@pytest.mark.parametrize("fault", [INTERNAL_ERROR, THROTTLED, EXPIRED_TOKEN, ACCESS_DENIED])
def test_a_call_is_refused(bus: StubBus, fault: CallError) -> None:
    bus.fail_next(fault)

    with pytest.raises(ClientError) as refused:
        put(bus, entry())

    assert refused.value.response["Error"] == {"Code": fault.code, "Message": fault.message}
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == fault.status
    assert bus.accepted == []


def test_a_connection_is_reset_before_anything_is_taken(bus: StubBus) -> None:
    bus.fail_next(Cut.RESET)

    with pytest.raises(ConnectionClosedError):
        put(bus, entry())
    assert bus.accepted == []


def test_a_connection_is_closed_after_the_event_was_taken(bus: StubBus) -> None:
    bus.fail_next(Cut.CLOSE)

    with pytest.raises(ConnectionClosedError):
        put(bus, entry())
    assert bus.accepted == [entry()]


def test_a_connection_breaks_in_the_middle_of_the_answer(bus: StubBus) -> None:
    bus.fail_next(Cut.HALFWAY)

    with pytest.raises(ConnectionClosedError) as caught:
        put(bus, entry())
    assert "Connection broken" in str(caught.value.kwargs["error"])  # not aborted: it had begun
    assert bus.accepted == [entry()]


def test_an_answer_never_comes_although_the_event_was_taken(bus: StubBus) -> None:
    bus.fail_next(Cut.HANG)

    with pytest.raises(ReadTimeoutError):
        put(bus, entry())
    assert bus.accepted == [entry()]


def test_an_answer_comes_late(bus: StubBus) -> None:
    bus.fail_next(Latency(0.1))

    begun = time.monotonic()
    put(bus, entry())

    assert time.monotonic() - begun >= 0.1


def test_an_answer_is_garbage(bus: StubBus) -> None:
    bus.fail_next(Garbage(b"<html>", 502))

    with pytest.raises(ClientError) as refused:
        put(bus, entry())
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
    assert bus.accepted == []


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_answer_has_another_number_of_entries(bus: StubBus, count: int) -> None:
    bus.fail_next(EntryCount(count))

    assert len(put(bus, entry(), entry())["Entries"]) == count
    assert len(bus.accepted) == 2


def test_faults_come_in_order_and_end(bus: StubBus) -> None:
    bus.fail_next(THROTTLED, INTERNAL_ERROR)

    for code in ("ThrottlingException", "InternalException"):
        with pytest.raises(ClientError, match=code):
            put(bus, entry())

    assert put(bus, entry())["FailedEntryCount"] == 0
    assert bus.calls == 3


def test_a_lasting_fault_lasts_until_it_is_lifted(bus: StubBus) -> None:
    bus.fail_always(THROTTLED)
    for _ in range(3):
        with pytest.raises(ClientError, match="ThrottlingException"):
            put(bus, entry())

    bus.fail_always(None)
    assert put(bus, entry())["FailedEntryCount"] == 0


def test_an_accident_within_the_stub_fails_the_test() -> None:
    with pytest.raises(ExceptionGroup, match="by accident"), StubBus() as bus:  # noqa: PT012 - leaving raises
        request = urllib.request.Request(bus.url, data=b"not JSON")  # noqa: S310 - a URL of ours
        with pytest.raises(OSError, match="closed"):
            urllib.request.urlopen(request)  # noqa: S310 - a URL of ours
