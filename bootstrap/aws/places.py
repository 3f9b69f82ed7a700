"""Places in Amazon S3, as operators write them."""

import re
from collections.abc import Iterable

from adapters.aws.iam.resources import S3Place
from domain.model.errors import ConfigurationError

EXAMPLE = "s3://my-bucket/dead-letters"
_S3_PLACE = re.compile("s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/(?P<prefix>[^\0-\x1f]*))?")


def s3_place(place: str) -> S3Place:
    """Parse bucket and prefix of `s3://bucket/prefix`.

    Raises:
        ConfigurationError: the text has another form.
    """
    found = _S3_PLACE.fullmatch(place)
    if found is None:
        raise ConfigurationError(f"{place!r} is not an S3 address, such as {EXAMPLE}")
    return S3Place(found["bucket"], found["prefix"] or "")


def bucket_of_recordings(recording_store: str) -> S3Place | None:
    """Parse the value of RECORDING_STORE; None for a folder."""
    return s3_place(recording_store) if "://" in recording_store else None


def buckets_of_sources(source_buckets: Iterable[str]) -> tuple[S3Place, ...]:
    """Parse the value of SOURCE_BUCKETS, names of buckets with or without a prefix."""
    return tuple(s3_place(f"s3://{place}") for place in source_buckets)
