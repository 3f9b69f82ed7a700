"""Amazon Transcribe and S3 in this process: moto, with an ear that hears where sound is not silent."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import count
from pathlib import Path
from threading import RLock
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

import av
import boto3
import numpy as np
from botocore.config import Config
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.moto_api import state_manager
from moto.transcribe.models import transcribe_backends

from adapters.aws.answers import check_answers
from adapters.aws.transcribe.api import TranscribeApi
from adapters.speech.cutting.reading import RecordingReader
from adapters.speech.decoding.limits import DecodingLimits
from domain.model.speech import SAMPLE_RATE
from domain.model.transcripts import TranscriptionOptions
from ports.recogniser_port import Slots
from ports.speech_source_port import Reading, SpeechSourcePort
from tests.support.samples.recordings import Samples

REGION: Final = "eu-central-1"
ACCOUNT, BUCKET = "123456789012", "our-recordings"
STATES = "transcribe::transcriptionjob"
QUARTER = SAMPLE_RATE // 4
ONE_TRY = Config(retries={"mode": "standard", "total_max_attempts": 1})

Item = dict[str, Any]


class Amazon:
    """An account with one bucket. A job ends after some looks at it, and its output says where sound was."""

    def __init__(self) -> None:
        self.calls: list[str] = []  # names of operations, in order
        self.requests: list[Item] = []  # of the jobs that were started
        self.output: Callable[[Item], bytes | None] = self.hear  # of a started job; None: it writes none
        self.session = self._session()  # of clients that are part of the account, too
        self.transcribe = self.session.client("transcribe", config=ONE_TRY)
        self.s3 = self.session.client("s3", config=ONE_TRY)
        for client in (self.transcribe, self.s3):
            check_answers(client)
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.calls.clear()

    def _session(self) -> boto3.Session:
        session = boto3.Session("AKIDEXAMPLE", "made-up", region_name=REGION)
        session.events.register("provide-client-params.*.*", self._note)
        session.events.register("after-call.*.StartTranscriptionJob", self._write_output)
        session.events.register("after-call.*.GetTranscriptionJob", self._add_failure_reason)
        return session

    def api(self) -> TranscribeApi:
        return TranscribeApi(self.transcribe, self.s3, bucket=BUCKET)

    @property
    def jobs(self) -> dict[str, Any]:
        """The jobs by name, as moto keeps them."""
        return transcribe_backends[ACCOUNT][REGION].transcriptions

    @property
    def keys(self) -> list[str]:
        """The keys of all objects."""
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]

    @property
    def is_empty(self) -> bool:
        return not self.jobs and not self.keys

    def fail(self, reason: str) -> None:
        """Let all jobs fail that there are."""
        for job in self.jobs.values():
            job.status, job.failure_reason = "FAILED", reason

    def refuse(
        self, operation: str, code: str, message: str = "", *, times: int = 1_000, status: int = 400
    ) -> None:
        """Answer the next calls of an operation with an error."""
        numbers = count()

        def answer(**_: object) -> Any:
            if next(numbers) >= times:
                return None
            error = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {}}
            return SimpleNamespace(status_code=status), error

        for client in (self.transcribe, self.s3):
            client.meta.events.register(f"before-call.*.{operation}", answer)

    def hear(self, request: Item) -> bytes:
        """Hear a word in each quarter of a second that is not silent."""
        key = request["Media"]["MediaFileUri"].removeprefix(f"s3://{BUCKET}/")
        sound = decoded(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        loud = [at for at in range(0, len(sound), QUARTER) if np.abs(sound[at : at + QUARTER]).max() > 50]
        items = [
            spoken(f"word{at // QUARTER}", at / SAMPLE_RATE, (at + QUARTER) / SAMPLE_RATE) for at in loud
        ]
        return output_of(items, language_code=request.get("LanguageCode", "en-US"))

    def _note(self, params: Item, model: Any, context: Item, **_: object) -> None:
        self.calls.append(model.name)
        context["asked"] = params

    def _add_failure_reason(self, parsed: Item, **_: object) -> None:
        """Add what moto leaves out of this answer."""
        found = parsed.get("TranscriptionJob", {})
        if found.get("TranscriptionJobStatus") == "FAILED":
            found["FailureReason"] = self.jobs[found["TranscriptionJobName"]].failure_reason

    def _write_output(self, http_response: Any, context: Item, **_: object) -> None:
        if http_response.status_code >= 300:
            return
        request = context["asked"]
        self.requests.append(request)
        content = self.output(request)
        if content is not None:
            self.s3.put_object(Bucket=BUCKET, Key=request["OutputKey"], Body=content)


@contextmanager
def _one_call_at_a_time() -> Iterator[None]:
    """Guard moto, which is not made for threads: writing an object closes the one that another call reads."""
    lock, process_request = RLock(), BotocoreStubber.process_request

    def alone(stubber: BotocoreStubber, request: Any) -> Any:
        with lock:
            return process_request(stubber, request)

    with patch.object(BotocoreStubber, "process_request", alone):
        yield


@contextmanager
def amazon(*, looks: int = 1) -> Iterator[Amazon]:
    """Run the account while the context lasts; each state of a job lasts for so many looks, or no time."""
    with mock_aws(), _one_call_at_a_time():
        manual = {"progression": "manual", "times": looks}
        state_manager.set_transition(STATES, manual if looks else {"progression": "immediate"})
        try:
            yield Amazon()
        finally:
            state_manager.unset_transition(STATES)


NEVER = 10**9
"""Looks after which a job that never ends changes its state."""


def spoken(
    word: str, start: float, end: float, *, speaker: str | None = None, confidence: str = "0.98"
) -> Item:
    """Build the item of a word, with its times as texts."""
    item: Item = {
        "type": "pronunciation",
        "start_time": f"{start:.2f}",
        "end_time": f"{end:.2f}",
        "alternatives": [{"confidence": confidence, "content": word}],
    }
    return item if speaker is None else {**item, "speaker_label": speaker}


def mark(content: str) -> Item:
    """Build the item of a punctuation mark, which has no times."""
    return {"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": content}]}


def output_of(items: list[Item], *, separator: str = " ", **results: Any) -> bytes:
    """Build an output as Amazon Transcribe writes it."""
    words = [item["alternatives"][0]["content"] for item in items if item["type"] == "pronunciation"]
    found = {"transcripts": [{"transcript": separator.join(words)}], "items": items, **results}
    document = {"jobName": "job", "accountId": ACCOUNT, "status": "COMPLETED", "results": found}
    return json.dumps(document).encode()


def decoded(flac: bytes) -> Samples:
    """Decode a FLAC, and check that it is one in the form that was promised."""
    assert flac.startswith(b"fLaC")
    with av.open(BytesIO(flac), "r") as container:
        (stream,) = container.streams.audio
        assert (stream.rate, stream.channels) == (SAMPLE_RATE, 1)
        pieces = [frame.to_ndarray().ravel() for frame in container.decode(stream)]
    return np.concatenate(pieces).astype(np.int16)


class InProcessSource(SpeechSourcePort):
    """Reads recordings in this process, and takes all sound for speech."""

    def __init__(self, places: int = 1, *, max_audio_seconds: float = 600.0) -> None:
        self._places = places
        self._limits = DecodingLimits(max_audio_seconds=max_audio_seconds)

    async def read(self, recording: Path, options: TranscriptionOptions, /) -> AsyncGenerator[Reading]:
        reader = RecordingReader(threshold=None)
        steps: list[Reading] = []
        for read in reader.read(recording, self._limits, steps.append, options):
            for step in (*steps, read):
                await asyncio.sleep(0)
                yield step
            steps.clear()

    def slots(self) -> Slots:
        return Slots(self._places, self._places)


class FakeTime:
    """Clock that a sleeper moves on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
