"""Metrics of a process: served or not, and read from an event loop that may be busy."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bootstrap.runtime import metrics as runtime
from bootstrap.runtime.metrics import exposing_metrics, in_loop, observe
from domain.model.errors import ConfigurationError
from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.observed import metrics_of
from tests.support.harness.service import container_for
from tests.support.prometheus.scrapes import scraped

WITHOUT_METRICS = """
import sys, bootstrap.container, bootstrap.runtime.metrics, bootstrap.runtime.consumer, entrypoints.api.app
from bootstrap.settings import Settings
container = bootstrap.container.build_container(Settings.from_env({"EVENT_TRANSPORT": "memory"}))
with bootstrap.runtime.metrics.exposing_metrics(container):
    container.events(), container.request_metrics(), container.relay
print([name for name in sys.modules if name.startswith(("prometheus_client", "adapters.telemetry.metrics"))])
"""


@pytest.mark.process
def test_without_a_port_the_library_is_not_even_imported() -> None:
    told = subprocess.run([sys.executable, "-c", WITHOUT_METRICS], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"


def test_without_a_port_nothing_is_opened(tmp_path: Path) -> None:
    container = container_for(tmp_path / "spool")
    before = set(tmp_path.iterdir())

    with exposing_metrics(container):
        assert set(tmp_path.iterdir()) == before


def test_a_port_that_is_taken_ends_the_start(tmp_path: Path, unused_tcp_port: int) -> None:
    one = container_for(tmp_path / "spool", METRICS_PORT=str(unused_tcp_port))
    other = container_for(tmp_path / "spool", METRICS_PORT=str(unused_tcp_port))

    with (
        exposing_metrics(one),
        pytest.raises(ConfigurationError, match=f"^METRICS_PORT={unused_tcp_port}: "),
        exposing_metrics(other),
    ):
        pass


async def test_what_an_event_loop_has_is_read_in_it() -> None:
    loop = asyncio.get_running_loop()

    found = await asyncio.to_thread(in_loop, loop, asyncio.get_running_loop)

    assert found is loop


async def test_an_error_in_the_loop_is_raised_in_the_thread_that_asked() -> None:
    def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await asyncio.to_thread(in_loop, asyncio.get_running_loop(), fail)


async def test_an_event_loop_that_is_busy_leaves_a_gap_and_delays_no_scrape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "LOOP_SECONDS", 0.05)
    container = container_for(tmp_path / "spool", FixedTranscriber(), METRICS_PORT="0")
    metrics = metrics_of(container)
    observe(container, metrics, has_transcriber=True)

    with ThreadPoolExecutor(1) as threads:
        missing = threads.submit(scraped, metrics.registry).result(240)  # the loop does nothing else
    there = await asyncio.to_thread(scraped, metrics.registry)

    assert missing.value("transcriber_workers", state="ready") is None
    assert missing.value("outbox_events", state="waiting") == 0
    assert there.value("transcriber_workers", state="ready") == 1
    assert there.value("metrics_scrape_errors_total", source="transcriber") == 1


async def test_recordings_that_wait_for_a_place_are_told_apart_from_those_at_work(tmp_path: Path) -> None:
    transcriber = FixedTranscriber(capacity=3)
    container = container_for(tmp_path / "spool", transcriber, METRICS_PORT="0", TRANSCRIBER_WAITING_ROOM="2")
    metrics, recording = metrics_of(container), tmp_path / "a.wav"
    observe(container, metrics, has_transcriber=True)
    recording.write_bytes(b"sound")
    transcriber.held = True

    waiting = []
    tasks = []
    for _ in range(3):
        tasks.append(asyncio.ensure_future(transcriber.transcribe(recording)))
        await asyncio.sleep(0)
        scrape = await asyncio.to_thread(scraped, metrics.registry)
        waiting.append(scrape.value("transcriber_waiting"))
    transcriber.let_go()
    await asyncio.gather(*tasks)

    assert waiting == [0, 1, 2]
