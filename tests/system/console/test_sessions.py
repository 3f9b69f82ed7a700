"""With AUTH=key a key opens a session, which shows what its scopes allow, and ends."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, Route, expect

from bootstrap.container import build_container
from bootstrap.settings import Settings
from domain.model.access import Scope
from domain.model.api_keys import KeyGrant, parse_key
from tests.support.harness.browser import Person
from tests.support.harness.installed_command import serving
from tests.system.console.conftest import QUIET
from tests.system.console.test_uploads import a_recording, choose

pytestmark = [pytest.mark.slow, pytest.mark.process]


class KeyedSite:
    """A service whose callers have keys."""

    def __init__(self, url: str, container: Any) -> None:
        self.url = url
        self.container = container

    def key(self, tenant: UUID | None = None, *scopes: Scope) -> str:
        grant = KeyGrant(tenant or uuid4(), "alice", frozenset(scopes or Scope))
        key: str = self.container.api_key_service().create(grant, lifetime_seconds=None).plain.text
        return key

    def revoke(self, key: str) -> None:
        parsed = parse_key(key)
        assert parsed is not None
        self.container.api_keys().revoke(parsed.id)


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyedSite]:
    folder = tmp_path_factory.mktemp("keyed")
    database = f"sqlite:///{folder}/transcripts.db"
    environ = {"AUTH": "key", "TRANSCRIBER": "canned", "DATABASE_URL": database, **QUIET}
    container = build_container(Settings.from_env(environ))
    with serving(folder, **environ) as (url, _):
        yield KeyedSite(url, container)
    container.database().close()


def sign_in(person: Person, key: str, view: str = "") -> Page:
    page = person.open(view)
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    return page


def views(page: Page) -> list[str]:
    return page.get_by_role("navigation", name="Views").get_by_role("link").all_inner_texts()


def test_a_key_opens_the_console_and_reaches_no_script(
    people: Callable[[str], Person], keyed: KeyedSite, tmp_path: Path
) -> None:
    key = keyed.key()
    page = sign_in(people(keyed.url), key)

    choose(page, a_recording(tmp_path))

    expect(page.get_by_role("heading", name="1 file, 1 accepted")).to_be_visible()
    assert page.evaluate("() => document.cookie + JSON.stringify(localStorage)").find("bt_") == -1
    page.reload()
    expect(page.get_by_role("heading", name="Upload recordings")).to_be_visible()


def test_what_is_no_key_is_refused_in_words(people: Callable[[str], Person], keyed: KeyedSite) -> None:
    page = sign_in(people(keyed.url), "bt_wrong")

    expect(
        page.get_by_text("This is no key of the service; a letter may be wrong or missing.")
    ).to_be_visible()
    expect(page.get_by_label("API key")).to_be_visible()


def test_views_of_operators_are_for_their_scope(people: Callable[[str], Person], keyed: KeyedSite) -> None:
    reader = sign_in(people(keyed.url), keyed.key(None, Scope.READ))
    expect(reader.get_by_role("link", name="Jobs")).to_be_visible()
    operator = sign_in(people(keyed.url), keyed.key())
    expect(operator.get_by_role("link", name="Outbox")).to_be_visible()

    assert not {"Outbox", "Route", "Dead letters"} & set(views(reader))
    assert {"Outbox", "Route", "Dead letters"} <= set(views(operator))


def test_two_tenants_see_their_own_jobs(
    people: Callable[[str], Person], keyed: KeyedSite, tmp_path: Path
) -> None:
    first = sign_in(people(keyed.url), keyed.key())
    choose(first, a_recording(tmp_path, "mine.wav"))
    expect(first.get_by_role("heading", name="1 file, 1 accepted")).to_be_visible()
    second = sign_in(people(keyed.url), keyed.key(), "#/jobs")
    first.goto(f"{keyed.url}/console/#/jobs")

    expect(first.get_by_role("link", name="mine.wav")).to_be_visible()
    expect(second.get_by_role("heading", name="Jobs")).to_be_visible()
    expect(second.get_by_role("link", name="mine.wav")).to_have_count(0)


def test_a_revoked_key_ends_its_session_and_another_one_goes_on_with_the_upload(
    people: Callable[[str], Person], keyed: KeyedSite, tmp_path: Path
) -> None:
    tenant = uuid4()
    key = keyed.key(tenant)
    page = sign_in(people(keyed.url), key)
    expect(page.get_by_role("heading", name="Upload recordings")).to_be_visible()
    keyed.revoke(key)
    page.wait_for_timeout(1500)  # for a second, a key that has proved its caller is not looked up again

    choose(page, a_recording(tmp_path))
    expect(page.get_by_label("API key")).to_be_visible()
    page.get_by_label("API key").fill(keyed.key(tenant))
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("heading", name="1 file, 1 accepted")).to_be_visible()


def test_signing_out_ends_the_session(people: Callable[[str], Person], keyed: KeyedSite) -> None:
    person = people(keyed.url)
    page = sign_in(person, keyed.key())
    page.locator("who-panel summary").click()
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_label("API key")).to_be_visible()
    assert person.context.cookies() == []


def test_a_browser_that_keeps_no_cookie_is_not_signed_in(
    people: Callable[[str], Person], keyed: KeyedSite
) -> None:
    person = people(keyed.url)

    def lose_the_cookie(route: Route) -> None:
        if route.request.method == "POST":
            answer = {"auth": "key", "signed_in": True, "scopes": ["read", "write"], "max_upload_bytes": 1}
            route.fulfill(json={**answer, "tenant_id": str(uuid4()), "user_id": "alice"})
        else:
            route.fallback()

    person.context.route("**/console/session", lose_the_cookie)
    page = sign_in(person, keyed.key())

    expect(page.get_by_text("The browser did not keep the cookie of the session.")).to_be_visible()
    expect(page.get_by_label("API key")).to_be_visible()
