"""Archives of dead letters, by folder or S3 address."""

import re
from pathlib import Path

from adapters.aws.iam.resources import S3Place
from adapters.aws.s3.dead_letter_archive import S3Archive
from adapters.files.archive import FolderArchive
from bootstrap.aws.clients import AwsAccess, s3_client
from domain.model.errors import ConfigurationError
from ports.dead_letter_archive_port import DeadLetterArchivePort

EXAMPLE = "s3://my-bucket/dead-letters"
_S3_PLACE = re.compile("s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/(?P<prefix>[^\0-\x1f]*))?")


def archive_at(place: str, access: AwsAccess) -> DeadLetterArchivePort:
    """Build the archive in a folder, or at `s3://bucket/prefix`.

    Raises:
        ConfigurationError: the place is empty, or an address outside S3.
    """
    if not place or "\0" in place:
        raise ConfigurationError(f"{place!r} is neither a folder nor an S3 address, such as {EXAMPLE}")
    if "://" not in place:
        return FolderArchive(Path(place))
    in_s3 = s3_place(place)
    return S3Archive(s3_client(access), bucket=in_s3.bucket, prefix=in_s3.prefix)


def s3_place(place: str) -> S3Place:
    """Parse bucket and prefix of `s3://bucket/prefix`.

    Raises:
        ConfigurationError: the text has another form.
    """
    found = _S3_PLACE.fullmatch(place)
    if found is None:
        raise ConfigurationError(f"{place!r} is not an S3 address, such as {EXAMPLE}")
    return S3Place(found["bucket"], found["prefix"] or "")
