"""Search for one message in a queue; all other messages are put back with a receive count of 0.

Each receive counts towards dead-lettering and cannot be undone. Therefore a message that is not ours is sent
again as a copy, and only then is the original deleted: a crash at any point costs a duplicate at worst
(docs/adr/0004).
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from domain.model.errors import InfrastructureError
from ports.queue_port import MAX_RECEIVE, QueueMessage, QueuePort

logger = logging.getLogger(__name__)

VISIBILITY_TIMEOUT = 10
"""Visibility timeout of a receive (requirement 8.4); most messages are visible again in milliseconds."""

QUIET_WAIT_SECONDS = 5
BUSY_WAIT_SECONDS = 1
MAX_PAUSE_SECONDS = 1.0
PAUSE_STEP_SECONDS = 0.1
POLLERS = 8


class Match(NamedTuple):
    """Result of matching a message: the wanted one, one that may be removed, or neither."""

    wanted: bool = False
    removable: bool = False


class SearchResult(NamedTuple):
    """Result of a search: the wanted message, if it was found, and the number of messages seen."""

    found: QueueMessage | None
    messages_seen: int
    problem: str | None
    """The failure that ended the search, or that left a message unreleased."""


class _Poll(NamedTuple):
    """Result of one receive."""

    full: bool
    messages: tuple[QueueMessage, ...] = ()
    found: QueueMessage | None = None
    copies: frozenset[str] = frozenset()
    problem: str | None = None


class MessageSearch:
    """One search through one queue. Not thread-safe; it runs threads of its own."""

    def __init__(
        self,
        queue: QueuePort,  # the queue, which counts receives as `QueuePort` says
        # decides about each message; a message that is wanted or removable is deleted
        match: Callable[[QueueMessage], Match],
        *,
        pollers: int = POLLERS,  # number of concurrent receives while the queue is full
        clock: Callable[[], float] = time.monotonic,  # a monotonic clock in seconds
        pause: Callable[[float], None] = time.sleep,  # sleeps for a number of seconds
    ) -> None:
        self._queue = queue
        self._match = match
        self._pollers = pollers
        self._clock = clock
        self._pause = pause
        self._copies: set[str] = set()
        self._seen: set[str] = set()
        self._stale_rounds = 0

    def run(self, timeout_seconds: float) -> SearchResult:
        """Search until the message is found, the time is up, or a message cannot be put back.

        One thread polls while the queue is quiet, several while it is full. Where a round brings only our own
        copies, the next one is delayed. Polls run in threads of their own, so that an interrupt cannot strike
        between a receive and its copies.
        """
        deadline = self._clock() + timeout_seconds
        polls: list[_Poll] = []
        with ThreadPoolExecutor(self._pollers) as pool:
            while (remaining := deadline - self._clock()) > 0:
                polls = self._round(pool, polls, remaining)
                self._record(polls)
                if any(poll.found or poll.problem for poll in polls):
                    break
                if self._stale_rounds:
                    self._pause(min(MAX_PAUSE_SECONDS, PAUSE_STEP_SECONDS * self._stale_rounds))
        return SearchResult(
            found=next((poll.found for poll in polls if poll.found), None),
            messages_seen=len(self._seen),
            problem=next((poll.problem for poll in polls if poll.problem), None),
        )

    def _round(self, pool: ThreadPoolExecutor, before: Sequence[_Poll], remaining: float) -> list[_Poll]:
        """Poll once, in one or several threads; receive one message at first, to prove that copying works."""
        limit = MAX_RECEIVE if self._copies else 1
        busy = bool(self._copies) and any(poll.full for poll in before)
        wait = math.ceil(min(remaining, BUSY_WAIT_SECONDS if busy else QUIET_WAIT_SECONDS))
        waits = [wait] * (self._pollers if busy else 1)
        return list(pool.map(lambda seconds: self._poll(limit, seconds), waits))

    def _record(self, polls: Sequence[_Poll]) -> None:
        """Count messages that are new, as opposed to copies that this search sent."""
        self._copies.update(*(poll.copies for poll in polls))
        brought = {message.id for poll in polls for message in poll.messages}
        news = brought - self._copies
        self._seen |= news
        self._stale_rounds = self._stale_rounds + 1 if brought and not news else 0

    def _poll(self, limit: int, wait_seconds: int) -> _Poll:
        try:
            messages = self._queue.receive(
                limit, visibility_timeout=VISIBILITY_TIMEOUT, wait_seconds=wait_seconds
            )
        except InfrastructureError as error:
            return _Poll(full=False, problem=str(error))
        judged = [(message, self._match(message)) for message in messages]
        copies, copying_problem = self._put_back([m for m, match in judged if not any(match)])
        removal_problem = self._remove([m for m, match in judged if any(match)])
        return _Poll(
            full=len(messages) == MAX_RECEIVE,
            messages=messages,
            found=next((m for m, match in judged if match.wanted), None),
            copies=copies,
            problem=copying_problem or removal_problem,
        )

    def _put_back(self, messages: Sequence[QueueMessage]) -> tuple[frozenset[str], str | None]:
        """Send copies, then delete the originals; release the messages that could not be copied."""
        copies = self._queue.resend(messages)
        stranded = [copy for copy in copies if copy.id is None]
        self._queue.release([copy.original for copy in stranded])
        problem = self._remove([copy.original for copy in copies if copy.id])
        if stranded:
            problem = f"{len(stranded)} messages could not be copied: {stranded[0].problem}"
        return frozenset(copy.id for copy in copies if copy.id), problem

    def _remove(self, messages: Sequence[QueueMessage]) -> str | None:
        try:
            self._queue.delete(messages)
        except InfrastructureError as error:
            self._queue.release(messages)
            return str(error)
        return None
