"""Callers that submit jobs repeatedly, and write each promise to disk."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from threading import Event
from uuid import uuid4

import urllib3

from tests.support.faults.checker import PromiseLog

SUBMITTERS = 3
PAUSE_SECONDS = 0.05


class Submitters:
    """Several callers at once, each of which changes from server to server and cancels some of its jobs.

    Attributes:
        answers: how often each status was answered; 0 where there was no answer.
    """

    def __init__(self, recording: bytes, log: PromiseLog) -> None:
        self._fields = {"file": ("a.wav", recording)}
        self._log = log
        self._client = urllib3.PoolManager(maxsize=SUBMITTERS, retries=False, timeout=120)
        self._tenant = {"X-Tenant-ID": str(uuid4())}
        self.answers: Counter[int] = Counter()

    def submit(self, url: str, *, key: str | None = None) -> str | None:
        """Submit one recording; return the id of the job, None without a promise."""
        headers = self._tenant | ({} if key is None else {"Idempotency-Key": key})
        try:
            response = self._client.request("POST", f"{url}/batch/jobs", fields=self._fields, headers=headers)
        except urllib3.exceptions.HTTPError:
            self.answers[0] += 1
            return None
        self.answers[response.status] += 1
        if response.status != 202:
            return None
        job_id: str = response.headers["Location"].rpartition("/")[2]
        self._log.note(job_id)
        return job_id

    def cancel(self, url: str, job_id: str) -> None:
        """Cancel a job, or try to."""
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            self._client.request("DELETE", f"{url}/batch/jobs/{job_id}", headers=self._tenant)

    @contextlib.contextmanager
    def submitting(self, urls: Sequence[str]) -> Iterator[None]:
        """Submit until the context ends; every fifth job is cancelled."""
        stop = Event()

        def call(first: int) -> None:
            for number, url in enumerate(cycle([*urls[first:], *urls[:first]])):
                job_id = self.submit(url)
                if job_id and number % 5 == 0:
                    self.cancel(url, job_id)
                if stop.wait(PAUSE_SECONDS):
                    return

        with ThreadPoolExecutor(SUBMITTERS) as threads:
            futures = [threads.submit(call, number % len(urls)) for number in range(SUBMITTERS)]
            try:
                yield
            finally:
                stop.set()
                for future in futures:
                    future.result()
