import pytest

from domain.model.errors import OutboxUnavailableError
from domain.services.resilience.background import logging_exceptions


def test_a_defect_is_told_with_its_trace_and_ends_there(caplog: pytest.LogCaptureFixture) -> None:
    with logging_exceptions("the work failed"):
        raise RuntimeError("a defect")

    (record,) = caplog.records
    assert (record.levelname, record.message) == ("ERROR", "the work failed")
    assert vars(record)["error_type"] == "RuntimeError"
    assert record.exc_info
    assert str(record.exc_info[1]) == "a defect"


def test_what_is_no_defect_is_raised_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    with (
        pytest.raises(OutboxUnavailableError),
        logging_exceptions("the work failed", reraise=(OutboxUnavailableError,)),
    ):
        raise OutboxUnavailableError("the disk is full")

    assert caplog.records == []


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_a_process_that_is_to_end_is_not_kept(end: type[BaseException]) -> None:
    with pytest.raises(end), logging_exceptions("the work failed"):
        raise end
