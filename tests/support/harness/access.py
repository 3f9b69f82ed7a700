"""A service whose callers are authenticated, and requests of callers with all kinds of credentials."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from dependency_injector import providers
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.in_memory import InMemoryEventPublisher
from bootstrap.container import Container
from domain.model.access import Scope as Right
from domain.model.api_keys import KeyGrant
from domain.model.jobs import JobQuery
from entrypoints.api.app import create_app
from tests.support.auth.issuer import AUDIENCE, IssuerServer, ec_key, issuer_server
from tests.support.doubles.playback import FixedPlayback
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for, wait_until

USER = "alice"
GATEWAY = "10.1.0.9"
STRANGER = "203.0.113.7"
CALLERS = frozenset(Right)

Headers = dict[str, str]


class FromPeer:
    """The app as a peer with this address reaches it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.peer = STRANGER

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "client": (self.peer, 50_000)}, receive, send)


class AccessStage:
    """Service with a tenant that has a completed job.

    Attributes:
        issuer: signs tokens for the service, where they prove its callers.
    """

    issuer: IssuerServer

    def __init__(self, app: FastAPI, api: TestClient, reached: FromPeer) -> None:
        self.app = app
        self._api = api
        self._reached = reached
        self.tenant, self.other = uuid4(), uuid4()

    @property
    def container(self) -> Container:
        container: Container = self.app.state.container
        return container

    def key(
        self, tenant: UUID | None = None, *, scopes: frozenset[Right] = CALLERS, seconds: float | None = None
    ) -> str:
        """Create a key of the stage's tenant, or of another one."""
        grant = KeyGrant(tenant or self.tenant, USER, scopes)
        return self.container.api_key_service().create(grant, lifetime_seconds=seconds).plain.text

    def send(self, method: str, path: str, headers: Headers, *, peer: str = STRANGER, **options: Any) -> Any:
        self._reached.peer = peer
        return self._api.request(method, path, headers=headers, **options)

    def completed_job(self, sent: Headers, *, peer: str = STRANGER) -> UUID:
        """Submit a job, and wait for its end."""
        answer = self.send("POST", "/batch/jobs", sent, peer=peer, files={"file": ("call.wav", b"sound")})
        assert answer.status_code == 202, answer.text
        self.settle()
        return UUID(answer.json()["id"])

    def settle(self) -> None:
        """Wait until no job is queued or at work."""
        jobs = self.container.jobs()
        wait_until(lambda: jobs.counts().queued + jobs.counts().processing == 0)

    def traces(self, job_id: UUID) -> tuple[object, ...]:
        """Return all that a request of any caller could have changed: a job, the newest ones, and events."""
        self.settle()
        jobs, events = self.container.jobs(), self.container.events()
        newest = (jobs.page(JobQuery(tenant, limit=1)).jobs for tenant in (self.tenant, self.other))
        assert isinstance(events, InMemoryEventPublisher)
        return (jobs.find(job_id), *newest, len(events.published))

    def uploads(self) -> list[Path]:
        """Return the files of uploads that are on the disk."""
        return list(self.container.settings().spool_dir.rglob("upload-*"))


@contextmanager
def access_stage(folder: Path, **environ: str) -> Iterator[AccessStage]:
    """Start a service with these settings in this process."""
    container = container_for(folder / "spool", FixedTranscriber(capacity=8), **environ)
    container.playback.override(providers.Object(FixedPlayback()))
    app = create_app(container)
    reached = FromPeer(app)
    with TestClient(reached, raise_server_exceptions=False) as api:
        yield AccessStage(app, api, reached)


@contextmanager
def token_stage(folder: Path, **environ: str) -> Iterator[AccessStage]:
    """Start a service whose callers have tokens, and their issuer; wait until it has the issuer's keys."""
    with issuer_server(ec_key()) as issuer:
        tokens = {"AUTH": "token", "AUTH_ISSUER": issuer.url, "AUTH_AUDIENCE": AUDIENCE}
        with access_stage(folder, **{**tokens, **environ}) as stage:
            stage.issuer = issuer
            sent = bearer(issuer.token())
            wait_until(lambda: stage.send("GET", "/batch/jobs", sent).status_code == 200)
            yield stage


def bearer(credentials: str) -> Headers:
    """Return the header of a key or a token."""
    return {"Authorization": f"Bearer {credentials}"}


def routes_of(app: FastAPI) -> dict[tuple[str, str], BaseRoute]:
    """Return all routes by method and path, those of included routers, too."""
    routers = ((getattr(route, "original_router", None), route) for route in app.routes)
    routes = (each for router, route in routers for each in ((route,) if router is None else router.routes))
    return {(method, getattr(route, "path", "")): route for route in routes for method in _methods(route)}


def _methods(route: BaseRoute) -> list[str]:
    return sorted(getattr(route, "methods", {"GET"}) - {"HEAD"})  # a folder of files has none


def scopes_of(route: BaseRoute) -> set[str]:
    """Return the scopes that a route declares."""
    return _declared(route.dependant) if isinstance(route, APIRoute) else set()


def _declared(dependant: Any) -> set[str]:
    own = set(dependant.own_oauth_scopes or [])
    return own.union(*map(_declared, dependant.dependencies))
