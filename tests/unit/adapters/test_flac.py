from io import BytesIO

import av
import numpy as np
import pytest

from adapters.flac import FlacWriter, encode
from domain.model.speech import SAMPLE_RATE
from tests.support.samples.recordings import speech


def spoken(samples: int) -> bytes:
    """Samples of the demo's recording, repeated where there are not enough."""
    return np.resize(speech(), samples).astype("<i2").tobytes()


def decoded(flac: bytes) -> tuple[bytes, float | None]:
    """Return the samples, and the declared length in seconds."""
    with av.open(BytesIO(flac), "r") as container:
        (stream,) = container.streams.audio
        assert (stream.rate, stream.channels) == (SAMPLE_RATE, 1)
        frames = [frame.to_ndarray().astype("<i2").tobytes() for frame in container.decode(stream)]
        length = None if container.duration is None else container.duration / av.time_base
    return b"".join(frames), length


@pytest.mark.parametrize("samples", [1, 160, 4096, 4097, 30 * SAMPLE_RATE])
def test_each_sample_survives(samples: int) -> None:
    sound = spoken(samples)

    heard, length = decoded(encode(sound))

    assert heard == sound
    assert length == pytest.approx(samples / SAMPLE_RATE, abs=1e-3)


def test_speech_has_fewer_bytes_than_its_samples() -> None:
    sound = spoken(10 * SAMPLE_RATE)

    assert len(encode(sound)) < 0.8 * len(sound)


def test_pieces_of_any_size_make_the_same_file_as_the_whole() -> None:
    sound, file = spoken(3 * SAMPLE_RATE), BytesIO()

    with FlacWriter(file) as writer:
        for start in range(0, len(sound), 1_001):
            writer.write(sound[start : start + 1_001])

    assert file.getvalue() == encode(sound)


def test_a_writer_that_fails_in_between_passes_its_error_on() -> None:
    def fail_in_between() -> None:
        with FlacWriter(BytesIO()) as writer:
            writer.write(spoken(SAMPLE_RATE))
            raise LookupError

    with pytest.raises(LookupError):
        fail_in_between()
