"""Check of a transport that is not on AWS."""

from bootstrap.choices import EventTransport
from bootstrap.container import Container
from bootstrap.operator.examination import Check, CheckResult

VERIFY = "`transcripts verify` sends a test event"


def transport_check(container: Container) -> Check:
    """Check the settings of the transport by building it; the webhook's name is resolved as well.

    Raises:
        ConfigurationError: a setting is missing, or a library is not installed.
    """
    transport = container.event_transport()
    container.patient_sender()
    if transport == EventTransport.WEBHOOK:
        return _webhook(container)
    return Check("route", CheckResult.OK, f"{transport} is configured; {VERIFY}")


def _webhook(container: Container) -> Check:
    from adapters.web.webhook.errors import EndpointError  # noqa: PLC0415 - only where it is chosen
    from bootstrap.factories.webhook import webhook_endpoint  # noqa: PLC0415 - same

    endpoint, secrets = webhook_endpoint(container.settings()), len(container.settings().webhook_secrets)
    try:
        addresses = ", ".join(map(str, endpoint.addresses()))
    except EndpointError as error:
        return Check("route", CheckResult.WRONG, str(error), error.finding.remedy)
    signed = f"signed with {secrets} secret{'s' if secrets > 1 else ''}"
    return Check("route", CheckResult.OK, f"{endpoint.location.shown} ({addresses}), {signed}; {VERIFY}")
