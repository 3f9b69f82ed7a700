"""`transcripts verify`: output and exit codes."""

import json
from uuid import UUID

import pytest

from domain.model.route.route import Finding, RouteComponent, Verification
from entrypoints.cli.commands import verify
from tests.support.harness.command_line import PLACE_KEYS, CommandOn, OnAws

TEST_ID = UUID("11111111-2222-4333-8444-555555555555")
ARRIVED = Verification(TEST_ID, arrived=True, seconds=0.1534, messages_seen=3)
TAKEN = Finding(RouteComponent.CONSUMER, "another consumer took it", "1 are in flight", "stop it")
LOST = Verification(TEST_ID, arrived=False, seconds=30.0, messages_seen=0, findings=(TAKEN,))


class _Service(OnAws):
    """A verification with a given result, and its container."""

    def __init__(self, outcome: Verification) -> None:
        self._outcome = outcome
        self.timeouts: list[float] = []

    def verification(self) -> "_Service":
        return self

    def verify(self, timeout_seconds: float) -> Verification:
        self.timeouts.append(timeout_seconds)
        return self._outcome


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandOn:
    return CommandOn(verify, monkeypatch, capsys)


def test_a_route_that_works_exits_0_with_the_test_interaction_id(run: CommandOn) -> None:
    told = run(_Service(ARRIVED))

    assert told.code == 0
    assert told.out.splitlines() == [
        f"Test event {TEST_ID}",
        "arrived after 0.15 s; messages looked at: 3",
        "The route works.",
    ]


def test_a_route_that_does_not_exits_1_and_names_the_broken_link(run: CommandOn) -> None:
    code, out, _ = run(_Service(LOST))

    assert code == 1
    assert "did not arrive after 30.00 s" in out
    assert "BROKEN consumer: another consumer took it" in out
    assert "seen: 1 are in flight" in out
    assert "do:   stop it" in out


def test_a_test_event_that_was_not_published_is_not_said_to_be_late(run: CommandOn) -> None:
    refused = Finding(
        RouteComponent.PUBLISH, "the test event could not be published", "access denied", "mend it"
    )
    unsent = Verification(TEST_ID, arrived=False, seconds=0.02, messages_seen=0, findings=(refused,))

    code, out, _ = run(_Service(unsent))

    assert code == 1
    assert out.splitlines()[1] == "was not published"
    assert "arrive" not in out


def test_machines_get_one_json_object(run: CommandOn) -> None:
    told = run(_Service(LOST), "--json")

    assert told.code == 1
    assert json.loads(told.out) == PLACE_KEYS | {
        "ok": False,
        "test_interaction_id": str(TEST_ID),
        "arrived": False,
        "seconds": 30.0,
        "messages_seen": 0,
        "findings": [
            {
                "link": "consumer",
                "problem": "another consumer took it",
                "evidence": "1 are in flight",
                "remedy": "stop it",
                "proven": True,
            }
        ],
    }


def test_the_wait_is_thirty_seconds_unless_told_otherwise(run: CommandOn) -> None:
    service = _Service(ARRIVED)

    run(service)
    run(service, "--timeout", "2.5")

    assert service.timeouts == [30.0, 2.5]


def test_text_from_a_queue_cannot_steer_the_terminal(run: CommandOn) -> None:
    hostile = TAKEN._replace(evidence="\x1b[31mred\r\n\u202e", problem="[bold]x[/bold]")
    outcome = Verification(TEST_ID, arrived=True, seconds=1, messages_seen=1, findings=(hostile,))
    out = run(_Service(outcome)).out

    assert "\\x1b[31mred\\r\\n\\u202e" in out
    assert "[bold]x[/bold]" in out
    assert "\x1b" not in out


def test_the_route_of_each_kind_of_event_is_tested(run: CommandOn) -> None:
    service = _Service(ARRIVED)

    told = run(service, "--kinds", "completed,failed")

    assert told.code == 0
    assert [line for line in told.out.splitlines() if line.endswith(":")] == [
        "BatchProcessingCompleted:",
        "BatchProcessingFailed:",
    ]
    assert len(service.timeouts) == 2
