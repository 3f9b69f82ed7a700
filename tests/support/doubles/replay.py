"""Replays of an archive in memory."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from domain.model.errors import InfrastructureError
from domain.model.replays import SETTLE_SECONDS, Replay, ReplayRequest, ReplayState
from ports.replay_port import ReplayPort


class InMemoryReplays(ReplayPort):
    """Keeps envelopes and replays them into a list; each `look` advances a replay by one state.

    Args:
        now: the clock of the archive.
        states: the states of a replay in order; it stays at the last one.
    """

    def __init__(self, now: Any, states: tuple[ReplayState, ...] = (ReplayState.COMPLETED,)) -> None:
        self._now = now
        self._states = states
        self._steps: dict[str, list[ReplayState]] = {}
        self._requests: dict[str, ReplayRequest] = {}
        self._ended: dict[str, datetime] = {}
        self.archive: list[tuple[datetime, str]] | None = []
        self.delivered: list[str] = []
        self.needed: set[str] = set()
        self.cancelled: list[str] = []

    def start(self, request: ReplayRequest, /) -> str:
        if self.archive is None:
            raise InfrastructureError("there is no archive: run `transcripts provision --archive DAYS`")
        name = f"replay-{uuid4().hex}"
        self._requests[name], self._steps[name] = request, list(self._states)
        self._ended[name] = self._now()
        if request.tenant_id is not None:
            self.needed.add(name)
        for moment, text in self.archive:
            envelope = json.loads(text)
            wanted = request.tenant_id in (None, envelope["detail"]["tenant_id"])
            if wanted and request.start <= moment < request.end:
                self.delivered.append(json.dumps({**envelope, "replay-name": name}))
        return name

    def look(self, name: str, /) -> Replay:
        request, steps = self._known(name), self._steps[name]
        state = steps.pop(0) if len(steps) > 1 else steps[0]
        reached = None if state is ReplayState.STARTING else request.end
        return Replay(name, state, request.start, request.end, reached)

    def cancel(self, name: str, /) -> None:
        self._known(name)
        self._steps[name] = [ReplayState.CANCELLING, ReplayState.CANCELLED]
        self.cancelled.append(name)

    def clean_up(self, name: str, /) -> None:
        self.needed.discard(name)

    def tidy(self) -> tuple[str, ...]:
        settled = timedelta(seconds=SETTLE_SECONDS)
        over = [
            name
            for name in self.needed
            if self._steps[name][0].is_over and self._now() - self._ended[name] >= settled
        ]
        self.needed -= set(over)
        return tuple(over)

    def _known(self, name: str) -> ReplayRequest:
        if name not in self._requests:
            raise InfrastructureError(f"there is no replay {name}")
        return self._requests[name]
