"""IAM policies of the roles, with the ARNs of these settings."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence

from adapters.aws.iam.policies import consumer, eraser, operator, provisioner, publisher
from adapters.aws.iam.resources import PolicyResources
from bootstrap.aws.caller import caller_identity
from bootstrap.aws.clients import AwsAccess, partition_of
from bootstrap.aws.places import bucket_of_recordings, buckets_of_sources, s3_place
from bootstrap.aws.timeouts import DEFAULT_TIMEOUT_SECONDS
from bootstrap.choices import Transcriber
from bootstrap.container import build_container
from bootstrap.operator.roles import Role
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError, CredentialsRefusedError, InfrastructureError
from domain.model.events.kinds import EventKind

logger = logging.getLogger(__name__)

MAX_CHARACTERS = 6_144
"""Length of a managed policy without white space (IAM user guide, IAM and STS quotas)."""

_POLICIES: Mapping[Role, Callable[[PolicyResources], dict[str, object]]] = {
    Role.PUBLISHER: publisher,
    Role.CONSUMER: consumer,
    Role.OPERATOR: operator,
    Role.PROVISIONER: provisioner,
    Role.ERASER: eraser,
}


def iam_policy(
    settings: Settings,
    role: Role,
    *,
    account: str | None = None,
    letters: str | None = None,
    kinds: Sequence[EventKind] = (),
    aws_timeout: float = DEFAULT_TIMEOUT_SECONDS,
) -> dict[str, object]:
    """Build the policy document of a role in an account; by default, in the account of the credentials.

    `letters` is the archive of dead letters, as `s3://bucket/prefix`; None without an archive. `kinds` are
    the kinds of events whose routes are named; by default, those that are sent. `aws_timeout` is the longest
    wait for AWS to name the account, in seconds.

    Raises:
        ConfigurationError: there are no usable credentials whose account it could be, `letters` is not an
            S3 address, or no bucket is configured that the role eraser could erase from.
        InfrastructureError: STS cannot be asked for the account.
    """
    container = build_container(settings, aws_timeout=aws_timeout)
    access = container.aws_access()
    place = s3_place(letters) if letters else None
    is_amazon = settings.transcriber is Transcriber.AMAZON_TRANSCRIBE
    names, *others = (settings.routes[kind] for kind in kinds or settings.event_kinds)
    resources = PolicyResources(
        names,
        partition_of(access),
        settings.aws_region,
        account or _own_account(access),
        payload_bucket=settings.payload_bucket,
        key=settings.queue_kms_key,
        letters=place,
        transcribe_bucket=settings.transcribe_bucket if is_amazon else None,
        others=tuple(others),
        recordings=bucket_of_recordings(settings.recording_store),
        sources=buckets_of_sources(settings.source_buckets),
        has_topic=settings.is_sns,
    )
    if role is Role.ERASER and not (resources.payload_bucket or resources.recordings):
        raise ConfigurationError(
            "the role eraser needs no permission: neither PAYLOAD_BUCKET nor RECORDING_STORE names a bucket"
        )
    policy = _POLICIES[role](resources)
    _warn_of_length(policy)
    return policy


def _warn_of_length(policy: dict[str, object]) -> None:
    """Log a policy that is too long: with long names, the operator's must be attached in two halves."""
    characters = len(json.dumps(policy, separators=(",", ":")))
    if characters > MAX_CHARACTERS:
        logger.warning(
            "policy exceeds the limit of a managed policy; split its statements into two policies",
            extra={"characters": characters, "limit": MAX_CHARACTERS},
        )


def _own_account(access: AwsAccess) -> str:
    try:
        return caller_identity(access).account
    except InfrastructureError as error:
        kind = ConfigurationError if isinstance(error, CredentialsRefusedError) else InfrastructureError
        raise kind(f"{error}. Or name the account: --account 123456789012") from None
