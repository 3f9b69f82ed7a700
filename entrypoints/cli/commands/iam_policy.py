"""`transcripts iam-policy`: prints the IAM policy of a role."""

import click

from bootstrap.operator.roles import Role
from domain.model.events.kinds import EventKind
from entrypoints.cli.runtime.configuration import configure
from entrypoints.cli.runtime.kinds import kinds_option
from entrypoints.cli.runtime.parameters import AWS_TIMEOUT, PatternType, examples
from entrypoints.cli.views.output import print_json

ACCOUNT = PatternType("ACCOUNT", "[0-9]{12}", "account: 12 digits, such as 123456789012")


@click.command("iam-policy", epilog=examples("iam-policy publisher --account 123456789012"))
@click.argument("role", type=click.Choice([role.value for role in Role]))
@click.option(
    "--account",
    type=ACCOUNT,
    help="Account of the resources. [default: the account of the credentials, from AWS STS]",
)
@click.option(
    "--dlq-archive",
    "letters",
    metavar="s3://BUCKET/PREFIX",
    help="Operator only: archive in which `transcripts dlq archive` may store dead letters.",
)
@kinds_option("Events whose routes the role may use")
@AWS_TIMEOUT
@click.option(
    "--json", is_flag=True, expose_value=False, help="Accepted for symmetry; the output is always JSON."
)
def command(
    role: str,
    account: str | None,
    letters: str | None,
    kinds: tuple[EventKind, ...] | None,
    timeout: float,
) -> None:
    """Print the smallest IAM policy with which all commands of a role work.

    \b
    publisher    serve, process, relay
    consumer     consume
    operator     status, verify, doctor, dlq, replay
    provisioner  provision, teardown
    eraser       erase

    Its ARNs follow the settings: region, names, PAYLOAD_BUCKET, QUEUE_KMS_KEY, RECORDING_STORE,
    SOURCE_BUCKETS, TRANSCRIBER, TRANSCRIBE_BUCKET. Other commands need no permission.
    """  # noqa: D301 - \b is click's mark for lines that it must not wrap
    if letters is not None and role != Role.OPERATOR:
        raise click.UsageError("--dlq-archive is for the role operator, which alone archives dead letters.")
    from bootstrap.operator.iam import iam_policy  # noqa: PLC0415 - slow to import

    policy = iam_policy(
        configure(), Role(role), account=account, letters=letters, kinds=kinds or (), aws_timeout=timeout
    )
    print_json(policy)
