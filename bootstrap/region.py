"""The region of AWS where no variable names one."""

import os
from pathlib import Path

DEFAULT_REGION = "us-east-1"
_FILES = (
    ("AWS_CONFIG_FILE", "~/.aws/config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
)
"""Variables that name the files of profiles, and boto3's defaults."""


def region_of_profile() -> str:
    """Return the region of the profile in `~/.aws`, or else us-east-1 (requirement 4.3)."""
    if not any(Path(os.environ.get(*file)).expanduser().is_file() for file in _FILES):
        return DEFAULT_REGION
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - slow to import, and not needed where a variable is set
    from botocore.session import Session  # noqa: PLC0415 - same

    try:
        session = Session(
            include_builtin_handlers=False
        )  # which take most of the time, and do not matter here
        return session.get_config_variable("region") or DEFAULT_REGION
    except BotoCoreError:  # the first client names what is wrong with the profile
        return DEFAULT_REGION
