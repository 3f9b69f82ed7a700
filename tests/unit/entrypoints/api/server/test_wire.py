"""Each row of docs/http.md on a real socket, against one server for all of them."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for, serving
from tests.support.wire.case import After, Case, get
from tests.support.wire.forms import FORMS
from tests.support.wire.headers import HEADERS
from tests.support.wire.jobs import JOBS
from tests.support.wire.lengths import LENGTHS
from tests.support.wire.targets import TARGETS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[5]
CASES = (*TARGETS, *HEADERS, *LENGTHS, *FORMS, *JOBS)


class Answer(NamedTuple):
    status: int  # 0: the connection was closed
    headers: http.client.HTTPMessage
    body: bytes


class Caller:
    """Caller on a connection of its own."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=300)
        self._answers = self._connection.makefile("rb")

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def end(self) -> None:
        self._connection.shutdown(socket.SHUT_WR)

    def read(self, *, has_body: bool = True) -> Answer:
        """Read one answer, interim or final."""
        line = self._answers.readline()
        if not line:
            return Answer(0, http.client.HTTPMessage(), b"")
        headers = http.client.parse_headers(self._answers)
        length = int(headers.get("content-length", 0)) if has_body else 0
        return Answer(int(line.split()[1]), headers, self._answers.read(length))

    def read_final(self, *, has_body: bool = True) -> Answer:
        while (answer := self.read(has_body=has_body)).status == 100:
            pass
        return answer

    def close(self) -> None:
        self._answers.close()
        self._connection.close()


@pytest.fixture(scope="module")
def engine() -> FixedTranscriber:
    return FixedTranscriber(capacity=10)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, engine: FixedTranscriber) -> Iterator[int]:
    spool = tmp_path_factory.mktemp("wire") / "spool"
    with serving(container_for(spool, engine, UPLOAD_IDLE_SECONDS="3", JOB_WORKERS="0")) as port:
        yield port


@pytest.fixture
def caller(port: int) -> Iterator[Caller]:
    caller = Caller(port)
    yield caller
    caller.close()


def answer_to(case: Case, caller: Caller) -> Answer:
    for number, part in enumerate(case.sent):
        if number:
            assert caller.read().status == 100
        caller.send(part)
    if case.ends:
        caller.end()
    return caller.read_final(has_body=not case.sent[0].startswith(b"HEAD "))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.request)
def test_a_row_of_the_page_is_true_on_the_wire(case: Case, caller: Caller, engine: FixedTranscriber) -> None:
    engine.heard.clear()

    answer = answer_to(case, caller)

    assert answer.status == case.status, answer.body
    assert answer.headers["x-interaction-id"]
    assert answer.headers["date"]
    if case.problem and answer.body:
        problem = json.loads(answer.body)
        assert problem["type"].removeprefix("urn:batch-transcription:problem:") == case.problem, problem
        assert (problem["status"], answer.headers["content-type"]) == (
            case.status,
            "application/problem+json",
        )
    assert engine.heard == ([] if case.heard is None else [case.heard])
    match case.after:
        case After.OPEN if not case.ends:
            caller.send(get())
            assert caller.read().status == 200
        case After.CLOSED:
            assert caller.read().status == 0


def test_the_page_has_these_rows_and_no_others() -> None:
    page = (ROOT / "docs" / "http.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in page if line.startswith("| ") and not line.startswith("| request |")]

    assert rows == [case.row for case in CASES]
