"""`transcripts consume`, on an SQS in this process."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto.server import ThreadedMotoServer

from adapters.aws.s3.payload_store import S3PayloadStore
from domain.model.events.event import BatchProcessingCompleted, BatchProcessingCompletedV2
from domain.model.events.sent import StoredEvent
from domain.services.consuming import handler_circuit
from domain.services.resilience.backoff import Backoff
from entrypoints.cli.commands.consume import command
from tests.support.aws.sqs_queues import create_pair
from tests.support.harness.command_line import PLACE_KEYS, Caller, Told
from tests.support.harness.installed_command import running
from tests.support.harness.service import wait_until
from tests.support.samples.envelopes import enveloped
from tests.support.samples.factories import a_failure, an_erasure, an_event
from tests.unit.adapters.handlers.test_command import is_gone

pytestmark = [pytest.mark.slow, pytest.mark.process]

AT_ONCE = ("--retry-delay", "0", "--concurrency", "1")
ACCOUNT = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "made-up", "AWS_REGION": "us-east-1"}


class Aws:
    """SQS and S3 of moto, and the settings of a consumer."""

    def __init__(self, url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._caller = Caller(capsys)
        self.environ = {
            **ACCOUNT,
            "AWS_ENDPOINT_URL": url,
            "QUEUE_NAME": f"queue-{folder.name}"[:80],
            "DATABASE_URL": f"sqlite:///{folder}/consumer.db",
            "LOG_FORMAT": "json",
        }
        self.sqs: Any = boto3.client(
            "sqs",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="made-up",
        )
        self.url = create_pair(self.sqs, self.environ["QUEUE_NAME"], f"dlq-{folder.name}"[:80])

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def depth(self) -> tuple[int, int]:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(counts[names[0]]), int(counts[names[1]])

    def run(self, *arguments: str) -> Told:
        """Run the command in this process."""
        return self._caller("consume", *arguments)

    def consume(self, *arguments: str) -> AbstractContextManager["subprocess.Popen[str]"]:
        """Run the command in a process."""
        return running("consume", *arguments, environ=self.environ, cwd=self.folder)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def aws(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Aws]:
    aws = Aws(server, tmp_path, capsys)
    for name, value in aws.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield aws
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_command_gets_each_event_once_and_the_figures_are_json(aws: Aws) -> None:
    events = [an_event() for _ in range(3)]
    aws.send(*map(enveloped, events), enveloped(events[0]), "not json")

    told = aws.run("--exec", """sh -c 'cat > "$INTERACTION_ID.json"'""", "--drain", "--json")

    figures = json.loads(told.out)
    assert told.code == 1
    assert {name: number for name, number in figures.items() if number} == PLACE_KEYS | {
        "handled": 3,
        "unreadable": 1,
        "duplicates": 1,
    }
    written = [path.read_text(encoding="utf-8") for path in aws.folder.glob("*.json")]
    assert sorted(written) == sorted(event.to_json() for event in events)
    assert aws.depth() == (0, 1)


def test_a_function_gets_each_event(aws: Aws) -> None:
    event = an_event()
    aws.send(enveloped(event))
    (aws.folder / "crm_for_consume.py").write_text(
        "from pathlib import Path\n\ndef store(received):\n    Path('seen').write_text(received.to_json())\n",
        encoding="utf-8",
    )

    told = aws.run("--handler", "crm_for_consume:store", "--max-messages", "1")

    assert told.code == 0
    assert BatchProcessingCompleted.model_validate_json((aws.folder / "seen").read_bytes()) == event
    assert told.out.startswith("1 handled, 0 failed")
    assert "alembic" not in told.err


PRINTS = """
import os, subprocess, sys

print("at the import")

def store(received):
    print("one", end="")
    subprocess.run(["echo", "of a process"])
    os.write(1, b"of a library\\n")
    sys.stdout.buffer.write(b" line\\n")
    print({"json": True})
    print("unfinished", end="", flush=True)
"""


def test_what_a_function_prints_goes_to_stderr_in_whole_lines_with_the_id(aws: Aws) -> None:
    events = [an_event() for _ in range(3)]
    aws.send(*map(enveloped, events))
    (aws.folder / "printing_handler.py").write_text(PRINTS, encoding="utf-8")

    arguments = ("--handler", "printing_handler:store", "--drain", "--json", "--concurrency", "3")
    with aws.consume(*arguments) as consumer:
        out, err = consumer.communicate(timeout=300)

    lines = err.splitlines()
    assert json.loads(out)["handled"] == 3
    assert "at the import" in lines
    assert lines.count("of a process") == lines.count("of a library") == 3
    for event in events:
        mine = [line for line in lines if line.startswith(f"{event.interaction_id}: ")]
        assert [line.partition(": ")[2] for line in mine] == ["one line", "{'json': True}", "unfinished"]


def test_a_folder_gets_a_file_for_each_event_and_a_reference_is_resolved(aws: Aws) -> None:
    s3: Any = boto3.client("s3", endpoint_url=aws.environ["AWS_ENDPOINT_URL"], region_name="us-east-1")
    s3.create_bucket(Bucket="our-transcripts")
    event = an_event(raw_transcript="um " * 1000)
    ref = S3PayloadStore(s3, bucket="our-transcripts").store(event)
    aws.send(enveloped(BatchProcessingCompletedV2.referring(event, ref)))

    aws.run("--to", "warehouse", "--payload-bucket", "our-transcripts", "--max-messages", "1")

    (file,) = (aws.folder / "warehouse").glob("tenant_id=*/day=*/*.jsonl")
    assert file.read_text(encoding="utf-8") == event.to_json() + "\n"


def test_an_event_whose_object_was_erased_is_acknowledged_and_no_failure_of_the_run(aws: Aws) -> None:
    s3 = boto3.client("s3", endpoint_url=aws.environ["AWS_ENDPOINT_URL"], region_name="us-east-1")
    s3.create_bucket(Bucket="erased-transcripts")
    event = an_event()
    ref = S3PayloadStore(s3, bucket="erased-transcripts").store(event)
    s3.delete_object(Bucket="erased-transcripts", Key=ref.key)
    aws.send(enveloped(BatchProcessingCompletedV2.referring(event, ref)))

    told = aws.run("--exec", "false", "--payload-bucket", "erased-transcripts", "--drain", "--json")

    figures = json.loads(told.out)
    assert (told.code, figures["erased"], figures["failed"], figures["handled"]) == (0, 1, 0, 0)
    assert aws.depth() == (0, 0)


@pytest.mark.parametrize("group", ["warehouse", "crm"])
def test_a_transcript_that_comes_after_its_erasure_is_dropped_by_consumers_of_the_same_group(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, group: str
) -> None:
    event = an_event()
    monkeypatch.setenv("ERASED_QUEUE_NAME", aws.environ["QUEUE_NAME"])
    monkeypatch.setenv("QUEUE_NAME", "another")
    aws.send(enveloped(an_erasure(interaction_id=event.interaction_id)))
    aws.run("--kind", "erased", "--exec", "true", "--group", "warehouse", "--drain")
    monkeypatch.delenv("ERASED_QUEUE_NAME")
    monkeypatch.setenv("QUEUE_NAME", aws.environ["QUEUE_NAME"])
    aws.send(enveloped(event, replay="after-a-month"))

    told = aws.run("--exec", "true", "--group", group, "--drain", "--json")

    figures = json.loads(told.out)
    same = group == "warehouse"
    assert (figures["erased"], figures["handled"]) == ((1, 0) if same else (0, 1))
    assert aws.depth() == (0, 0)


@pytest.mark.parametrize("file_format", ["jsonl", "parquet"])
@pytest.mark.parametrize("event", [a_failure(), an_erasure()], ids=["failed", "erased"])
def test_a_consumer_of_another_kind_reads_its_own_queue(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, file_format: str, event: StoredEvent
) -> None:
    kind = event.status
    monkeypatch.setenv(f"{kind.upper()}_QUEUE_NAME", aws.environ["QUEUE_NAME"])
    monkeypatch.setenv("QUEUE_NAME", "another")
    aws.send(enveloped(event), enveloped(an_event()))

    told = aws.run("--kind", kind, "--to", "out", "--format", file_format, "--drain", "--json", *AT_ONCE)

    figures = json.loads(told.out)
    assert (told.code, figures["handled"], figures["failed"]) == (1, 1, 0)
    assert figures["unreadable"]
    (file,) = (aws.folder / "out").glob(f"tenant_id=*/day=*/*.{file_format}")
    assert file.name == f"{event.interaction_id}.{kind}.{file_format}"
    assert file_format != "jsonl" or file.read_text(encoding="utf-8") == f"{event.to_json()}\n"


def test_each_group_handles_every_event(aws: Aws) -> None:
    event = an_event()
    for group, handled in (("crm", 1), ("warehouse", 1), ("crm", 0)):
        aws.send(enveloped(event))

        told = aws.run("--exec", "true", "--group", group, "--drain")

        assert told.out.startswith(f"{handled} handled,")


def test_a_failing_command_fails_its_event_and_the_log_says_why(aws: Aws) -> None:
    aws.send(enveloped())

    told = aws.run("--exec", "sh -c 'echo the shop is closed >&2; exit 1'", "--max-messages", "1")

    assert told.code == 1
    assert told.out.startswith("0 handled, 1 failed")
    assert "ended with exit status 1: the shop is closed" in told.err
    assert aws.depth() == (0, 1)


def test_events_that_were_handled_after_a_failure_are_no_failure_of_the_run(aws: Aws) -> None:
    aws.send(enveloped(), enveloped())

    told = aws.run("--exec", """sh -c 'test "$RECEIVE_COUNT" = 2'""", *AT_ONCE, "--drain", "--json")

    figures = json.loads(told.out)
    assert told.code == 0
    assert (figures["handled"], figures["failed"]) == (2, 2)
    assert (figures["failed_events"], figures["unhandled_events"]) == (2, 0)


def test_a_draining_run_does_not_wait_for_the_end_of_an_outage(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler_circuit, "PROBE_BACKOFF", Backoff(first_seconds=0.01))
    aws.send(*(enveloped() for _ in range(20)))

    told = aws.run("--exec", "false", *AT_ONCE, "--drain", "--json")

    figures = json.loads(told.out)
    assert told.code == 1
    assert (figures["handled"], figures["pauses"]) == (0, 1)
    assert 5 <= figures["unhandled_events"] == figures["failed_events"] < 20
    assert sum(aws.depth()) == 20


@pytest.mark.parametrize(
    ("former", "current", "field", "value"),
    [
        ("--hidden-seconds", "--visibility-timeout", "visibility_timeout", 77),
        ("--pause-seconds", "--retry-delay", "retry_delay", 7.5),
        ("--grace-seconds", "--shutdown-timeout", "shutdown_timeout", 7.5),
        ("--remember-days", "--dedup-days", "dedup_days", 7.5),
    ],
)
def test_the_former_name_of_an_option_is_accepted_and_not_shown(
    former: str, current: str, field: str, value: float
) -> None:
    def parsed(*arguments: str) -> object:
        return command.make_context("consume", ["--exec", "true", *arguments]).params[field]

    assert parsed(former, str(value)) == value
    assert parsed(current, "9", former, str(value)) == value
    assert parsed(former, "9", current, str(value)) == value
    shown = CliRunner().invoke(command, ["--help"]).output
    assert current in shown
    assert former not in shown


def wait_for_line(process: "subprocess.Popen[str]", event: str) -> None:
    """Read the log up to an event."""
    assert process.stderr
    assert any(event in line for line in process.stderr)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_signal_lets_the_command_finish_and_ends_with_0(aws: Aws, number: signal.Signals) -> None:
    aws.send(enveloped())
    script = "sh -c 'touch begun; while [ ! -e go ]; do sleep 0.05; done; touch finished'"

    with aws.consume("--exec", script, "--concurrency", "1") as process:
        wait_until((aws.folder / "begun").exists)
        process.send_signal(number)
        wait_for_line(process, "consumer stopping")
        aws.send(enveloped())
        (aws.folder / "go").touch()
        out, err = process.communicate(timeout=300)

    assert process.returncode == 0, err
    assert (aws.folder / "finished").exists()
    assert out.startswith("1 handled, 0 failed")
    assert aws.depth() == (1, 0)


def test_after_the_shutdown_timeout_the_command_is_killed_and_its_message_released(aws: Aws) -> None:
    aws.send(enveloped())

    with aws.consume(
        "--exec", "sh -c 'touch begun; sleep 60'", "--concurrency", "1", "--shutdown-timeout", "0.2"
    ) as process:
        wait_until((aws.folder / "begun").exists)
        process.terminate()
        out, err = process.communicate(timeout=300)

    assert process.returncode == 0, err
    assert out.startswith("0 handled, 0 failed")
    assert aws.depth() == (1, 0)


def test_a_second_signal_ends_at_once_and_takes_the_command_with_it(aws: Aws) -> None:
    aws.send(enveloped())

    with aws.consume("--exec", "sh -c 'echo $$ > pid; sleep 60'", "--concurrency", "1") as process:
        wait_until(lambda: _content(aws.folder / "pid"))
        process.terminate()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=300)

    assert process.returncode in {128 + signal.SIGINT, 128 + signal.SIGTERM}
    wait_until(lambda: not Path(f"/proc/{_content(aws.folder / 'pid')}").exists())


def test_a_command_and_what_it_started_end_with_a_consumer_that_is_killed(aws: Aws) -> None:
    aws.send(enveloped())
    script = "sh -c 'sleep 60 & echo $! > child; echo $$ > pid; echo started >&2; wait'"

    with aws.consume("--exec", script, "--concurrency", "1") as process:
        assert process.stderr
        lines = iter(process.stderr.readline, "")
        assert any(line.endswith(": started\n") for line in lines)  # passed on once the command is guarded
        process.kill()
        process.communicate(timeout=300)

    assert all(is_gone(int(_content(aws.folder / name))) for name in ("pid", "child"))


def _content(path: Path) -> str:
    return path.read_text(encoding="ascii").strip() if path.exists() else ""


def test_a_function_that_is_stuck_in_every_thread_ends_it_with_1(aws: Aws) -> None:
    aws.send(enveloped())
    (aws.folder / "stuck.py").write_text(
        "import time\n\ndef hang(received):\n    time.sleep(60)\n", encoding="utf-8"
    )

    with aws.consume("--handler", "stuck:hang", "--concurrency", "1", "--handler-timeout", "0.3") as process:
        _, err = process.communicate(timeout=300)

    assert process.returncode == 1
    assert "handler exceeded its timeout, the message will be redelivered" in err
    assert err.splitlines()[-1].startswith("Error: 1 handlers are stuck")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "exactly one of --exec CMD, --handler MODULE:FUNCTION and --to DIR"),
        (["--exec", "true", "--to", "x"], "exactly one of"),
        (["--exec", "true", "--format", "parquet"], "--format needs --to"),
        (["--exec", "no-such-program"], "there is no executable program 'no-such-program'"),
        (["--handler", "no_such_module:f"], "no module"),
        (["--exec", "true", "--concurrency", "0"], "--concurrency"),
        (["--exec", "true", "--visibility-timeout", "43201"], "--visibility-timeout"),
        (["--exec", "true", "--hidden-seconds", "43201"], "--visibility-timeout"),
        (["--exec", "true", "--payload-bucket", "No_Bucket"], "PAYLOAD_BUCKET='No_Bucket'"),
    ],
)
def test_a_wrong_call_ends_with_2_and_says_what_is_wrong(
    aws: Aws, arguments: list[str], complaint: str
) -> None:
    told = aws.run(*arguments)

    assert told.code == 2
    assert complaint in told.err
    assert not (aws.folder / "consumer.db").exists()


def test_a_missing_queue_ends_it_with_1_and_says_what_to_do(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUEUE_NAME", "nowhere")

    told = aws.run("--exec", "true")

    assert told.code == 1
    assert "the queue nowhere does not exist: run `transcripts provision`" in told.err
    assert aws.depth() == (0, 0)
