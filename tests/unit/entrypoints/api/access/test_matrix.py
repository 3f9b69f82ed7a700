"""Who may: every route of the app, in every way of proving who calls, or of not proving it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from bootstrap.container import build_container
from bootstrap.settings import Settings
from domain.model.access import Scope
from entrypoints.api.app import create_app
from tests.support.harness.access import AccessStage, access_stage, routes_of, scopes_of, token_stage
from tests.unit.entrypoints.api.access.ways import NO_SCOPE, OWN, WAYS, Refusal

ROUTES = routes_of(create_app(build_container(Settings.from_env({}))))
UPLOAD = {"files": {"file": ("call.wav", b"sound")}}


class Row(NamedTuple):
    """A route: the scope that it needs, and how it answers those who may."""

    scope: Scope | None  # None: open to all
    own: int = 200  # status for the owner of the job
    other: int = 404  # and for another tenant
    options: Mapping[str, Any] | None = None  # of the request


NO_STATE = {"params": {"state": "none"}}
"""The list of jobs in no such state: the answer with their events has no end."""
ALL_REJECTED = {"params": {"all_rejected": "true"}}
NO_ROUTE = Row(Scope.OPERATE, own=502, other=502)
"""Operators look after all tenants' events; those of these stages stay in memory."""

MATRIX: dict[tuple[str, str], Row] = {
    ("POST", "/batch/process"): Row(Scope.WRITE, other=200, options=UPLOAD),
    ("POST", "/batch/jobs"): Row(Scope.WRITE, own=202, other=202, options=UPLOAD),
    ("GET", "/batch/jobs"): Row(Scope.READ, other=200),
    ("GET", "/batch/jobs/events"): Row(Scope.READ, own=400, other=400, options=NO_STATE),
    ("GET", "/batch/jobs/{job_id}"): Row(Scope.READ),
    ("GET", "/batch/jobs/{job_id}/events"): Row(Scope.READ),
    ("GET", "/batch/jobs/{job_id}/transcript"): Row(Scope.READ),
    ("GET", "/batch/jobs/{job_id}/delivery"): Row(Scope.READ),
    ("GET", "/batch/jobs/{job_id}/recording"): Row(Scope.READ, own=415),  # its sound is the word "sound"
    ("GET", "/batch/jobs/{job_id}/waveform"): Row(Scope.READ, own=415),
    ("POST", "/batch/jobs/{job_id}/retry"): Row(Scope.WRITE, own=409),  # it has completed
    ("DELETE", "/batch/jobs/{job_id}"): Row(Scope.WRITE, own=204),
    ("GET", "/operations/outbox"): Row(Scope.OPERATE, other=200),
    ("POST", "/operations/outbox/retry"): Row(Scope.OPERATE, other=200, options=ALL_REJECTED),
    ("GET", "/operations/route"): Row(Scope.OPERATE, other=200),
    ("POST", "/operations/route/verify"): NO_ROUTE,
    ("GET", "/operations/dead-letters"): NO_ROUTE,
    ("GET", "/operations/dead-letters/{message_id}"): NO_ROUTE,
    ("POST", "/operations/dead-letters/archive"): NO_ROUTE._replace(options={"params": {"all": "true"}}),
    ("POST", "/operations/dead-letters/redrive"): NO_ROUTE._replace(options={"params": {"all": "true"}}),
    ("GET", "/console/session"): Row(None),  # tells who the caller is, also one without proof
    ("POST", "/console/session"): Row(None, own=400),  # without a body
    ("DELETE", "/console/session"): Row(None, own=204),
    ("GET", "/console"): Row(None),
    ("GET", "/health/live"): Row(None),
    ("GET", "/health/ready"): Row(None),
    ("GET", "/docs"): Row(None),
    ("GET", "/openapi.json"): Row(None),
    ("GET", "/docs/static"): Row(None, own=404),  # a folder; its files are those of /docs
}

CASES = [
    pytest.param(*route, way, id=f"{route[0]} {route[1]} with {way}") for route in ROUTES for way in WAYS
]

STAGES: Mapping[str, Callable[..., AbstractContextManager[AccessStage]]] = {
    "key": partial(access_stage, AUTH="key"),
    "token": token_stage,
    "token,key": partial(token_stage, AUTH="token,key"),
    "gateway": partial(access_stage, AUTH="gateway", TRUSTED_PROXIES="10.1.0.0/24"),
}
"""Services by the value of AUTH."""
Stages = Callable[[str], AccessStage]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    """One service for each value of AUTH."""
    started: dict[str, AccessStage] = {}
    with ExitStack() as stack:

        def stage(auth: str) -> AccessStage:
            if auth not in started:
                folder = tmp_path_factory.mktemp(auth)
                started[auth] = stack.enter_context(STAGES[auth](folder, JOB_WORKERS="2"))
            return started[auth]

        yield stage


@pytest.fixture(scope="module")
def kept_jobs() -> dict[str, UUID]:
    """Return the completed job of each service that no caller has changed."""
    return {}


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    assert MATRIX.keys() == ROUTES.keys()


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_a_route_declares_the_scope_of_its_row(route: tuple[str, str]) -> None:
    scope = MATRIX[route].scope

    assert scopes_of(ROUTES[route]) == (set() if scope is None else {scope})


@pytest.mark.parametrize(("method", "path", "name"), CASES)
def test_a_route_answers_callers_who_may_and_no_other(
    method: str, path: str, name: str, stages: Stages, kept_jobs: dict[str, UUID]
) -> None:
    row, way = MATRIX[method, path], WAYS[name]
    stage = stages(way.auth)
    if way.auth not in kept_jobs:
        kept_jobs[way.auth] = a_job(stage, way.auth)
    job_id = kept_jobs[way.auth] if "{" in path else uuid4()
    before, sent = stage.traces(job_id), way.sent(stage, row.scope or Scope.READ)

    def answer(job: UUID) -> Any:
        return stage.send(
            method,
            path.format(job_id=job, message_id=job),
            sent.headers,
            peer=sent.peer,
            **(row.options or {}),
        )

    answered = answer(job_id)

    if row.scope is None:
        assert answered.status_code == row.own
    elif isinstance(way.outcome, Refusal):
        assert_refused(answered, way.outcome, row.scope)
    elif (row.scope, way.auth) == (Scope.OPERATE, "gateway"):  # whose callers are users, not operators
        assert_refused(answered, NO_SCOPE, row.scope)
    else:
        assert answered.status_code == (row.own if way.outcome == OWN else row.other), answered.text
        if row.scope is not Scope.OPERATE:
            assert_owned_by(answered, stage.tenant if way.outcome == OWN else stage.other)
    if answered.status_code in {400, 401, 403, 404}:
        assert stage.traces(job_id) == before
    elif method != "GET":
        kept_jobs.pop(way.auth)
    if answered.status_code == 404 and row.scope is not None:
        assert as_sent(answered) == as_sent(answer(uuid4()))


def a_job(stage: AccessStage, auth: str) -> UUID:
    """Let the owner of the stage complete a job."""
    way = next(way for way in WAYS.values() if way.auth == auth and way.outcome == OWN)
    sent = way.sent(stage, Scope.WRITE)
    return stage.completed_job(sent.headers, peer=sent.peer)


def as_sent(answered: Any) -> tuple[int, bytes, dict[str, str]]:
    """Return an answer, byte for byte, without the id of its request."""
    headers = {name: value for name, value in answered.headers.items() if name != "x-interaction-id"}
    return answered.status_code, answered.content, headers


def assert_owned_by(answered: Any, tenant: UUID) -> None:
    """Check that an answer speaks of one tenant alone."""
    if "json" not in answered.headers.get("content-type", "") or answered.status_code >= 400:
        return
    body = answered.json()
    assert {each["tenant_id"] for each in body.get("jobs", [body])} <= {str(tenant)}


def assert_refused(answered: Any, refusal: Refusal, scope: Scope) -> None:
    """Check status, problem and challenge (RFC 6750, section 3)."""
    assert (answered.status_code, answered.json()["type"].rpartition(":")[2]) == refusal[:2]
    assert answered.headers["content-type"] == "application/problem+json"
    challenge = answered.headers.get("www-authenticate")
    assert "<" not in answered.json()["detail"], "names are not shown as Python writes them"
    if refusal.error is None:
        assert challenge is None
        return
    expected = 'Bearer realm="batch-transcription"'
    expected += f', error="{refusal.error}"' if refusal.error else ""
    expected += f', scope="{scope}"' if refusal.error == "insufficient_scope" else ""
    assert challenge == expected
