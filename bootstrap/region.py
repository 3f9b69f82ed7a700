"""The region of AWS where no variable names one."""

DEFAULT_REGION = "us-east-1"


def region_of_profile() -> str:
    """Return the region of the profile in `~/.aws`, or else us-east-1 (requirement 4.3)."""
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - slow to import, and not needed where a variable is set
    from botocore.session import Session  # noqa: PLC0415 - same

    try:
        return Session().get_config_variable("region") or DEFAULT_REGION
    except BotoCoreError:  # the first client names what is wrong with the profile
        return DEFAULT_REGION
