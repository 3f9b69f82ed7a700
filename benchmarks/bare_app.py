"""Bare endpoint that receives a recording, and the steps that are usually added to it.

    python -m benchmarks.bare_app PORT ANSWER {receive,publish,work}

ANSWER is a file with the JSON of an answer of ours. `receive` writes each upload to a file of its own and
answers that; `publish` sends an event first, with one call of boto3; `work` also does what our canned engine
does, in a process pool: all of our work, without our guarantees.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import uvicorn
from botocore.config import Config
from fastapi import FastAPI, UploadFile

from adapters.speech.cutting.reading import RecordingReader
from adapters.speech.decoding.limits import DecodingLimits
from adapters.speech.engines.canned import CannedEngine
from domain.model.speech import SpeechUnit
from entrypoints.api.schemas import BatchResponse
from ports.recogniser_port import Hints
from tests.support.samples.factories import an_event

if TYPE_CHECKING:
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

BLOCK_BYTES = 2**20

Step = Callable[[Path], Coroutine[None, None, None]]
"""Step between the receipt of a file and the answer."""


def main() -> None:
    """Serve until the process is ended."""
    port, answer = int(sys.argv[1]), BatchResponse.model_validate_json(Path(sys.argv[2]).read_text())
    steps: dict[str, list[Step]] = {"receive": []}
    if sys.argv[3] != "receive":
        steps["publish"] = [publishing(answer)]
    if sys.argv[3] == "work":
        steps["work"] = [transcribing(), *steps["publish"]]
    with tempfile.TemporaryDirectory() as folder:
        uvicorn.run(bare_app(answer, Path(folder), steps[sys.argv[3]]), port=port)


def bare_app(answer: BatchResponse, folder: Path, steps: list[Step]) -> FastAPI:
    """Build the app; it stores uploads in `folder`."""
    app = FastAPI()

    @app.get("/health/ready")
    def ready() -> None:
        """Answer 200."""

    @app.post("/batch/process")
    async def process(file: UploadFile) -> BatchResponse:
        path = folder / uuid4().hex
        with path.open("wb") as target:
            while block := await file.read(BLOCK_BYTES):
                target.write(block)
        for step in steps:
            await step(path)
        path.unlink()
        return answer

    return app


def publishing(answer: BatchResponse) -> Step:
    """Make one call for each event, in a thread of the shared pool."""
    events = boto3.client("events", config=Config(max_pool_connections=64))
    raw, cleaned = answer.raw_transcript, answer.cleaned_transcript
    detail = an_event(raw_transcript=raw, cleaned_transcript=cleaned).to_json()

    def put() -> None:
        entry: PutEventsRequestEntryTypeDef = {
            "Source": "com.yourapp",
            "DetailType": "BatchProcessingCompleted",
            "Detail": detail,
        }
        assert not events.put_events(Entries=[entry])["FailedEntryCount"]  # noqa: S101 - a failed run has no figures

    async def publish(_: Path) -> None:
        await asyncio.to_thread(put)

    return publish


def transcribing() -> Step:
    """Run the engine in one process for each core, without limits, sandbox or supervision."""
    pool = ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("spawn"))

    async def transcribe(path: Path) -> None:
        await asyncio.get_running_loop().run_in_executor(pool, _transcribe, path)

    return transcribe


def _transcribe(path: Path) -> None:
    engine = CannedEngine()
    for read in RecordingReader(threshold=None).read(path, DecodingLimits(), lambda _: None):
        if isinstance(read, SpeechUnit):
            engine.recognise(read.samples, Hints(language="en"))


if __name__ == "__main__":
    main()
