import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.aws.trace_header import trace_header, traceparent

TRACE, SPAN = "4efaaf4d1e8720b39541901950019ee5", "53995c3f42cd8ad8"
ROOT = "Root=1-4efaaf4d-1e8720b39541901950019ee5"


@pytest.mark.parametrize(
    ("flags", "sampled"), [("00", "0"), ("01", "1"), ("02", "0"), ("03", "1"), ("ff", "1")]
)
def test_a_traceparent_becomes_a_header(flags: str, sampled: str) -> None:
    assert trace_header(f"00-{TRACE}-{SPAN}-{flags}") == f"{ROOT};Parent={SPAN};Sampled={sampled}"


@pytest.mark.parametrize(
    "other", [None, "", "00-1-2-01", f"01-{TRACE}-{SPAN}-01-more", f"00-{TRACE}-{SPAN}-0\n"]
)
def test_a_traceparent_that_cannot_be_read_becomes_none(other: str | None) -> None:
    assert trace_header(other) is None


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        (f"{ROOT};Parent={SPAN};Sampled=1", "01"),
        (f"{ROOT};Parent={SPAN};Sampled=0", "00"),
        (f"{ROOT};Parent={SPAN}", "00"),
        (f"{ROOT};Parent={SPAN};Sampled=?", "00"),
        (f"Self=1-67891234-12456789abcdef012345678; {ROOT}; Parent={SPAN}; Sampled=1; Lineage=25:3", "01"),
    ],
)
def test_a_header_becomes_a_traceparent(header: str, flags: str) -> None:
    assert traceparent(header) == f"00-{TRACE}-{SPAN}-{flags}"


@pytest.mark.parametrize(
    "header",
    [None, "", ROOT, f"Parent={SPAN}", f"Root=1-0-{TRACE};Parent={SPAN}", f"{ROOT};Parent=short", ";;=;"],
)
def test_a_header_that_names_no_span_becomes_none(header: str | None) -> None:
    assert traceparent(header) is None


@given(st.text(max_size=200))
def test_any_text_of_a_message_is_read_or_none(text: str) -> None:
    assert traceparent(text) is None or trace_header(traceparent(text))
