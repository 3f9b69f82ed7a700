"""A transcript is read and heard: words follow the sound, and the sound follows clicks and keys."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.harness.browser import Person, barriers, until
from tests.support.harness.installed_command import serving
from tests.support.openai.server import KEY, answer_of, openai_server, reply
from tests.support.samples.recordings import record, speech
from tests.system.console.conftest import Site
from tests.system.console.test_uploads import choose

pytestmark = [pytest.mark.slow, pytest.mark.process]

SPOKEN = "The weather is going to be nice today."


@pytest.fixture(scope="module")
def reader(browser: Browser, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A person with a completed job, which the tests of this module share."""
    context = browser.new_context(accept_downloads=True)
    person = Person(context, site.url)
    page = person.open()
    choose(page, record(tmp_path_factory.mktemp("sound") / "speech.mp3", speech()))
    page.get_by_role("link", name=re.compile("open the job")).click()
    expect(page.get_by_text(SPOKEN)).to_be_visible()
    yield person
    person.check()
    context.close()


@pytest.fixture
def page(reader: Person) -> Page:
    """The transcript, with its sound at the beginning."""
    (page, *_) = reader.context.pages
    page.reload()
    expect(page.get_by_text(SPOKEN)).to_be_visible()
    until(page, "() => document.querySelector('audio')?.readyState >= 1")
    return page


def position(page: Page) -> float:
    seconds: float = page.evaluate("() => document.querySelector('audio').currentTime")
    return seconds


def spoken(page: Page) -> str:
    """Return the word that stands out at present."""
    word: str = page.evaluate("() => [...(CSS.highlights.get('spoken-word') ?? [])].join()")
    return word


def test_the_sound_has_the_length_of_the_recording_and_a_waveform(page: Page) -> None:
    length = page.evaluate("() => document.querySelector('audio').duration")

    assert length == pytest.approx(10.3, abs=1.0)
    expect(page.get_by_role("slider")).to_be_visible()
    painted = page.evaluate(
        """() => {
          const canvas = document.querySelector("wave-form canvas");
          const painted = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return painted.data.some((each) => each > 0);
        }"""
    )
    assert painted


def test_a_segment_is_heard_from_its_button(page: Page) -> None:
    page.get_by_role("button", name="Play from 0:06").click()

    until(page, "() => !document.querySelector('audio').paused")
    assert position(page) >= 5.5
    expect(page.locator("[aria-current=true]")).to_contain_text("Monday")
    page.keyboard.press("k")
    until(page, "() => document.querySelector('audio').paused")


def test_a_word_is_heard_by_a_click_and_stands_out(page: Page) -> None:
    box = page.evaluate(
        """() => {
          const list = document.querySelector("segment-list");
          const walker = document.createTreeWalker(list, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const at = walker.currentNode.data.indexOf("window");
            if (at < 0) continue;
            const range = document.createRange();
            range.setStart(walker.currentNode, at);
            range.setEnd(walker.currentNode, at + 6);
            range.startContainer.parentElement.scrollIntoView({block: "center"});
            const {x, y, width, height} = range.getBoundingClientRect();
            return {x: x + width / 2, y: y + height / 2};
          }
        }"""
    )

    page.mouse.click(box["x"], box["y"])
    until(page, "() => document.querySelector('audio').currentTime > 3")
    page.keyboard.press("k")
    until(page, "() => document.querySelector('audio').paused")

    expect(page.locator("[aria-current=true]")).to_contain_text("Please open the window")
    assert spoken(page).strip(" .,") in {"the", "window", "and", "close"}


def test_keys_move_the_sound_but_not_while_a_text_is_typed(page: Page) -> None:
    page.keyboard.press("l")
    until(page, "() => Math.abs(document.querySelector('audio').currentTime - 5) < 0.5")
    page.keyboard.press("j")
    until(page, "() => document.querySelector('audio').currentTime < 0.5")

    page.locator("who-panel summary").click()
    page.get_by_role("textbox", name="User").press("l")

    assert position(page) < 0.5


def test_the_text_has_three_forms(page: Page) -> None:
    page.get_by_role("tab", name="Cleaned text").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("Please open the window")
    page.get_by_role("tab", name="Compare").click()
    expect(page.get_by_role("tabpanel")).to_contain_text(re.compile("weather"))


@pytest.mark.parametrize(
    ("form", "beginning"), [("txt", "The weather"), ("srt", "1\n00:00"), ("vtt", "WEBVTT"), ("json", "{")]
)
def test_a_transcript_is_downloaded(page: Page, tmp_path: Path, form: str, beginning: str) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download as {form}").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)

    assert file.suffix == f".{form}"
    assert file.read_text().replace("\r\n", "\n").startswith(beginning)
    assert form != "json" or SPOKEN in json.loads(file.read_text())["raw_transcript"]


def test_the_delivery_of_the_event_is_shown(page: Page) -> None:
    delivery = page.get_by_role("region", name="Delivery of the event")

    expect(delivery).to_contain_text("Accepted by the bus")
    expect(delivery).to_contain_text(re.compile("Event id [0-9a-f-]{36}"))


def test_a_recording_that_was_erased_leaves_no_page(
    people: Callable[..., Person], site: Site, tmp_path: Path
) -> None:
    person = people(site.url)
    page = person.open()
    choose(page, record(tmp_path / "secret.wav", speech()))
    page.get_by_role("link", name=re.compile("open the job")).click()
    expect(page.get_by_text(SPOKEN)).to_be_visible()
    address = page.url.partition("/console/")[2]

    page.get_by_role("button", name="Delete secret.wav").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    expect(person.open(address).get_by_text("There is no such job.")).to_be_visible()


def test_names_and_texts_of_strangers_are_shown_as_they_are(
    people: Callable[..., Person], site: Site, tmp_path: Path
) -> None:
    hostile = "<img src=x onerror=alert(1)>\u202egpj.wav"
    page = people(site.url).open()

    choose(page, record(tmp_path / hostile, speech()))
    page.get_by_role("link", name=re.compile("open the job")).click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x onerror=alert(1)>")
    assert "\u202e" not in page.get_by_role("heading", level=1).inner_text()
    assert barriers(page) == []


def test_a_segment_whose_words_contradict_the_sound_is_marked(
    people: Callable[..., Person], own: dict[str, str], tmp_path: Path
) -> None:
    with openai_server() as engine:
        engine.transcribe = lambda request: reply(answer_of(request, ["and", "so"] * 20))
        settings = {"TRANSCRIBER": "openai", "TRANSCRIBER_MODEL": "gpt-transcribe"}
        settings |= {"OPENAI_BASE_URL": engine.url, "OPENAI_API_KEY": KEY}
        with serving(tmp_path, **own | settings) as (url, _):
            page = people(url).open()
            choose(page, record(tmp_path / "speech.wav", speech()))
            page.get_by_role("link", name=re.compile("open the job")).click()

            expect(page.get_by_text(re.compile("marked as doubtful"))).to_be_visible()
            expect(page.locator("segment-list .doubt").first).to_contain_text("Doubtful")
            assert barriers(page) == []


def test_a_recording_in_s3_is_heard(
    people: Callable[..., Person], own: dict[str, str], aws: Callable[..., Any], tmp_path: Path
) -> None:
    bucket = f"console-{uuid4().hex}"
    aws("s3").create_bucket(Bucket=bucket)
    with serving(tmp_path, **own | {"RECORDING_STORE": f"s3://{bucket}/recordings"}) as (url, _):
        page = people(url).open()
        choose(page, record(tmp_path / "speech.wav", speech()))
        page.get_by_role("link", name=re.compile("open the job")).click()
        expect(page.get_by_text(SPOKEN)).to_be_visible()
        until(page, "() => document.querySelector('audio')?.readyState >= 1")

        page.get_by_role("button", name="Play from 0:06").click()

        until(page, "() => !document.querySelector('audio').paused")
        assert position(page) >= 5.5
