"""The parser of multipart bodies, in all pieces that a body may arrive in."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrypoints.api.problems import MalformedUploadError
from entrypoints.api.uploads.parts import MultipartParser, Part

BOUNDARY = b"xyz"
ALPHABET = [b"\r\n--xyz", b"\r\n--", b"--", b"-", b"xyz", b"\r\n", b"\r", b"\n", b" ", b"a", b"\x00"]


def is_content(content: bytes) -> bool:
    """Return true for content that a sender may send: no line of it is a delimiter."""
    return re.search(rb"\r\n--xyz(--)?[ \t]*\r\n", b"\r\n" + content + b"\r\n") is None


contents = st.lists(st.sampled_from(ALPHABET), max_size=12).map(b"".join).filter(is_content)


def encode(parts: list[bytes], preamble: bytes = b"") -> bytes:
    head = b'--xyz\r\nContent-Disposition: form-data; name="%d"\r\n\r\n'
    encoded = b"".join(head % number + content + b"\r\n" for number, content in enumerate(parts))
    return preamble + encoded + b"--xyz--\r\n"


def parse(body: bytes, cuts: list[int]) -> tuple[list[bytes], bool]:
    """Parse a body that arrives in pieces; return the contents of its parts."""
    parser, found = MultipartParser(BOUNDARY), list[bytes]()
    ends = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    for start, end in pairwise(ends):
        for event in parser.feed(body[start:end]):
            if isinstance(event, Part):
                found.append(b"")
            else:
                found[-1] += event
    return found, parser.is_complete


@given(st.lists(contents, max_size=3), st.lists(st.integers(0, 10**6), max_size=12), contents)
def test_every_part_arrives_byte_for_byte_however_the_body_is_cut(
    parts: list[bytes], cuts: list[int], preamble: bytes
) -> None:
    before = preamble + b"\r\n" if preamble else b""

    assert parse(encode(parts, before), cuts) == (parts, True)


@given(st.lists(contents, min_size=1, max_size=2), st.integers(1, 10**6))
def test_a_body_that_is_cut_off_is_not_complete(parts: list[bytes], cut: int) -> None:
    body = encode(parts)[: -len(b"--\r\n")]

    assert not parse(body[: cut % len(body)], [])[1]


def test_a_body_that_arrives_byte_by_byte_is_held_no_longer_than_a_delimiter() -> None:
    parser = MultipartParser(BOUNDARY)
    held = 0
    for byte in encode([b"a" * 10_000])[:-20]:
        held += 1
        held -= sum(len(event) for event in parser.feed(bytes([byte])) if isinstance(event, bytes))

    assert held < 100


@pytest.mark.parametrize("head", [b"X-Foo: " + b"x" * 20_000, b"x" * 20_000])
def test_the_header_of_a_part_is_limited(head: bytes) -> None:
    with pytest.raises(MalformedUploadError, match="16384 bytes"):
        MultipartParser(BOUNDARY).feed(b"--xyz\r\n" + head)
