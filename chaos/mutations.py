"""Mutations of recordings: of their headers first, since decoders believe them."""

import random
from collections.abc import Callable

from tests.support.samples.handmade import with_ogg_checksums

_HEADER_BYTES = 600
"""Bytes at the beginning and at the end of a recording that are mutated: headers and indexes stand there."""
_BOUNDARIES = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    2**63,
    2**64 - 1,
)
_MOST_AT_ONCE = 6

Mutation = Callable[[bytearray, int, random.Random], None]


def mutated(sample: bytes, chance: random.Random, others: tuple[bytes, ...]) -> bytes:
    """Change a recording in a few places, most of them in its header; sometimes it begins like another."""
    content = bytearray(sample)
    if chance.random() < 0.05:  # noqa: PLR2004 - a rare one
        head = chance.randrange(4, 64)
        content[:head] = chance.choice(others)[:head]
    for _ in range(chance.randint(1, _MOST_AT_ONCE)):
        if content:
            chance.choice(_MUTATIONS)(content, _place(len(content), chance), chance)
    return with_ogg_checksums(bytes(content)) if sample.startswith(b"OggS") else bytes(content)


def _place(size: int, chance: random.Random) -> int:
    """Choose the header twice as often as the end, and any place now and then."""
    place = chance.choice((0, 0, 0, 0, 1, 1, 2))
    if place == 0:
        return chance.randrange(min(size, chance.choice((64, _HEADER_BYTES))))
    return chance.randrange(max(size - _HEADER_BYTES, 0) if place == 1 else 0, size)


def _set_byte(content: bytearray, at: int, chance: random.Random) -> None:
    content[at] = chance.randrange(256)


def _flip_bit(content: bytearray, at: int, chance: random.Random) -> None:
    content[at] ^= 1 << chance.randrange(8)


def _set_number(content: bytearray, at: int, chance: random.Random) -> None:
    size = chance.choice((1, 2, 3, 4, 8))
    number = (chance.choice(_BOUNDARIES) + chance.choice((-1, 0, 1))) % (1 << 8 * size)
    content[at : at + size] = number.to_bytes(size, chance.choice(("little", "big")))


def _copy(content: bytearray, at: int, chance: random.Random) -> None:
    source, size = chance.randrange(len(content)), chance.randint(1, 64)
    content[at:at] = content[source : source + size]


def _overwrite(content: bytearray, at: int, chance: random.Random) -> None:
    source, size = chance.randrange(len(content)), chance.randint(1, 64)
    piece = content[source : source + size]
    content[at : at + len(piece)] = piece


def _delete(content: bytearray, at: int, chance: random.Random) -> None:
    del content[at : at + chance.randint(1, 32)]


def _insert(content: bytearray, at: int, chance: random.Random) -> None:
    content[at:at] = chance.randbytes(chance.randint(1, 32))


def _cut(content: bytearray, at: int, _chance: random.Random) -> None:
    del content[max(at, 4) :]


_MUTATIONS: tuple[Mutation, ...] = (
    *(_set_byte, _flip_bit, _set_number, _set_number, _set_number),
    *(_copy, _overwrite, _delete, _insert, _cut),
)
