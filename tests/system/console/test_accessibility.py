"""Each view is free of barriers: for axe, by keys alone, at every width, in light and dark."""

import os
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.support.harness.browser import Person, barriers, tabulated, until
from tests.support.harness.cases import typical_first
from tests.support.harness.dead_letters import an_envelope
from tests.support.samples.recordings import record, speech
from tests.system.console.conftest import Site
from tests.system.console.test_uploads import choose

pytestmark = [pytest.mark.slow, pytest.mark.process]

SCREENSHOTS = os.environ.get("CONSOLE_SCREENSHOTS")
"""Folder for pictures of the views, such as docs/console; none without it."""
VIEWS = {
    "upload": "Upload recordings",
    "jobs": "Jobs",
    "dead-letters": "Dead letters",
    "route": "Route of the events",
    "outbox": "Outbox",
}
TENANT = {"width": 1280, "height": 900}


@pytest.fixture
def at_work(people: Callable[..., Person], site: Site, tmp_path: Path) -> Callable[..., Page]:
    """Open a console that has a job and dead letters, with options of the browser."""

    def make(**options: object) -> Page:
        person = people(site.url, **options)
        page = person.open()
        choose(page, record(tmp_path / "weekly meeting.flac", speech()))
        expect(page.get_by_role("heading", name="1 file, 1 accepted")).to_be_visible()
        return page

    site.container.completed.dead_letter_service().purge()
    source = site.container.settings().event_source
    site.dead_letter(an_envelope(source=source))
    site.dead_letter('{"detail-type": "BatchProcessingCompleted"}')
    return make


def shown(page: Page, view: str) -> None:
    """Go to a view, and wait until it is complete."""
    page.evaluate("(view) => { location.hash = `#/${view}`; }", view)
    expect(page.get_by_role("heading", level=1, name=VIEWS[view])).to_be_visible()
    expect(page.locator("main [aria-busy=true], main .loading")).to_have_count(0)


def read(page: Page) -> None:
    """Go from the list to the transcript of its job."""
    shown(page, "jobs")
    expect(page.get_by_role("row", name=re.compile("Completed"))).to_be_visible()
    page.get_by_role("link", name="weekly meeting.flac").first.click()
    expect(page.get_by_role("region", name="Delivery of the event")).to_contain_text("Accepted")
    until(page, "() => document.querySelector('audio')?.readyState >= 1")


def picture(page: Page, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")


@pytest.mark.parametrize(
    ("scheme", "width"), typical_first(product(["light", "dark"], [320, 1280, 3840]), typical=[("dark", 320)])
)
def test_every_view_is_free_of_barriers(
    at_work: Callable[..., Page], scheme: Literal["light", "dark"], width: int
) -> None:
    page = at_work(color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    found = {}
    for view in VIEWS:
        shown(page, view)
        found[view] = [*barriers(page), *overflow(page)]
        if width == 1280:
            picture(page, view if scheme == "light" else f"{view}-dark")
    read(page)
    found["transcript"] = [*barriers(page), *overflow(page)]
    if width == 1280:
        picture(page, "transcript" if scheme == "light" else "transcript-dark")

    assert found == {view: [] for view in [*VIEWS, "transcript"]}


def overflow(page: Page) -> list[str]:
    """Tell if the page must be scrolled sideways."""
    width, shown = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    return [f"the page is {width} wide, and {shown} are shown"] if width > shown else []


def test_a_transcript_is_reached_and_heard_by_keys_alone(at_work: Callable[..., Page]) -> None:
    page = at_work()
    shown(page, "jobs")
    expect(page.get_by_role("row", name=re.compile("Completed"))).to_be_visible()

    while tabulated(page) != "weekly meeting.flac":
        pass
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="weekly meeting.flac")).to_be_focused()
    while not tabulated(page).startswith("Play from"):
        pass
    page.keyboard.press("Enter")

    until(page, "() => !document.querySelector('audio').paused")
