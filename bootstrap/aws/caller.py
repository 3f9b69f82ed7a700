"""Caller identity: the account and the principal that the credentials belong to."""

from typing import NamedTuple

from adapters.aws.errors import translate_infrastructure_errors
from bootstrap.aws.clients import AwsAccess, sts_client


class CallerIdentity(NamedTuple):
    """Owner of the credentials, as STS names it."""

    account: str  # such as "123456789012"
    arn: str  # of the user or of the session of a role


def caller_identity(access: AwsAccess, *, timeout_seconds: float | None = None) -> CallerIdentity:
    """Ask STS, which needs no permission, within the usual time of a call or another.

    Raises:
        CredentialsRefusedError: AWS refuses the credentials.
        InfrastructureError: AWS cannot be asked.
    """
    with translate_infrastructure_errors("asking STS for the owner of these credentials"):
        answer = sts_client(access, timeout_seconds=timeout_seconds).get_caller_identity()
        return CallerIdentity(answer["Account"], answer["Arn"])
