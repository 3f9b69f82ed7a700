"""Files of the product that one upload, one relayed event and one consumed message cross.

A reader who follows a flow opens these files, and changes between them this often. The counts come from a
trace of every call, over an AWS that moto plays in this process.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from unittest.mock import patch
from uuid import uuid4

import urllib3
from moto import mock_aws

from benchmarks.report import Report, Table
from bootstrap.container import Container, build_container
from bootstrap.runtime.consumer import build_consumer
from bootstrap.settings import Settings
from domain.model.consuming.received import ReceivedEvent
from domain.model.events.event import BatchProcessingCompleted, TranscriptData
from domain.services.consuming.consumer import ConsumerOptions
from ports.event_handler_port import EventHandlerPort
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import serving

ROOT = Path(__file__).parents[1]
PRODUCT = tuple(
    f"{ROOT / package}/" for package in ("domain", "ports", "adapters", "bootstrap", "entrypoints")
)
SETTLING_SECONDS = 1.0
"""After an upload, until the outcome of its event is recorded."""
BACKGROUND = frozenset({"relay", "housekeeping", "leases"})
"""Threads of the service that belong to no upload."""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_DEFAULT_REGION": "us-east-1"}


class Trace:
    """Counts files and changes of file, thread by thread, while it is active.

    Attributes:
        files: the product's files in which something was called, in their order.
        changes: calls of another file than the one that the thread was in.
    """

    def __init__(self) -> None:
        self.files: dict[str, None] = {}
        self.changes = 0
        self._is_active = False
        self._place: dict[int, str] = {}

    @contextmanager
    def active(self) -> Iterator[None]:
        """Count what happens in this block; threads that started earlier must know `profile` already."""
        self._is_active = True
        try:
            yield
        finally:
            self._is_active = False

    def profile(self, frame: FrameType, event: str, _argument: object) -> None:
        """Note a call or a return, as `sys.setprofile` reports it."""
        if not self._is_active or not _is_ours(frame) or threading.current_thread().name in BACKGROUND:
            return
        thread, file = threading.get_ident(), frame.f_code.co_filename
        if event == "call":
            self.files[file] = None
            self.changes += self._place.get(thread) != file
            self._place[thread] = file
        elif event == "return" and (caller := _caller(frame)):
            self._place[thread] = caller


class _Accepting(EventHandlerPort):
    """Handles every event by doing nothing."""

    def handle(self, received: ReceivedEvent, /) -> None:
        pass

    def abort(self) -> None:
        pass


def measure() -> Report:
    """Trace each flow once, after one that fills the caches."""
    rows: list[tuple[str, ...]] = []
    with TemporaryDirectory() as folder, patch.dict("os.environ", CREDENTIALS), mock_aws():
        own = {"EVENT_TRANSPORT": "eventbridge", "DATABASE_URL": f"sqlite:///{folder}/transcripts.db"}
        settings = Settings.from_env({"SPOOL_DIR": f"{folder}/spool", **own, **CREDENTIALS})
        build_container(settings).infrastructure().provision()
        for name, flow in (("upload", _upload), ("relayed event", _relay), ("consumed message", _consume)):
            trace = _traced(flow, settings)
            rows.append((name, str(len(trace.files)), str(trace.changes)))
    return Report(tables=(Table(("one", "files", "changes of file"), tuple(rows)),))


def _traced(flow: Callable[[Settings, Trace], None], settings: Settings) -> Trace:
    trace = Trace()
    threading.setprofile(trace.profile)
    sys.setprofile(trace.profile)
    try:
        flow(settings, trace)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return trace


def _upload(settings: Settings, trace: Trace) -> None:
    with serving(build_container(settings, FixedTranscriber())) as port:
        _post(port)
        with trace.active():
            _post(port)
            time.sleep(SETTLING_SECONDS)


def _post(port: int) -> None:
    url = f"http://127.0.0.1:{port}/batch/process"
    answer = urllib3.request("POST", url, fields={"file": ("a.wav", bytes(2000))})
    if answer.status != HTTPStatus.OK:
        raise RuntimeError(f"the upload was answered {answer.status}: {answer.data!r}")


def _relay(settings: Settings, trace: Trace) -> None:
    container = build_container(settings)
    _relay_one(container)
    container.outbox().add(_event())
    with trace.active():
        container.relay().step()


def _relay_one(container: Container) -> None:
    container.outbox().add(_event())
    container.relay().step()


def _consume(settings: Settings, trace: Trace) -> None:
    one = ConsumerOptions(threads=1, max_messages=1)
    for active in (nullcontext(), trace.active()):
        _relay_one(build_container(settings))
        consumer = build_consumer(settings, _Accepting(), options=one)
        with active:
            consumer.run()


def _event() -> BatchProcessingCompleted:
    return BatchProcessingCompleted(
        interaction_id=uuid4(),
        tenant_id=uuid4(),
        user_id="benchmark",
        account_id=None,
        timestamp=datetime.now(UTC),
        data=TranscriptData(raw_transcript="um hello", cleaned_transcript="Hello."),
    )


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(PRODUCT)


def _caller(frame: FrameType) -> str | None:
    caller = frame.f_back
    while caller and not _is_ours(caller):
        caller = caller.f_back
    return caller.f_code.co_filename if caller else None
