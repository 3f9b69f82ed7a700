"""Deliveries at the transcript: what the bus refused, and the event that is sent again."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.doubles.bus_faults import THROTTLED, Refusal
from tests.support.doubles.stub_bus import StubBus
from tests.support.harness.browser import Person, barriers
from tests.support.harness.installed_command import serving
from tests.support.samples.recordings import record, speech
from tests.system.console.test_uploads import choose

pytestmark = [pytest.mark.slow, pytest.mark.process]


def test_a_rejected_event_is_sent_again_from_its_transcript(
    people: Callable[[str], Person], own: dict[str, str], tmp_path: Path
) -> None:
    with StubBus() as bus, serving(tmp_path, **own | {"AWS_ENDPOINT_URL": bus.url}) as (url, _):
        bus.fail_always(Refusal("MalformedDetail", "Detail is malformed."))
        page = people(url).open()
        choose(page, record(tmp_path / "speech.wav", speech()))
        page.get_by_role("link", name=re.compile("open the job")).click()
        delivery = page.get_by_role("region", name="Delivery of the event")
        expect(delivery).to_contain_text("Refused by the bus, and set aside")
        expect(delivery).to_contain_text("EventBridge refused the event: MalformedDetail")
        assert barriers(page) == []
        bus.fail_always(None)

        delivery.get_by_role("button", name="Send again").click()

        expect(delivery).to_contain_text("Accepted by the bus")
        assert len(bus.accepted) == 1


@pytest.mark.exhaustive
def test_an_event_whose_bus_is_throttled_waits_with_the_reason_and_goes_at_once_on_request(
    people: Callable[[str], Person], own: dict[str, str], tmp_path: Path
) -> None:
    with StubBus() as bus, serving(tmp_path, **own | {"AWS_ENDPOINT_URL": bus.url}) as (url, _):
        bus.fail_always(THROTTLED)
        page = people(url).open()
        choose(page, record(tmp_path / "speech.wav", speech()))
        page.get_by_role("link", name=re.compile("open the job")).click()
        delivery = page.get_by_role("region", name="Delivery of the event")
        expect(delivery).to_contain_text("Waiting to be sent")
        expect(delivery).to_contain_text(re.compile("Throttling", re.IGNORECASE))
        bus.fail_always(None)

        delivery.get_by_role("button", name="Send again").click()

        expect(delivery).to_contain_text("Accepted by the bus")
        assert len(bus.accepted) == 1
