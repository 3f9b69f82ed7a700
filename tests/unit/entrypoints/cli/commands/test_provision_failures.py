"""`transcripts provision` of several kinds of events, of which one fails."""

import json

import pytest

from domain.model.errors import InfrastructureError
from domain.model.route.route import ProvisioningReport
from entrypoints.cli.commands import provision
from ports.event_infrastructure_port import EventInfrastructurePort
from tests.support.doubles.route import Diagnosed
from tests.support.harness.command_line import CommandOn, OnAws

ALL_KINDS = ("--kinds", "completed,failed,erased")


class _Failing(OnAws, Diagnosed):
    """A route that cannot be provisioned at the call of that number, and its container."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.calls = 0

    def provision(self, *, archive_days: int | None = None) -> ProvisioningReport:
        self.calls += 1
        if self.calls == self._number:
            raise InfrastructureError("AccessDenied at CreateQueue")
        return super().provision(archive_days=archive_days)

    def infrastructure(self) -> EventInfrastructurePort:
        return self


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandOn:
    return CommandOn(provision, monkeypatch, capsys)


@pytest.mark.parametrize("options", [(), ("--repair", "--yes")])
def test_a_failure_is_told_after_what_was_created_before_and_ends_the_command(
    run: CommandOn, options: tuple[str, ...]
) -> None:
    route = _Failing(2)

    told = run(route, *ALL_KINDS, *options)

    assert told.code == 1
    assert "BatchProcessingCompleted:\nqueue              created   orders\n" in told.out
    assert told.err.endswith(
        "Error: BatchProcessingFailed: AccessDenied at CreateQueue\nNot tried: TranscriptErased\n"
    )
    assert route.calls == 2


def test_machines_are_told_what_was_created_before_a_failure(run: CommandOn) -> None:
    told = run(_Failing(3), *ALL_KINDS, "--json")

    document = json.loads(told.out)
    assert told.code == 1
    assert (document["ok"], document["problem"], document["queue_url"]) == (False, None, "queue address")
    assert (document["failed"]["ok"], len(document["failed"]["resources"])) == (True, 1)
    assert document["erased"] == {"ok": False, "problem": "AccessDenied at CreateQueue", "resources": []}


def test_a_failure_before_anything_was_created_is_an_error(run: CommandOn) -> None:
    told = run(_Failing(1), *ALL_KINDS, "--json")

    assert told.code == 1
    assert told.error["detail"] == "AccessDenied at CreateQueue"
