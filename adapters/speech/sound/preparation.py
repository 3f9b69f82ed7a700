"""Preparation of sound for an engine: one voice, of one loudness, as 16-bit samples."""

from collections.abc import Iterable, Iterator

from adapters.speech.sound.blocks import Block, as_pcm, in_blocks
from adapters.speech.sound.gain import levelled
from adapters.speech.sound.highpass import high_passed
from adapters.speech.sound.mixing import mixed


def prepared(pieces: Iterable[Block], channel: int | None = None) -> Iterator[bytes]:
    """Turn decoded sound into what an engine hears: filtered, mixed, levelled, and only then rounded.

    Takes one of the channels, counted from 0, or mixes all. The blocks have one size, and the samples keep
    their places in time; at most 20 s are kept in memory.
    """
    blocks = in_blocks(high_passed(pieces))
    mono = mixed(blocks) if channel is None else (block[channel : channel + 1] for block in blocks)
    return as_pcm(levelled(mono))
