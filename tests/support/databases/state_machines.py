"""State machines of hypothesis, run on a database of each kind."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.support.databases.databases import POSTGRESQL, Place


def run_on_a_database(
    machine: type[RuleBasedStateMachine], request: pytest.FixtureRequest, kind: str, examples: int
) -> None:
    """Run the machine, whose attribute `database` is set; failing steps are printed, not shrunk."""
    url = f"sqlite:///{request.getfixturevalue('tmp_path')}/test.db"
    place = request.getfixturevalue("postgresql_place") if kind == POSTGRESQL else Place(kind, url)
    database = place.open()
    try:
        run_state_machine_as_test(
            type("Machine", (machine,), {"database": database}),
            settings=settings(
                max_examples=examples,
                stateful_step_count=30,
                deadline=None,
                database=None,
                phases=[Phase.generate],  # shrinking takes minutes
                suppress_health_check=list(HealthCheck),  # a shared machine is slow at times
            ),
        )
    finally:
        database.close()
