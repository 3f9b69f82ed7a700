"""What a replay is about, and how far it got."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.model.replays import Replay, ReplayRequest, ReplayState

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
END = START + timedelta(hours=4)


@pytest.mark.parametrize("end", [START, START - timedelta(seconds=1)])
def test_the_end_comes_after_the_start(end: datetime) -> None:
    with pytest.raises(ValueError, match="is not after 2026-11-23T08:00:00"):
        ReplayRequest(START, end)


@pytest.mark.parametrize(
    ("reached", "state", "progress"),
    [
        (None, ReplayState.STARTING, 0.0),
        (START + timedelta(hours=1), ReplayState.RUNNING, 0.25),
        (START - timedelta(hours=1), ReplayState.RUNNING, 0.0),
        (END + timedelta(hours=1), ReplayState.RUNNING, 1.0),
        (START + timedelta(hours=1), ReplayState.CANCELLED, 0.25),
        (None, ReplayState.COMPLETED, 1.0),
    ],
)
def test_progress_is_how_much_of_the_time_was_gone_through(
    reached: datetime | None, state: ReplayState, progress: float
) -> None:
    assert Replay("r", state, START, END, reached).progress == progress


def test_three_states_are_ends() -> None:
    assert {state.value for state in ReplayState if state.is_over} == {"completed", "cancelled", "failed"}
