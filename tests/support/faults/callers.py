"""Callers that upload a recording repeatedly, and write each promise to disk."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from threading import Event

import urllib3

from tests.support.faults.checker import PROMISES, PromiseLog

CALLERS = 4
AFTER_A_REFUSAL_SECONDS = 0.05


class Callers:
    """Several callers at once, each of which changes from server to server.

    Attributes:
        answers: how often each `event.status` was answered; `none` where there was no answer.
    """

    def __init__(self, recording: bytes, log: PromiseLog) -> None:
        self._fields = {"file": ("a.wav", recording)}
        self._log = log
        self._client = urllib3.PoolManager(maxsize=CALLERS, retries=False, timeout=120)
        self.answers: Counter[str] = Counter()

    def upload(self, url: str) -> str:
        """Upload one recording; return the status of its event."""
        try:
            response = self._client.request("POST", f"{url}/batch/process", fields=self._fields)
            answer = response.json() if response.status == 200 else {}
        except urllib3.exceptions.HTTPError:
            answer = {}
        status: str = answer["event"]["status"] if answer else "none"
        if status in PROMISES:
            self._log.note(answer["interaction_id"])
        self.answers[status] += 1
        return status

    def upload_many(self, url: str, count: int) -> list[str]:
        """Upload a number of recordings, several at a time."""
        with ThreadPoolExecutor(CALLERS) as threads:
            return list(threads.map(self.upload, [url] * count))

    @contextlib.contextmanager
    def calling(self, urls: Sequence[str]) -> Iterator[None]:
        """Upload without a pause, also after errors, until the context ends."""
        stop = Event()

        def call(first: int) -> None:
            for url in cycle([*urls[first:], *urls[:first]]):
                if self.upload(url) == "none":
                    stop.wait(AFTER_A_REFUSAL_SECONDS)
                if stop.is_set():
                    return

        with ThreadPoolExecutor(CALLERS) as threads:
            futures = [threads.submit(call, number % len(urls)) for number in range(CALLERS)]
            try:
                yield
            finally:
                stop.set()
                for future in futures:
                    future.result()
