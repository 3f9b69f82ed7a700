import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.handlers.command import CommandHandler
from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import ConfigurationError, HandlerError
from domain.model.events.event import BatchProcessingCompleted
from tests.contracts.event_handler_port import EventHandlerPortContract, Handler
from tests.support.harness.service import wait_until
from tests.support.samples.factories import an_event

pytestmark = pytest.mark.process


def shell(script: str, *, timeout_seconds: float = 30.0) -> CommandHandler:
    return CommandHandler(["sh", "-c", script], timeout_seconds=timeout_seconds)


def failure_of(handler: CommandHandler, received: ReceivedEvent | None = None) -> str:
    with pytest.raises(HandlerError) as failure:
        handler.handle(received or ReceivedEvent(an_event()))
    return str(failure.value)


def appears(file: Path) -> str:
    """Return the content of a file, once it has any."""
    wait_until(lambda: file.exists() and file.read_text())
    return file.read_text()


def is_gone(pid: int) -> bool:
    """Wait until a process has ended; it may be a zombie."""
    wait_until(lambda: _has_ended(pid))
    return True


def _has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class TestCommandHandler(EventHandlerPortContract):
    @pytest.fixture
    def handler(self, tmp_path: Path) -> Handler:
        def handled() -> list[BatchProcessingCompleted]:
            return [
                BatchProcessingCompleted.model_validate_json(file.read_bytes()) for file in tmp_path.iterdir()
            ]

        return Handler(shell(f'cat > "{tmp_path}/$INTERACTION_ID"'), handled, shell("cat >/dev/null; exit 3"))


def test_the_variables_say_what_is_not_in_the_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAY", "inherited")
    monkeypatch.setenv("AWS_PROFILE", "the-teams-own")
    event = an_event()
    handler = shell(
        f'echo "$INTERACTION_ID $TENANT_ID $RECEIVE_COUNT [$REPLAY] $AWS_PROFILE" >> {tmp_path}/said'
    )

    handler.handle(ReceivedEvent(event))
    handler.handle(ReceivedEvent(event, replay="august", receive_count=2))

    ids = f"{event.interaction_id} {event.tenant_id}"
    assert (tmp_path / "said").read_text().splitlines() == [
        f"{ids} 1 [] the-teams-own",
        f"{ids} 2 [august] the-teams-own",
    ]


def test_a_command_need_not_read_its_input() -> None:
    CommandHandler(["true"], timeout_seconds=30).handle(
        ReceivedEvent(an_event(raw_transcript="word " * 600_000))
    )


def test_the_reason_is_the_exit_status_and_the_last_line_of_stderr() -> None:
    assert failure_of(shell("echo first >&2; echo no such table >&2; echo >&2; exit 7")) == (
        "The command 'sh' ended with exit status 7: no such table"
    )


def test_the_reason_of_a_silent_failure_is_its_exit_status() -> None:
    assert failure_of(shell("exit 1")) == "The command 'sh' ended with exit status 1."


def test_the_last_line_is_shortened_and_cannot_control_a_terminal() -> None:
    reason = failure_of(shell("printf '\\033[2J\\377\\342\\200\\256%0500d' 0 >&2; exit 1"))

    assert reason.startswith("The command 'sh' ended with exit status 1: \\x1b[2J\\xff\\u202e000")
    assert reason.isprintable()
    assert len(reason) < 300


def test_a_signal_is_named() -> None:
    assert failure_of(shell("kill -9 $$")) == "The command 'sh' was killed by signal 9 (Killed)."


def test_lines_that_a_command_writes_go_to_our_stderr_after_the_id(capfd: pytest.CaptureFixture[str]) -> None:
    event = an_event()
    shell("printf 'to std'; sleep 0.2; echo to stderr >&2; printf 'out\nunfinished'").handle(
        ReceivedEvent(event)
    )

    out, err = capfd.readouterr()
    lines = ["to stderr", "to stdout", "unfinished"]
    assert out == ""
    assert sorted(err.splitlines()) == [f"{event.interaction_id}: {line}" for line in lines]


def test_a_flood_of_output_neither_blocks_nor_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    reason = failure_of(shell("yes flood | head -c 3000000 >&2; echo the end >&2; exit 1"))

    assert reason.endswith(": the end")
    lines = [line.partition(": ")[2] for line in capfd.readouterr().err.splitlines()]
    assert lines == ["flood"] * 500_000 + ["the end"]


def test_a_command_past_its_timeout_is_killed_with_all_it_started(tmp_path: Path) -> None:
    handler = shell(f"sleep 600 & echo $! > {tmp_path}/child; wait", timeout_seconds=4)

    assert failure_of(handler) == "The command 'sh' took longer than 4 s and was killed."
    assert is_gone(int(appears(tmp_path / "child")))


def test_a_command_that_writes_without_end_is_killed_as_well() -> None:
    script = f"{sys.executable} -c 'while True: print(chr(32) * 4095, flush=True)' 1>&2"

    assert "took longer than 0.5 s" in failure_of(shell(script, timeout_seconds=0.5))


def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    shell(f"sleep 600 & echo $! > {tmp_path}/child").handle(ReceivedEvent(an_event()))

    assert is_gone(int(appears(tmp_path / "child")))


def test_a_process_that_left_the_group_with_the_pipe_does_not_block(tmp_path: Path) -> None:
    handler = shell(f"setsid sh -c 'echo $$ > {tmp_path}/escaped; exec sleep 600' & "
                    f"while [ ! -s {tmp_path}/escaped ]; do sleep 0.01; done")  # fmt: skip

    handler.handle(ReceivedEvent(an_event()))

    os.kill(int(appears(tmp_path / "escaped")), signal.SIGKILL)


def test_an_interrupt_from_the_keyboard_does_not_reach_the_command(tmp_path: Path) -> None:
    shell(f"ps -o sid= -p $$ > {tmp_path}/session").handle(ReceivedEvent(an_event()))

    assert int((tmp_path / "session").read_text()) != os.getsid(0)


def in_thread(call: Callable[[], None]) -> tuple[threading.Thread, list[str]]:
    failures: list[str] = []

    def run() -> None:
        try:
            call()
        except HandlerError as error:
            failures.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    return thread, failures


def test_aborting_ends_what_runs_and_starts_nothing_new(tmp_path: Path) -> None:
    handler = shell(f"echo $$ > {tmp_path}/pid; sleep 600")
    thread, failures = in_thread(lambda: handler.handle(ReceivedEvent(an_event())))
    pid = int(appears(tmp_path / "pid"))

    handler.abort()
    thread.join(60)

    assert failures == ["The command 'sh' was killed: the consumer is shutting down."]
    assert is_gone(pid)
    assert failure_of(handler) == "The command 'sh' was not started: the consumer is shutting down."


def test_a_program_that_vanished_is_a_failure_of_the_event(tmp_path: Path) -> None:
    program = tmp_path / "handle"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    handler = CommandHandler.parse(str(program), timeout_seconds=30)
    program.unlink()

    assert "could not be started: [Errno 2] No such file or directory" in failure_of(handler)


def test_a_replay_whose_name_cannot_be_a_variable_is_a_failure_of_the_event() -> None:
    received = ReceivedEvent(an_event(), replay="nu\0ll")

    assert "could not be started: embedded null byte" in failure_of(shell("true"), received)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_file_stays_open_and_no_zombie_is_left() -> None:
    handler = shell("exit 1")
    failure_of(handler)
    before = open_files()

    for _ in range(5):
        failure_of(handler)

    assert open_files() <= before  # files of earlier tests may be closed meanwhile
    assert os.waitpid(-1, os.WNOHANG) == (0, 0)  # the reaper lives, and there is no zombie


def test_words_are_split_as_a_shell_would_and_no_shell_is_involved(tmp_path: Path) -> None:
    handler = CommandHandler.parse(f"touch '{tmp_path}/a b' '{tmp_path}/$HOME;*'", timeout_seconds=30)

    handler.handle(ReceivedEvent(an_event()))

    assert {file.name for file in tmp_path.iterdir()} == {"a b", "$HOME;*"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "names no command"),
        ("   ", "names no command"),
        ("handle 'it", "cannot be split into words: No closing quotation"),
        ("no-such-program --fast", "there is no executable program 'no-such-program'"),
        ("/etc/passwd", "there is no executable program '/etc/passwd'"),
    ],
)
def test_a_command_that_cannot_work_stops_the_start(line: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match="--exec") as refusal:
        CommandHandler.parse(line, timeout_seconds=30)

    assert problem in str(refusal.value)
