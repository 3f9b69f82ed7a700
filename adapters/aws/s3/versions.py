"""Versions of S3 objects, each of which is deleted by its id: a plain deletion only hides them."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def delete_versions(client: "S3Client", bucket: str, key: str) -> int:
    """Delete every version of an object, and every marker of its deletion.

    A version that S3 refuses to delete, such as one under Object Lock, does not keep the others.

    Returns:
        The number of deleted versions, without the markers.

    Raises:
        ClientError: S3 refuses the list, or the deletion of a version; the first refusal.
    """
    deleted, refusal = 0, None
    for version, is_marker in _versions(client, bucket, key):
        try:
            client.delete_object(Bucket=bucket, Key=key, VersionId=version)
        except ClientError as error:
            refusal = refusal or error
        else:
            deleted += not is_marker
    if refusal is not None:
        raise refusal
    return deleted


def _versions(client: "S3Client", bucket: str, key: str) -> list[tuple[str, bool]]:
    """List the ids, and whether each is a marker; the prefix of a key may be that of others, too."""
    found: list[tuple[str, bool]] = []
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        found += [(each["VersionId"], False) for each in page.get("Versions", ()) if each["Key"] == key]
        found += [(each["VersionId"], True) for each in page.get("DeleteMarkers", ()) if each["Key"] == key]
    return found
