import json

import pytest
from botocore.serialize import create_serializer
from botocore.session import get_session

from adapters.aws.eventbridge.publisher import put_events_entry, request_body, use_fast_serializer
from tests.support.aws.event_bridges import client_of, publisher
from tests.support.doubles.stub_bus import StubBus
from tests.support.samples.factories import an_event

TEXTS = ["plain words", 'quotes " and \\ and\nlines\tand \x00\x1f', "Grüße, 你好 and 🎙", "\u2028</script>"]


@pytest.mark.parametrize("text", TEXTS)
def test_the_body_says_what_botocore_would_say(text: str) -> None:
    event = an_event(raw_transcript=text, cleaned_transcript=text)
    entry = put_events_entry(event, bus_name="transcripts", source="com.yourapp", labels=("urn:a",))
    operation = get_session().get_service_model("events").operation_model("PutEvents")

    theirs = create_serializer("json").serialize_to_request({"Entries": [entry]}, operation)

    assert json.loads(request_body([entry])) == json.loads(theirs["body"])


@pytest.mark.parametrize("text", TEXTS)
def test_texts_arrive_as_they_were_written(text: str) -> None:
    event = an_event(raw_transcript=text, cleaned_transcript=text)
    with StubBus("transcripts") as bus:
        publisher(client_of(bus.url), "transcripts").publish(event)

    assert bus.accepted[0]["Detail"] == event.to_json()


def test_a_client_that_was_told_twice_sends_each_event_once() -> None:
    with StubBus("transcripts") as bus:
        client = client_of(bus.url)
        use_fast_serializer(client)
        publisher(client, "transcripts").publish(an_event())

    assert len(bus.accepted) == 1
