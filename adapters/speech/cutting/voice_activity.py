"""Voice activity: the probability of speech in each frame of sound, by Silero's model."""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.model.speech import BYTES_PER_SAMPLE

FRAME_SAMPLES = 512
"""Samples of a frame at 16 kHz, 32 ms: the only size that the model takes."""

_CONTEXT_SAMPLES = 64  # of the frame before, which the model wants to see
_SIZE = FRAME_SAMPLES * BYTES_PER_SAMPLE
_STATE = (1, 1, 128)
_FULL_SCALE = 2.0**15

Samples = npt.NDArray[np.float32]


class Frame(NamedTuple):
    """One frame of sound; the last one of a recording may be shorter."""

    samples: bytes
    probability: float


def model_file() -> Path:
    """Find the model, which is part of faster-whisper's wheel; the package itself is slow to import."""
    package = find_spec("faster_whisper")
    if package is None or package.origin is None:
        raise FileNotFoundError("faster-whisper, which brings the model of voice activity, is not installed")
    return next(Path(package.origin).with_name("assets").glob("silero_vad*.onnx"))


class VoiceActivity:
    """Model of voice activity. The state of each voice is kept apart, so that one does not change another."""

    def __init__(self) -> None:
        import onnxruntime  # noqa: PLC0415 - not needed by `AllIsSpeech`, and slow

        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it would keep the memory of the largest block
        options.log_severity_level = 3
        self._model = onnxruntime.InferenceSession(
            str(model_file()), options, providers=["CPUExecutionProvider"]
        )

    def frames(self, blocks: Iterable[bytes]) -> Iterator[Frame]:
        """Yield the frames of one voice; the blocks are 16-bit mono at 16 kHz, of any size."""
        context: Samples = np.zeros(_CONTEXT_SAMPLES, np.float32)
        state = [np.zeros(_STATE, np.float32), np.zeros(_STATE, np.float32)]
        for samples in _whole_frames(blocks):
            frames = _as_frames(samples)
            before = np.vstack([context, frames[:-1, -_CONTEXT_SAMPLES:]])
            inputs = {"input": np.hstack([before, frames]), "h": state[0], "c": state[1]}
            probabilities, *state = self._model.run(None, inputs)
            context = frames[-1, -_CONTEXT_SAMPLES:]
            for number, probability in enumerate(np.ravel(probabilities)):
                yield Frame(samples[number * _SIZE : (number + 1) * _SIZE], float(probability))


class AllIsSpeech:
    """Takes all sound for speech, without a model; for an engine with canned text."""

    def frames(self, blocks: Iterable[bytes]) -> Iterator[Frame]:
        """Yield the frames of one voice."""
        for samples in _whole_frames(blocks):
            for at in range(0, len(samples), _SIZE):
                yield Frame(samples[at : at + _SIZE], 1.0)


def _as_frames(samples: bytes) -> Samples:
    """Convert samples to frames of floats; fill up the last one with silence."""
    missing = -len(samples) % _SIZE
    sound = np.frombuffer(samples + bytes(missing), "<i2").astype(np.float32) / _FULL_SCALE
    return sound.reshape(-1, FRAME_SAMPLES)


def _whole_frames(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces that hold whole frames; only the last one may end in a shorter frame."""
    waiting = b""
    for block in blocks:
        waiting += block
        whole = len(waiting) // _SIZE * _SIZE
        if whole:
            yield waiting[:whole]
            waiting = waiting[whole:]
    if waiting:
        yield waiting
