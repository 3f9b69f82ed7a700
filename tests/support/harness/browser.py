"""A browser of people: Debian's Chromium without a window, and what its pages must never do."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.support.harness.service import wait_until

SECONDS = 60.0
"""Longest wait for what a page shows, on a busy machine."""
_OPTIONS = (
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
_COLLECT = """
window.reports = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.reports.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
_EXPECTED = ("Failed to load resource", "net::ERR_")
"""Beginnings of what Chromium itself writes about an answer that a test asks for: a refusal, or none."""

expect.set_options(timeout=SECONDS * 1000)


def chromium() -> str:
    """Find Chromium, or skip the test on a developer's machine."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing = "Chromium is not installed: apt install chromium (Debian, Ubuntu)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return program


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    """Run a browser while the context lasts."""
    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*_OPTIONS])
        yield browser
        browser.close()


class Person:
    """One person at the console: a browser profile of its own, with its cookies and its pages.

    Attributes:
        faults: what a page must never do: errors of scripts, and breaches of the policy of contents.
    """

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.faults: list[str] = []
        context.set_default_timeout(SECONDS * 1000)
        context.add_init_script(_COLLECT)

    def open(self, view: str = "") -> Page:
        """Open a view in a new tab."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._note)
        page.goto(f"{self.url}/console/{view}")
        return page

    def check(self) -> None:
        """Assert that no page has done what none may do."""
        reports = [report for page in self.context.pages for report in _reports(page)]
        assert (self.faults, reports) == ([], [])

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(each in message.text for each in _EXPECTED):
            self.faults.append(message.text)


def _reports(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.reports || []")
    return found


def barriers(page: Page) -> list[str]:
    """Return the barriers that axe finds on a page, with the places of each."""
    results: dict[str, Any] = Axe().run(page).response
    return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in results["violations"]]


def until(page: Page, expression: str) -> None:
    """Wait until a function of the page is true; the policy of contents lets no page wait for it itself."""
    wait_until(lambda: bool(page.evaluate(expression)), seconds=SECONDS)


def throttled(page: Page, *, bytes_per_second: int) -> None:
    """Let the page send no faster than that; answers arrive at full speed."""
    session = page.context.new_cdp_session(page)
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1}
    session.send("Network.emulateNetworkConditions", {**conditions, "uploadThroughput": bytes_per_second})


def losing_the_first_answer(page: Page, pattern: str) -> list[int]:
    """Let the page never see the first answer to a POST; return the list that gets its status."""
    session, losses = page.context.new_cdp_session(page), list[int]()

    def decide(paused: dict[str, Any]) -> None:
        request = {"requestId": paused["requestId"]}
        if losses or paused["request"]["method"] != "POST":
            session.send("Fetch.continueRequest", request)
            return
        losses.append(paused["responseStatusCode"])
        session.send("Fetch.failRequest", {**request, "errorReason": "ConnectionReset"})

    session.on("Fetch.requestPaused", decide)
    session.send("Fetch.enable", {"patterns": [{"urlPattern": pattern, "requestStage": "Response"}]})
    return losses


def tabulated(page: Page) -> str:
    """Press Tab, and return the name of the element that has the focus then."""
    page.keyboard.press("Tab")
    name: str = page.evaluate(
        "() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim()"
    )
    return name
