"""Check of the store of recordings."""

from collections.abc import Callable
from pathlib import Path

from bootstrap.aws.clients import AwsAccess
from bootstrap.aws.places import bucket_of_recordings
from bootstrap.factories.jobs import s3_recording_store
from bootstrap.operator.examination import Check, CheckResult
from bootstrap.settings import Settings
from domain.model.errors import RecordingStoreUnavailableError

NAME = "recordings"
REMEDY = (
    "Correct what the message names: the role needs s3:PutObject, s3:GetObject and s3:DeleteObject below "
    "RECORDING_STORE (`transcripts iam-policy operator` prints them)."
)


def store_of_recordings(
    settings: Settings, access: Callable[[], AwsAccess], check_folder: Callable[[str, Path, int], Check]
) -> Check:
    """Check the folder, or store a few bytes in the bucket, read and delete them."""
    place = bucket_of_recordings(settings.recording_store)
    if place is None:
        return check_folder(NAME, Path(settings.recording_store), settings.min_free_bytes)
    try:
        s3_recording_store(settings, access(), place, lambda: NAME).probe()
    except RecordingStoreUnavailableError as error:
        return Check(NAME, CheckResult.WRONG, str(error), REMEDY)
    found = f"{settings.recording_store} stored, returned and deleted a probe"
    return Check(NAME, CheckResult.OK, found)
