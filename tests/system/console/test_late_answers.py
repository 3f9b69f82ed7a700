"""Answers that come late, or in another order, change no view of another job."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.harness.browser import Person
from tests.support.harness.installed_command import serving
from tests.system.console.conftest import Site
from tests.system.console.test_uploads import a_recording, choose

pytestmark = [pytest.mark.slow, pytest.mark.process]

NAMES = ("first.wav", "second.wav")


@pytest.fixture(scope="module")
def waiting_site(
    environ: dict[str, str], site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A service whose jobs stay queued, on the route of the others."""
    assert site.url  # the route is there
    folder = tmp_path_factory.mktemp("waiting")
    own = {"DATABASE_URL": f"sqlite:///{folder}/own.db", "DATA_DIR": str(folder), "JOB_WORKERS": "0"}
    with serving(folder, **{**environ, **own}) as (url, _):
        yield url


@pytest.fixture
def reader(people: Callable[[str], Person], waiting_site: str) -> Person:
    return people(waiting_site)


class Held:
    """Requests of a page that wait for their answer."""

    def __init__(self, page: Page, path: str, method: str = "GET") -> None:
        self._page = page
        self._method = method
        self._routes: list[Route] = []
        page.route(re.compile(rf"{path}(\?|$)"), self._hold)

    def await_count(self, count: int) -> None:
        while len(self._routes) < count:
            self._page.wait_for_timeout(50)

    def let_go(self) -> None:
        """Let the requests reach the service, and their answers the page."""
        for route in self._routes:
            with self._page.expect_response(route.request.url):
                route.continue_()
        self._page.wait_for_timeout(300)  # for what the page does with the last answer

    def refuse(self) -> None:
        for route in self._routes:
            route.fulfill(status=503, body="")
        self._page.wait_for_timeout(300)

    def _hold(self, route: Route) -> None:
        if route.request.method == self._method:
            self._routes.append(route)
        else:
            route.fallback()


def two_jobs(person: Person, folder: Path) -> tuple[Page, list[str]]:
    """Upload two recordings; return a page and the paths of their jobs."""
    page = person.open()
    choose(page, *(a_recording(folder, name) for name in NAMES))
    expect(page.get_by_role("heading", name="2 files, 2 accepted")).to_be_visible()
    jobs = page.evaluate("() => fetch('../batch/jobs').then((answer) => answer.json())")["jobs"]
    ids = {job["metadata"]["file"]: job["id"] for job in jobs}
    return page, [f"/jobs/{ids[name]}" for name in NAMES]


def go(page: Page, path: str) -> None:
    """Follow a link within the page."""
    page.evaluate("(path) => { location.hash = `#${path}`; }", path)


def title(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def test_the_answer_to_an_action_leaves_the_view_of_another_job(reader: Person, tmp_path: Path) -> None:
    page, (first, second) = two_jobs(reader, tmp_path)
    go(page, first)
    title(page, "first.wav")
    held = Held(page, f"/batch{first}", "DELETE")
    page.get_by_role("button", name="Cancel first.wav").click()
    held.await_count(1)
    go(page, second)
    title(page, "second.wav")

    held.let_go()

    title(page, "second.wav")
    expect(page.get_by_text("Cancelled", exact=True)).to_have_count(0)


def test_the_problem_of_a_job_is_not_shown_with_another_one(reader: Person, tmp_path: Path) -> None:
    page, (first, second) = two_jobs(reader, tmp_path)
    held = Held(page, f"/batch{first}")
    go(page, first)
    held.await_count(1)
    with page.expect_response(re.compile(f"{second}/events")):
        go(page, second)
    title(page, "second.wav")
    page.wait_for_timeout(500)  # the first event of the stream would remove a problem

    held.refuse()

    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_job_that_is_left_and_opened_again_is_followed_once(reader: Person, tmp_path: Path) -> None:
    page, (first, second) = two_jobs(reader, tmp_path)
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url) if "/events" in request.url else None)
    held = Held(page, f"/batch{first}")
    go(page, first)
    held.await_count(1)
    go(page, second)
    title(page, "second.wav")
    go(page, first)
    held.await_count(2)

    held.let_go()

    title(page, "first.wav")
    assert [first in url for url in streams].count(True) == 1
