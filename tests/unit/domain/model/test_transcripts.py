import math

import pytest
from pydantic import ValidationError

from domain.model.transcripts import Segment, Transcript


def test_the_text_is_what_the_segments_say() -> None:
    segments = (
        Segment(start=0.0, end=1.0, text="hello"),
        Segment(start=1.5, end=1.6, text=""),
        Segment(start=2.0, end=3.0, text="who is there"),
    )

    assert Transcript(duration_seconds=3.0, segments=segments).text == "hello who is there"


def test_nobody_speaking_is_an_empty_text() -> None:
    assert Transcript(duration_seconds=3600.0).text == ""


@pytest.mark.parametrize(("start", "end"), [(2.0, 1.0), (-1.0, 1.0), (0.0, math.inf), (math.nan, 1.0)])
def test_impossible_times_are_refused(start: float, end: float) -> None:
    with pytest.raises(ValidationError):
        Segment(start=start, end=end, text="a")


def test_track_and_channel_are_absent_unless_they_are_known() -> None:
    assert Segment(start=0.0, end=1.0, text="a").model_dump_json() == '{"start":0.0,"end":1.0,"text":"a"}'
    numbered = Segment(start=0.0, end=1.0, text="a", track=2, channel=1)
    assert Segment.model_validate_json(numbered.model_dump_json()) == numbered
    schema = Segment.model_json_schema(mode="serialization")
    assert schema["required"] == ["start", "end", "text"]
    assert schema["properties"]["channel"] == {"minimum": 1, "title": "Channel", "type": "integer"}
