from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.aws.transcribe.patience import Timing
from adapters.aws.transcribe.transcriber import AmazonTranscribeOptions, AmazonTranscribeTranscriber
from tests.support.aws.transcribe import Amazon, FakeTime, InProcessSource, amazon
from tests.support.samples.recordings import record, silence, speech

Build = Callable[..., AmazonTranscribeTranscriber]


@pytest.fixture
def account() -> Iterator[Amazon]:
    with amazon() as running:
        yield running


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def timing(time: FakeTime) -> Timing:
    return Timing(time.clock, time.sleep, Random(1))  # noqa: S311 - no secret


@pytest.fixture
def build(account: Amazon, timing: Timing, tmp_path: Path) -> Build:
    """Build a transcriber with one place and a waiting room for one, unless told otherwise."""

    def build(**options: Any) -> AmazonTranscribeTranscriber:
        chosen = AmazonTranscribeOptions(places=1, waiting_room=1, folder=tmp_path / "spool")
        return AmazonTranscribeTranscriber(
            InProcessSource(), account.api(), chosen._replace(**options), timing
        )

    return build


@pytest.fixture
def transcriber(build: Build) -> AmazonTranscribeTranscriber:
    return build()


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    return record(tmp_path / "spoken.wav", speech())


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    return record(tmp_path / "silent.wav", silence(2))
