"""Jobs are followed, filtered, cancelled, tried again and deleted, in one tab and in eight."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.support.harness.browser import SECONDS, Person
from tests.support.harness.installed_command import serving
from tests.support.harness.service import wait_until
from tests.support.samples.recordings import record, speech
from tests.system.console.conftest import Site
from tests.system.console.test_uploads import a_recording, choose

pytestmark = [pytest.mark.slow, pytest.mark.process]

TAKEOVER_SECONDS = 300.0
"""Longest wait until a job of a killed service has ended: its lease expires, then it goes on."""


def row(page: Page, name: str, state: str) -> None:
    """Wait until the list has a job of this name in this state."""
    expect(page.get_by_role("row", name=re.compile(f"{name}.*{state}"))).to_be_visible()


def states(page: Page) -> list[str]:
    """Ask the service for the states of the caller's jobs."""
    jobs = page.evaluate("() => fetch('../batch/jobs').then((answer) => answer.json())")["jobs"]
    return [job["state"] for job in jobs]


def test_a_job_of_another_tab_appears_and_ends_by_itself(person: Person, tmp_path: Path) -> None:
    jobs = person.open("#/jobs")
    expect(jobs.get_by_text("Live", exact=True)).to_be_visible()

    choose(person.open(), record(tmp_path / "speech.wav", speech()))

    row(jobs, "speech.wav", "Completed")


@pytest.mark.exhaustive
def test_eight_tabs_all_show_what_happens(person: Person, tmp_path: Path) -> None:
    tabs = [person.open("#/jobs") for _ in range(8)]

    choose(person.open(), a_recording(tmp_path, "for all.wav"))

    for tab in tabs:
        row(tab, "for all.wav", "Completed")


def test_the_address_holds_the_filter(person: Person, tmp_path: Path) -> None:
    text = tmp_path / "broken.wav"
    text.write_text("no sound " * 100)
    choose(person.open(), text, a_recording(tmp_path, "good.wav"))
    page = person.open("#/jobs")
    row(page, "broken.wav", "Failed")
    row(page, "good.wav", "Completed")

    page.get_by_label("State").select_option("failed")

    expect(page.get_by_role("link", name="good.wav")).to_have_count(0)
    assert "state=failed" in page.url
    again = person.open(page.url.partition("/console/")[2])
    row(again, "broken.wav", "Failed")
    expect(again.get_by_role("link", name="good.wav")).to_have_count(0)


def test_a_failed_job_is_tried_again_as_another_one(person: Person, tmp_path: Path) -> None:
    text = tmp_path / "broken.wav"
    text.write_text("no sound " * 100)
    choose(person.open(), text)
    page = person.open("#/jobs")
    row(page, "broken.wav", "Failed")

    page.get_by_role("button", name="Try again broken.wav").click()

    expect(page.get_by_role("link", name="broken.wav")).to_have_count(2)


def test_a_deleted_job_is_asked_for_and_gone(person: Person, tmp_path: Path) -> None:
    choose(person.open(), a_recording(tmp_path, "secret.wav"))
    page = person.open("#/jobs")
    row(page, "secret.wav", "Completed")

    page.get_by_role("button", name="Delete secret.wav").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep as it is").click()
    row(page, "secret.wav", "Completed")
    page.get_by_role("button", name="Delete secret.wav").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(page.get_by_role("link", name="secret.wav")).to_have_count(0)


def test_a_job_is_cancelled_before_its_end(
    people: Callable[[str], Person], own: dict[str, str], tmp_path: Path
) -> None:
    with serving(tmp_path, JOB_WORKERS="0", **own) as (url, _):
        person = people(url)
        choose(person.open(), a_recording(tmp_path, "unwanted.wav"))
        page = person.open("#/jobs")
        row(page, "unwanted.wav", "Queued")

        page.get_by_role("button", name="Cancel unwanted.wav").click()

        row(page, "unwanted.wav", "Cancelled")


def test_a_double_click_cancels_a_job_and_does_no_more(
    people: Callable[[str], Person], own: dict[str, str], tmp_path: Path
) -> None:
    with serving(tmp_path, JOB_WORKERS="0", **own) as (url, _):
        person, sent = people(url), list[str]()
        choose(person.open(), a_recording(tmp_path, "twice.wav"))
        page = person.open("#/jobs")
        row(page, "twice.wav", "Queued")
        page.on("request", lambda request: sent.append(request.method))

        page.get_by_role("button", name="Cancel twice.wav").dblclick()

        row(page, "twice.wav", "Cancelled")
        assert [method for method in sent if method != "GET"] == ["DELETE"]
        assert states(page) == ["cancelled"]


def test_a_job_that_has_ended_meanwhile_is_not_erased_by_cancel(
    people: Callable[[str], Person], own: dict[str, str], tmp_path: Path
) -> None:
    with serving(tmp_path, JOB_WORKERS="0", **own) as (url, _):
        person = people(url)
        person.context.route(re.compile("/batch/jobs/events"), lambda route: route.abort())
        choose(person.open(), a_recording(tmp_path, "ended.wav"))
        page = person.open("#/jobs")
        row(page, "ended.wav", "Queued")
        person.context.route(re.compile(r"/batch/jobs\?"), lambda route: route.abort())  # no more news

    with serving(tmp_path, PORT=str(urlsplit(url).port), **own):
        wait_until(lambda: states(page) == ["completed"], seconds=SECONDS)
        page.get_by_role("button", name="Cancel ended.wav").click()

        expect(page.get_by_text("The job has ended meanwhile: it was not cancelled.")).to_be_visible()
        row(page, "ended.wav", "Completed")
        assert states(page) == ["completed"]


@pytest.mark.exhaustive
def test_a_job_goes_on_after_its_service_was_killed_and_the_page_follows(
    people: Callable[[str], Person], own: dict[str, str], tmp_path: Path
) -> None:
    with serving(tmp_path, **own) as (url, process):
        person = people(url)
        page = person.open("#/jobs")
        choose(person.open(), record(tmp_path / "meeting.wav", np.tile(speech(), 30)))
        row(page, "meeting.wav", "Processing")
        process.kill()
        process.wait()
        expect(page.get_by_text("Live", exact=True)).to_have_count(0)

    with serving(tmp_path, PORT=str(urlsplit(url).port), **own):
        ended = page.get_by_role("row", name=re.compile("meeting.wav.*Completed"))
        expect(ended).to_be_visible(timeout=TAKEOVER_SECONDS * 1000)


def test_the_jobs_of_another_tenant_are_not_there(
    people: Callable[[str], Person], site: Site, tmp_path: Path
) -> None:
    first, second = people(site.url), people(site.url)
    choose(first.open(), a_recording(tmp_path, "mine.wav"))
    page = first.open("#/jobs")
    row(page, "mine.wav", "Completed")
    page.get_by_role("link", name="mine.wav").click()
    expect(page.get_by_role("heading", name="mine.wav")).to_be_visible()
    job = page.url.partition("/console/")[2]

    expect(second.open("#/jobs").get_by_text(re.compile("No jobs|no jobs"))).to_be_visible()
    expect(second.open(job).get_by_text("There is no such job.")).to_be_visible()
