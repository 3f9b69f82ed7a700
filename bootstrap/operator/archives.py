"""Archives of dead letters, by folder or S3 address."""

from pathlib import Path

from adapters.aws.s3.dead_letter_archive import S3Archive
from adapters.files.archive import FolderArchive
from bootstrap.aws.clients import AwsAccess, s3_client
from bootstrap.aws.places import EXAMPLE, s3_place
from domain.model.errors import ConfigurationError
from ports.dead_letter_archive_port import DeadLetterArchivePort


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
