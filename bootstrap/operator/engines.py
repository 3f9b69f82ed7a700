"""Checks of engines on the network; nothing is sent to them that costs money."""

from bootstrap.container import Container
from bootstrap.operator.examination import Check, CheckResult
from domain.model.errors import ConfigurationError, TranscriptionError


def amazon_transcribe(container: Container) -> Check:
    """Ask Transcribe and the bucket for what costs nothing; a failure does not keep the decoder unchecked."""
    from bootstrap.factories.amazon_transcribe import transcribe_api  # noqa: PLC0415 - needs an extra

    settings = container.settings()
    try:
        transcribe_api(settings, container.aws_access()).check_access(settings.aws_region)
    except (ConfigurationError, TranscriptionError) as error:
        return Check("engine", CheckResult.WRONG, str(error), "Correct what the message names.")
    place = f"in {settings.aws_region} with the bucket {settings.transcribe_bucket}"
    return Check("engine", CheckResult.OK, f"Amazon Transcribe {place}; both answer, nothing was transcribed")
