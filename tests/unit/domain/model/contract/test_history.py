"""No change that consumers have to fear can land unless its version says so (requirement 1.10)."""

import pytest

from tests.support.samples.contract_history import breaches, committed, frozen, has_history


def test_the_models_keep_to_every_schema_that_was_frozen() -> None:
    published = frozen()

    assert published
    assert breaches(published) == []


@pytest.mark.process
@pytest.mark.skipif(not has_history(), reason="no history here; the frozen schemas hold the contract")
def test_the_models_keep_to_every_schema_that_was_ever_committed() -> None:
    assert breaches(committed()) == []
