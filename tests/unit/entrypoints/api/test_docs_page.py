"""The page about the API works without another host, and under a strict policy of contents."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from entrypoints.api.app import create_app
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for


class Page(HTMLParser):
    """Page with what it refers to, and what a policy without `unsafe-inline` blocks.

    Attributes:
        references: the values of the attributes that a browser, or our script, fetches.
        inline: scripts, styles and handlers in the page itself.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.inline: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within = tag
        for name, value in attrs:
            if name in {"src", "href", "data-document"}:
                self.references.append(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{name}={value}")

    def handle_endtag(self, _tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in {"script", "style"} and data.strip():
            self.inline.append(data)


@pytest.fixture(params=["", "/speech"], ids=["at the root", "behind a prefix"])
def api(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[TestClient]:
    container = container_for(tmp_path / "spool", FixedTranscriber(), ROOT_PATH=request.param)
    with TestClient(create_app(container), base_url=f"http://testserver{request.param}") as client:
        yield client


def absolute(api: TestClient, path: str) -> str:
    return f"http://{api.base_url.host}{path}"


def test_everything_that_the_page_needs_is_served_by_the_app_itself(api: TestClient) -> None:
    page = Page(api.get("/docs").text)

    assert len(page.references) == 5
    for path in page.references:
        assert path.startswith(f"{api.base_url.path.rstrip('/')}/")
        assert not path.startswith("//")
        assert api.get(absolute(api, path)).status_code == 200, path


def test_nothing_of_the_page_is_inline(api: TestClient) -> None:
    assert Page(api.get("/docs").text).inline == []


def test_the_policy_allows_this_host_alone(api: TestClient) -> None:
    answer = api.get("/docs")

    sources = dict(
        directive.strip().split(" ", 1) for directive in answer.headers["Content-Security-Policy"].split(";")
    )
    assert sources["default-src"] == "'none'"
    assert sources["script-src"] == sources["style-src"] == sources["connect-src"] == "'self'"
    assert sources["frame-ancestors"] == "'none'"
    assert not any("unsafe" in source or "http" in source for source in sources.values())
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_no_browser_guesses_the_types_of_page_and_assets(api: TestClient) -> None:
    page = api.get("/docs")
    types = {
        path.rpartition(".")[2]: api.get(absolute(api, path))
        for path in Page(page.text).references
        if "." in path and not path.endswith(".json")
    }

    assert {answer.headers["X-Content-Type-Options"] for answer in (page, *types.values())} == {"nosniff"}
    assert "javascript" in types["js"].headers["Content-Type"]
    assert types["css"].headers["Content-Type"].startswith("text/css")


def test_no_outside_service_is_asked_to_validate_the_document(api: TestClient) -> None:
    script = api.get("/docs/static/start.js").text

    assert "validatorUrl: null" in script
    assert "://" not in script


@pytest.mark.parametrize(
    "path", ["/redoc", "/docs/oauth2-redirect", "/docs/static/../page.py", "/docs/static/no.js"]
)
def test_nothing_else_is_served(api: TestClient, path: str) -> None:
    assert api.get(path).status_code == 404
