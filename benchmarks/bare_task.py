"""Celery application with a task that does nothing: the fastest that Celery can be on a broker.

    BROKER=redis://… DONE=file COUNT=1000 celery -A benchmarks.bare_task worker --pool threads

When so many tasks have ended, the worker makes the file.
"""

import itertools
import os
from pathlib import Path

from celery import Celery, signals

app = Celery("bare", broker=os.environ.get("BROKER"), set_as_current=False)
app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False)
_ended = itertools.count(1)


@app.task(name="nothing")  # type: ignore[untyped-decorator]  # Celery has no types
def nothing(_job: str) -> None:
    """Do nothing."""


@signals.task_postrun.connect  # type: ignore[untyped-decorator]  # same
def _count(**_: object) -> None:
    if next(_ended) == int(os.environ["COUNT"]):
        Path(os.environ["DONE"]).touch()
