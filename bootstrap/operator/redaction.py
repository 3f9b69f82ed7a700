"""Check of redaction, for `transcripts doctor`."""

from collections.abc import Iterator

from bootstrap.choices import Redactor
from bootstrap.container import Container
from bootstrap.operator.examination import Check, CheckResult
from domain.model.errors import ConfigurationError


def redactor(container: Container) -> Iterator[Check]:
    """Load what redacts; transcripts that leave as they were heard are named so."""
    chosen = container.settings().redactor
    if chosen is Redactor.NONE:
        yield Check("redactor", CheckResult.OK, "REDACTOR=none: personal data stays in transcripts")
        return
    try:
        container.redaction()
    except ConfigurationError as error:
        yield Check(
            "redactor", CheckResult.WRONG, str(error), "Do what the message says, or use REDACTOR=rules."
        )
    else:
        yield Check(
            "redactor", CheckResult.OK, f"{chosen} is ready; it reduces personal data, without a guarantee"
        )
