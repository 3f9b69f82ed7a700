"""Operators see outbox, route and dead letters, and put them right."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from adapters.files.archive import FolderArchive
from domain.model.outbox import Rejected
from tests.support.harness.browser import Person
from tests.support.harness.dead_letters import SPOKEN, an_envelope
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event
from tests.system.console.conftest import Site
from tests.system.console.test_uploads import a_recording, choose

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture
def letters(person: Person, site: Site) -> Page:
    """The page of dead letters, with two of them, after those of other tests are gone."""
    site.container.completed.dead_letter_service().purge()
    source = site.container.settings().event_source
    site.dead_letter(an_envelope(an_event(raw_transcript=SPOKEN), source=source))
    site.dead_letter("not json")
    page = person.open("#/dead-letters")
    expect(page.get_by_role("row")).to_have_count(3)
    return page


def confirm(page: Page, words: str, action: str) -> None:
    """Confirm an action by typing, after the button did nothing without it."""
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name=action)
    expect(button).to_be_disabled()
    dialog.get_by_label(f"Type {words} to confirm").fill(words)
    button.click()


def test_a_body_is_hidden_until_it_is_asked_for(letters: Page) -> None:
    expect(letters.get_by_text("is not JSON")).to_be_visible()
    expect(letters.get_by_text(SPOKEN)).to_have_count(0)

    row = letters.get_by_role("row").filter(has_not_text="not JSON").nth(1)
    row.get_by_role("button", name=re.compile("Show the body")).click()

    expect(letters.get_by_text(re.compile(re.escape(SPOKEN)))).to_be_visible()


def test_dead_letters_are_redriven_after_a_plan_and_typed_confirmation(letters: Page, site: Site) -> None:
    letters.get_by_role("button", name="Redrive 2 messages").click()
    expect(letters.get_by_role("dialog").get_by_text("1 message breaks the contract")).to_be_visible()
    confirm(letters, "redrive 2", "Redrive")

    expect(letters.get_by_text("2 messages moved back to the queue.").first).to_be_visible()
    assert site.container.completed.queue().depth().waiting >= 2


def test_one_dead_letter_is_archived(letters: Page, site: Site) -> None:
    before = len([*FolderArchive(site.archive).messages()]) if site.archive.exists() else 0

    row = letters.get_by_role("row").filter(has_text="not JSON")
    row.get_by_role("button", name=re.compile("Archive")).click()
    confirm(letters, "archive 1", "Archive")

    expect(letters.get_by_text(f"1 message archived in {site.archive}.").first).to_be_visible()
    assert len([*FolderArchive(site.archive).messages()]) == before + 1
    expect(letters.get_by_role("row")).to_have_count(2)


def test_an_action_that_is_not_confirmed_changes_nothing(letters: Page, site: Site) -> None:
    letters.get_by_role("button", name="Redrive 2 messages").click()
    letters.keyboard.press("Escape")

    expect(letters.get_by_role("dialog")).to_have_count(0)
    assert site.container.completed.dead_letter_service().depth().waiting == 2


def test_the_route_is_verified_and_drift_is_shown(person: Person, site: Site) -> None:
    page = person.open("#/route")
    expect(page.get_by_role("heading", name=re.compile("As defined"))).to_be_visible()
    page.get_by_role("button", name="Verify the route of completed events").click()
    expect(page.get_by_text(re.compile("arrived"))).to_be_visible()

    events, names = site.container.buses(), site.container.completed.names()
    events.disable_rule(Name=names.rule, EventBusName=names.bus)
    try:
        page.get_by_role("button", name="Look again").click()
        expect(page.get_by_role("row", name=re.compile("rule.*DISABLED"))).to_be_visible()
        page.get_by_role("button", name="Verify the route of completed events").click()
        expect(page.get_by_text(re.compile("disabled", re.IGNORECASE)).first).to_be_visible()
    finally:
        events.enable_rule(Name=names.rule, EventBusName=names.bus)


def test_the_outbox_shows_what_was_published(person: Person, tmp_path: Path) -> None:
    choose(person.open(), a_recording(tmp_path))
    page = person.open("#/jobs")
    expect(page.get_by_role("row", name=re.compile("call.wav.*Completed"))).to_be_visible()

    page.goto(f"{person.url}/console/#/outbox")

    expect(page.get_by_role("row", name=re.compile("Published")).first).to_be_visible()


def test_a_rejected_event_is_sent_again(person: Person, site: Site) -> None:
    outbox = site.container.outbox()
    lease = outbox.add(an_event(), lease_seconds=60.0)
    outbox.record([Rejected(lease, "the bus refuses it")])
    page = person.open("#/outbox")
    row = page.get_by_role("row").filter(has_text="the bus refuses it")

    row.get_by_role("button", name=re.compile("^Try .* again$")).click()

    expect(row).not_to_contain_text("Rejected")  # the last failure stays, the state does not
    wait_until(lambda: outbox.statuses([lease.interaction_id])[lease.interaction_id].state == "published")
