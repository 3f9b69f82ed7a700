"""Parts of the worker's program that need no process."""

from io import BytesIO

from adapters.speech.workers.main import Answers, SignsOfLife
from adapters.speech.workers.protocol import parse_message
from ports.transcriber_port import Progress


def test_signs_of_life_are_rare_but_the_length_is_told_as_soon_as_it_is_known() -> None:
    pipe = BytesIO()
    signs = SignsOfLife(Answers(pipe))
    for progress in (Progress(0.0, None), Progress(0.0, None), Progress(1.0, 600.0), Progress(2.0, 600.0)):
        signs(progress)

    told = [parse_message(line) for line in pipe.getvalue().splitlines()]
    assert [(message.done_seconds, message.total_seconds) for message in told] == [(0.0, None), (1.0, 600.0)]  # type: ignore[union-attr] # they are Advanced
