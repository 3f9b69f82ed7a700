"""`transcripts dlq redrive` of transcripts that were erased: they stay, which is no failure."""

import pytest

from tests.support.harness.dead_letter_commands import open_shop
from tests.support.harness.dead_letters import an_envelope
from tests.support.samples.factories import an_event


@pytest.mark.parametrize("called_by", ["message", "interaction"])
def test_one_that_was_erased_stays_and_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], called_by: str
) -> None:
    event = an_event()
    shop = open_shop(monkeypatch, capsys, erased=lambda ids: frozenset({event.interaction_id} & set(ids)))
    (message_id,) = shop.ground.fill(an_envelope(event))
    wanted = message_id if called_by == "message" else event.interaction_id

    code, out, err = shop.run("redrive", "--id", wanted)
    told = shop.told("redrive", "--id", wanted)

    assert (code, err) == (0, "")
    assert out.startswith("0 moved to the queue\n1 stay there: their transcripts were erased")
    assert (told["ok"], told["moved"], told["erased"]) == (True, 0, 1)
    assert shop.ground.dead_letters.depth() == (1, 0)
