"""The console is served under a strict policy, and its session stands for what a browser has proved once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from bootstrap.settings import Settings
from domain.model.access import Scope
from domain.model.api_keys import KeyGrant, KeyState, parse_key
from entrypoints.api.app import create_app
from entrypoints.api.browsers import COOKIE
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for

TENANT = UUID("3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11")
OTHER = UUID("8c1d5a52-0f5c-4c0e-9d57-2f1d3f2f8f10")
UPLOAD: Mapping[str, Any] = {"files": {"file": ("call.wav", b"sound")}}
ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}


class Browser:
    """Browser on the machine of a service: it keeps cookies, as a client of the test does."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    @property
    def container(self) -> Any:
        return self.client.app.state.container  # type: ignore[attr-defined]  # an ASGI app of ours

    def key(self, *, scopes: frozenset[Scope] = frozenset(Scope), seconds: float | None = None) -> str:
        grant = KeyGrant(TENANT, "alice", scopes)
        issued = self.container.api_key_service().create(grant, lifetime_seconds=seconds)
        text: str = issued.plain.text
        return text

    def session(self) -> dict[str, Any]:
        answer = self.client.get("/console/session")
        assert answer.status_code == 200
        session: dict[str, Any] = answer.json()
        return session

    def open(self, **body: str) -> Any:
        return self.client.post("/console/session", json=body)


@contextmanager
def browsing(tmp_path: Path, **environ: str) -> Iterator[Browser]:
    container = container_for(tmp_path / "spool", FixedTranscriber(), **environ)
    app = create_app(container)
    with TestClient(app, base_url="https://127.0.0.1:8000", client=("127.0.0.1", 50_000)) as client:
        yield Browser(client)


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Browser]:
    with browsing(tmp_path, AUTH="key") as browser:
        yield browser


@pytest.fixture
def unproven(tmp_path: Path) -> Iterator[Browser]:
    with browsing(tmp_path) as browser:
        yield browser


@pytest.mark.parametrize("path", ["/console/", "/console/index.html"])
def test_a_page_may_connect_with_this_service_alone(unproven: Browser, path: str) -> None:
    answer = unproven.client.get(path)

    policy = dict(each.strip().split(" ", 1) for each in answer.headers["content-security-policy"].split(";"))
    assert answer.status_code == 200
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["style-src"] == "'self'"
    assert (policy["require-trusted-types-for"], policy["trusted-types"]) == ("'script'", "lit-html")
    assert not any("unsafe" in sources or "http" in sources for sources in policy.values())
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("root_path", ["", "/speech"])
def test_the_address_without_a_slash_leads_to_the_page(tmp_path: Path, root_path: str) -> None:
    with browsing(tmp_path, ROOT_PATH=root_path) as browser:
        answer = browser.client.get(f"{root_path}/console")

    assert (answer.status_code, answer.url.path) == (200, f"{root_path}/console/")


@pytest.mark.parametrize(
    ("environ", "is_there"),
    [
        ({}, True),
        ({"HOST": "::1"}, True),
        ({"HOST": "0.0.0.0"}, False),  # noqa: S104 - a value under test
        ({"HOST": "0.0.0.0", "CONSOLE": "true"}, True),  # noqa: S104 - same
        ({"CONSOLE": "false"}, False),
    ],
)
def test_the_console_is_there_for_this_machine_or_on_request(
    tmp_path: Path, environ: dict[str, str], *, is_there: bool
) -> None:
    assert Settings.from_env(environ).has_console is is_there
    with browsing(tmp_path, **environ) as browser:
        statuses = {browser.client.get(path).status_code for path in ("/console/", "/console/session")}

    assert statuses == ({200} if is_there else {404})


def test_a_path_leads_out_of_no_folder(unproven: Browser) -> None:
    assert unproven.client.get("/console/..%2f..%2f__init__.py").status_code == 404
    assert unproven.client.get("/console/%2e%2e/pages.py").status_code == 404


def test_a_key_is_traded_for_a_cookie_that_no_script_reads(keyed: Browser) -> None:
    answer = keyed.open(key=keyed.key())

    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=bt_")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert answer.json() | {"tenant_id": str(TENANT), "user_id": "alice", "signed_in": True} == answer.json()
    assert keyed.session()["scopes"] == ["operate", "read", "write"]


def test_the_cookie_holds_another_secret_than_the_key(keyed: Browser) -> None:
    key = keyed.key()

    keyed.open(key=key)

    assert key not in keyed.client.cookies[COOKIE]
    assert keyed.client.get("/batch/jobs").status_code == 200


@pytest.mark.parametrize("key", ["", "bt_00000000_" + "0" * 49, "nothing"])
def test_what_is_no_key_opens_no_session(keyed: Browser, key: str) -> None:
    answer = keyed.open(key=key)

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert not keyed.session()["signed_in"]


def test_a_well_formed_key_that_does_not_exist_opens_no_session(keyed: Browser, tmp_path: Path) -> None:
    with browsing(tmp_path / "other", AUTH="key") as other:
        assert keyed.open(key=other.key()).status_code == 401


def test_a_session_ends_with_its_key(keyed: Browser) -> None:
    key = keyed.key(seconds=60.0)
    keyed.open(key=key)
    parsed = parse_key(key)
    assert parsed is not None

    keyed.container.api_keys().revoke(parsed.id)

    session = parse_key(keyed.client.cookies[COOKIE])
    assert session is not None
    assert keyed.container.api_keys().find(session.id).state is KeyState.REVOKED


def test_a_session_has_no_more_rights_than_its_key(keyed: Browser) -> None:
    keyed.open(key=keyed.key(scopes=frozenset({Scope.READ})))

    assert keyed.client.get("/batch/jobs").status_code == 200
    assert keyed.client.post("/batch/jobs", **UPLOAD).status_code == 403
    assert keyed.client.get("/operations/outbox").status_code == 403


def test_ending_a_session_revokes_it_and_leaves_its_key(keyed: Browser) -> None:
    key = keyed.key()
    keyed.open(key=key)
    stolen = keyed.client.cookies[COOKIE]

    assert keyed.client.delete("/console/session").status_code == 204

    assert COOKIE not in keyed.client.cookies
    session = parse_key(stolen)
    assert session is not None
    assert keyed.container.api_keys().find(session.id).state is KeyState.REVOKED
    assert keyed.open(key=key).status_code == 200


def test_a_key_in_the_place_of_a_session_is_not_revoked_by_signing_out(keyed: Browser) -> None:
    key = keyed.key()
    keyed.client.cookies.set(COOKIE, key)

    assert keyed.client.delete("/console/session").status_code == 204

    assert keyed.open(key=key).status_code == 200


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_page_of_another_site_opens_and_ends_no_session(keyed: Browser, method: str) -> None:
    body = {"key": keyed.key()}

    answer = keyed.client.request(method, "/console/session", headers=ELSEWHERE, json=body)

    assert answer.status_code == 403


@pytest.mark.parametrize("headers", [ELSEWHERE, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_a_page_of_another_site_acts_in_no_session(keyed: Browser, headers: dict[str, str]) -> None:
    keyed.open(key=keyed.key())

    refused = keyed.client.post("/batch/jobs", headers=headers, **UPLOAD)

    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (403, "access-denied")
    assert keyed.client.get("/batch/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "https://127.0.0.1:8000"}, {}]
)
def test_a_page_of_the_service_acts_in_its_session(keyed: Browser, headers: dict[str, str]) -> None:
    keyed.open(key=keyed.key())

    assert keyed.client.post("/batch/jobs", headers=headers, **UPLOAD).status_code == 202


def test_credentials_of_a_request_count_more_than_its_cookie(keyed: Browser) -> None:
    keyed.open(key=keyed.key())

    wrong = {"Authorization": "Bearer nothing"}

    assert keyed.client.get("/batch/jobs", headers=wrong).status_code == 401


def test_without_proof_a_caller_names_its_tenant_once(unproven: Browser) -> None:
    assert not unproven.session()["signed_in"]

    answer = unproven.open(tenant_id=str(TENANT), user_id="zoë / sales")

    assert answer.status_code == 200
    job = unproven.client.post("/batch/jobs", **UPLOAD).json()
    assert (job["tenant_id"], job["user_id"]) == (str(TENANT), "zoë / sales")
    assert [each["id"] for each in unproven.client.get("/batch/jobs").json()["jobs"]] == [job["id"]]
    assert unproven.session()["scopes"] == ["operate", "read", "write"]


def test_headers_name_another_tenant_than_the_cookie(unproven: Browser) -> None:
    unproven.open(tenant_id=str(TENANT))

    job = unproven.client.post("/batch/jobs", headers={"X-Tenant-ID": str(OTHER)}, **UPLOAD).json()

    assert (job["tenant_id"], job["user_id"]) == (str(OTHER), "system")


@pytest.mark.parametrize(
    "body", [{}, {"tenant_id": "acme"}, {"tenant_id": str(TENANT), "user_id": "a\nb"}], ids=str
)
def test_names_that_cannot_be_used_open_no_session(unproven: Browser, body: dict[str, str]) -> None:
    answer = unproven.open(**body)

    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (400, "invalid-parameter")


@pytest.mark.parametrize("cookie", ["bt_00000000_" + "0" * 49, ".", "acme.alice", f"{TENANT}.%00%0a"])
def test_the_cookie_of_another_service_names_no_tenant(unproven: Browser, cookie: str) -> None:
    unproven.client.cookies.set(COOKIE, cookie)

    assert not unproven.session()["signed_in"]


def test_a_session_of_earlier_settings_is_forgotten_behind_a_gateway(tmp_path: Path) -> None:
    with browsing(tmp_path, AUTH="key") as browser:
        key = browser.key()
    with browsing(tmp_path, AUTH="gateway", TRUSTED_PROXIES="127.0.0.1/32") as browser:
        browser.client.cookies.set(COOKIE, key)

        answer = browser.client.delete("/console/session")

        assert answer.status_code == 204
        assert "Max-Age=0" in answer.headers["set-cookie"]


def test_behind_a_gateway_there_is_nothing_to_sign_in_to(tmp_path: Path) -> None:
    with browsing(tmp_path, AUTH="gateway", TRUSTED_PROXIES="127.0.0.1/32") as browser:
        assert browser.open(tenant_id=str(TENANT)).status_code == 400
        browser.client.cookies.set(COOKIE, f"{TENANT}.alice")
        assert not browser.session()["signed_in"]
        named = {"X-Tenant-ID": str(OTHER), "X-User-ID": "bob"}
        assert browser.client.get("/console/session", headers=named).json()["tenant_id"] == str(OTHER)
