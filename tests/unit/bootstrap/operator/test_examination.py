"""The examination: order, time limit and failures of checks."""

from collections.abc import Iterator
from threading import Event

from bootstrap.operator.examination import Check, CheckResult, run_checks

FINE = Check("fine", CheckResult.OK, "found")


def test_each_result_is_there_before_the_next_check_begins() -> None:
    begun: list[str] = []

    def check(name: str) -> Iterator[Check]:
        begun.append(name)
        yield Check(name, CheckResult.OK, "found")

    checks = run_checks({"one": lambda: check("one"), "two": lambda: check("two")}, seconds=60)

    assert next(checks).name == "one"
    assert begun == ["one"]
    assert [each.name for each in checks] == ["two"]


def test_a_check_that_takes_too_long_could_not_be_looked_at_and_delays_no_other() -> None:
    release = Event()

    def slow() -> Iterator[Check]:
        yield FINE._replace(name="first part")
        release.wait(60)
        yield FINE._replace(name="second part")

    try:
        found = list(run_checks({"slow": slow, "fine": lambda: [FINE]}, seconds=0.1))
    finally:
        release.set()

    assert [check.name for check in found] == ["first part", "slow", "fine"]
    assert found[1].verdict is CheckResult.UNKNOWN
    assert found[1].failed
    assert "within 0.1 s" in found[1].found


def test_only_what_is_wrong_or_unknown_has_failed() -> None:
    failed = {verdict for verdict in CheckResult if FINE._replace(verdict=verdict).failed}

    assert failed == {CheckResult.WRONG, CheckResult.UNKNOWN}
