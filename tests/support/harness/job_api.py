"""Caller of the jobs of a service over HTTP, in this process."""

from typing import Any
from uuid import UUID, uuid4

from fastapi.testclient import TestClient

from bootstrap.container import Container
from domain.model.jobs import Job
from tests.support.harness.service import wait_until

FINAL = {"completed", "failed", "cancelled"}


def links_of(job: Any) -> set[str]:
    """Return what can be done with a job."""
    return {name for name, path in job["links"].items() if path is not None}


class JobCaller:
    """Caller of one tenant; without another one, each caller is of a tenant of its own."""

    def __init__(self, api: TestClient, tenant: str | None = None) -> None:
        self.api = api
        self.tenant = tenant or str(uuid4())

    @property
    def container(self) -> Container:
        container: Container = self.api.app.state.container  # type: ignore[attr-defined]  # FastAPI behind an ASGI type
        return container

    def send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Any:
        return self.api.request(
            method, path, headers={"X-Tenant-ID": self.tenant, **(headers or {})}, **options
        )

    def submit(self, content: bytes = b"sound", *, path: str = "/batch/jobs", **options: Any) -> Any:
        return self.send("POST", path, files={"file": ("call.wav", content)}, **options)

    def submitted(self, content: bytes = b"sound", **options: Any) -> Any:
        """Submit a job, and return its snapshot."""
        response = self.submit(content, **options)
        assert response.status_code == 202, response.text
        return response.json()

    def get(self, path: str, **options: Any) -> Any:
        return self.send("GET", path, **options)

    def look(self, job: Any) -> Any:
        """Return the present snapshot of a job."""
        response = self.get(job["links"]["self"])
        assert response.status_code == 200, response.text
        return response.json()

    def stored(self, job: Any) -> Job:
        """Return a job as its store has it."""
        found = self.container.jobs().find(UUID(job["id"]))
        assert found is not None
        return found

    def in_state(self, job: Any, *states: str) -> Any:
        """Wait until a job is in one of the states, and return its snapshot."""
        seen: list[Any] = []

        def is_there() -> bool:
            seen.append(self.look(job))
            return seen[-1]["state"] in states

        wait_until(is_there)
        return seen[-1]

    def ended(self, job: Any) -> Any:
        return self.in_state(job, *FINAL)
