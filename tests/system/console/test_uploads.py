"""Recordings are uploaded; what a file, a proxy, a network or the service does to them is told in words."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.harness.browser import Person, losing_the_first_answer, throttled
from tests.support.harness.installed_command import serving
from tests.support.samples.recordings import record, tone

pytestmark = [pytest.mark.slow, pytest.mark.process]

PROXY_PAGE = "<html><h1>413 Request Entity Too Large</h1><hr>nginx</html>"


def choose(page: Page, *files: Path) -> None:
    """Choose files, as with the button of the page."""
    page.set_input_files("#files", list(files))


def a_recording(folder: Path, name: str = "call.wav", seconds: float = 2.0) -> Path:
    return record(folder / name, tone(seconds))


def test_many_recordings_are_sent_with_the_options_that_were_chosen(person: Person, tmp_path: Path) -> None:
    page = person.open()
    page.get_by_label("Language").fill("en")
    page.get_by_label("Channels").select_option("separate")

    choose(page, *(a_recording(tmp_path, f"call {number}.wav") for number in range(4)))

    expect(page.get_by_role("heading", name="4 files, 4 accepted")).to_be_visible()
    page.goto(f"{person.url}/console/#/jobs")
    expect(page.get_by_role("link", name=re.compile("call .*wav"))).to_have_count(4)
    jobs = page.evaluate("() => fetch('../batch/jobs').then((answer) => answer.json())")["jobs"]
    assert {(job["options"]["language"], job["options"]["channels"]) for job in jobs} == {("en", "separate")}


def test_files_are_dropped_on_the_page(person: Person, tmp_path: Path) -> None:
    page = person.open()
    content = list(a_recording(tmp_path).read_bytes())

    data = page.evaluate_handle(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "dropped.wav"));
          return transfer;
        }""",
        content,
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": data})

    expect(page.get_by_role("heading", name="1 file, 1 accepted")).to_be_visible()
    expect(page.get_by_text("dropped.wav").first).to_be_visible()


def test_a_file_without_a_byte_is_refused_before_it_is_sent(person: Person, tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    empty.touch()
    page = person.open()

    choose(page, empty)

    expect(page.get_by_text("The file has no bytes. Choose another one.")).to_be_visible()


def test_the_refusal_of_the_service_is_shown_in_its_words(person: Person, tmp_path: Path) -> None:
    page = person.open()
    page.get_by_label("Language").fill("tlh")  # no model knows Klingon

    choose(page, a_recording(tmp_path))

    expect(page.get_by_text("1 file, 1 accepted")).to_be_visible()
    page.get_by_role("link", name=re.compile("open the job")).click()
    expect(page.get_by_text("Failed", exact=True)).to_be_visible()
    expect(page.get_by_text("Engine cannot do what is asked for")).to_be_visible()


def test_a_file_that_is_no_sound_ends_as_a_failed_job_with_its_problem(
    person: Person, tmp_path: Path
) -> None:
    text = tmp_path / "notes.wav"
    text.write_text("These are no samples. " * 200)
    page = person.open()

    choose(page, text)
    page.get_by_role("link", name=re.compile("open the job")).click()

    expect(page.get_by_text("Not an audio recording")).to_be_visible()
    expect(page.get_by_role("button", name="Try again notes.wav")).to_be_visible()


def test_a_proxy_that_refuses_the_size_is_named(person: Person, tmp_path: Path) -> None:
    page = person.open()

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=413, content_type="text/html", body=PROXY_PAGE)
        else:
            route.fallback()

    page.route("**/batch/jobs", refuse)
    choose(page, a_recording(tmp_path))

    expect(page.get_by_text(re.compile("A proxy before the service"))).to_be_visible()


def test_a_lost_answer_is_tried_again_and_makes_no_second_job(person: Person, tmp_path: Path) -> None:
    page = person.open()
    losses = losing_the_first_answer(page, "*/batch/jobs")
    choose(page, a_recording(tmp_path, "once.wav"))
    page.get_by_role("button", name="Try again: once.wav").click()

    expect(page.get_by_role("heading", name="1 file, 1 accepted")).to_be_visible()
    assert losses == [202]
    page.goto(f"{person.url}/console/#/jobs")
    expect(page.get_by_role("link", name="once.wav")).to_have_count(1)


def test_a_service_that_is_killed_during_an_upload_gets_the_recording_afterwards(
    people: Callable[[str], Person], own: dict[str, str], tmp_path: Path
) -> None:
    with serving(tmp_path, **own) as (url, process):
        person = people(url)
        page = person.open()
        throttled(page, bytes_per_second=200_000)
        choose(page, a_recording(tmp_path, "long.wav", seconds=60.0))
        expect(page.get_by_text(re.compile("[1-9][0-9]? % of"))).to_be_visible()
        process.kill()
        process.wait()
        expect(page.get_by_text("The connection ended")).to_be_visible()

    with serving(tmp_path, PORT=str(urlsplit(url).port), **own):
        throttled(page, bytes_per_second=-1)
        page.get_by_role("button", name="Try again: long.wav").click()
        expect(page.get_by_role("heading", name="1 file, 1 accepted")).to_be_visible()
        page.goto(f"{person.url}/console/#/jobs")
        expect(page.get_by_role("link", name="long.wav")).to_have_count(1)


def take_another_tenant(page: Page) -> None:
    """Act for a new tenant from now on, as with the panel of who acts."""
    page.locator("who-panel summary").click()
    page.get_by_role("button", name="New tenant").click()
    page.get_by_role("button", name="Use these").click()


def test_files_that_wait_are_not_sent_for_a_tenant_that_another_tab_has_chosen(
    person: Person, tmp_path: Path
) -> None:
    page = person.open()
    throttled(page, bytes_per_second=200_000)
    long = [a_recording(tmp_path, f"long {number}.wav", seconds=60.0) for number in range(2)]
    choose(page, *long, a_recording(tmp_path, "waits.wav"))
    expect(page.get_by_text("Waits for the uploads before it")).to_be_visible()
    other = person.open("#/jobs")

    take_another_tenant(other)
    expect(page.get_by_text("This file was added by another user or tenant")).to_be_visible()
    throttled(page, bytes_per_second=-1)

    expect(page.get_by_role("heading", name="3 files, 2 accepted")).to_be_visible()
    other.reload()
    expect(other.get_by_text("There are no jobs yet.")).to_be_visible()
