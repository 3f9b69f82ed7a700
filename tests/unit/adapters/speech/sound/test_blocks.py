"""Blocks: cut to one size, seen with their neighbours, rounded to 16 bits."""

import numpy as np
import pytest

from adapters.speech.sound.blocks import BLOCK_SAMPLES, Block, as_pcm, in_blocks, windows


def _counted(samples: int, channels: int = 2) -> Block:
    return np.arange(channels * samples, dtype=np.float32).reshape(channels, samples)


@pytest.mark.parametrize("size", [1_000, BLOCK_SAMPLES - 1, BLOCK_SAMPLES, BLOCK_SAMPLES + 1, 100_000])
def test_pieces_of_any_size_become_blocks_of_one_size(size: int) -> None:
    sound = _counted(100_000)
    blocks = list(in_blocks(sound[:, at : at + size] for at in range(0, 100_000, size)))
    assert {block.shape[1] for block in blocks[:-1]} == {BLOCK_SAMPLES}
    assert np.array_equal(np.concatenate(blocks, axis=1), sound)


def test_no_sound_gives_no_block() -> None:
    assert list(in_blocks([])) == []
    assert list(in_blocks([_counted(0)])) == []


def test_each_item_is_seen_with_its_neighbours() -> None:
    seen = [(item, list(window)) for item, window in windows("abcde", before=2, after=1)]
    assert seen == [("a", [*"ab"]), ("b", [*"abc"]), ("c", [*"abcd"]), ("d", [*"bcde"]), ("e", [*"cde"])]


@pytest.mark.parametrize(("before", "after"), [(0, 0), (0, 3), (3, 0), (2, 9), (9, 2)])
def test_windows_are_whole_and_bounded(before: int, after: int) -> None:
    seen = [(item, list(window)) for item, window in windows(range(20), before=before, after=after)]
    assert seen == [(at, list(range(max(at - before, 0), min(at + after + 1, 20)))) for at in range(20)]


def test_samples_beyond_full_scale_are_clipped() -> None:
    block = np.array([[0, 0.5, 1, 2, -2]], np.float32)
    (pcm,) = as_pcm([block])
    assert np.frombuffer(pcm, "<i2").tolist() == [0, 16_384, 32_767, 32_767, -32_767]
