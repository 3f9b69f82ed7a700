"""Values of headers with parameters."""

from contextlib import suppress

import pytest

from entrypoints.api.uploads.header_values import parse_header_value


@pytest.mark.parametrize(
    "hostile", ["f;{}=", "f;a{}b", "f;a={}b", 'f;a="{}', "f;a=b{}c", 'f;a="b"{}c'], ids="of {}".format
)
@pytest.mark.parametrize("part", [" ", "\t ", '"', "\\", "\\a", "=", "a"], ids=repr)
def test_a_hostile_value_is_read_in_time_that_grows_with_its_length(hostile: str, part: str) -> None:
    """One that is read in time that grows with the square of it exceeds the time limit of a test."""
    with suppress(ValueError):
        parse_header_value(hostile.format(part * 500_000))
