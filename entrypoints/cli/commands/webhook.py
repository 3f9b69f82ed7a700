"""`transcripts webhook`: makes the secrets that sign events."""

import click

from bootstrap.operator.secrets import new_webhook_secret
from entrypoints.cli.runtime.configuration import configure
from entrypoints.cli.runtime.parameters import examples
from entrypoints.cli.views.output import print_json


@click.group("webhook")
def command() -> None:
    """Help with EVENT_TRANSPORT=webhook: events signed by Standard Webhooks 1.0."""


@command.command("secret", short_help="Make a secret that signs events.", epilog=examples("webhook secret"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
def secret(*, as_json: bool) -> None:
    """Print a new secret: a random key of 256 bits. Nothing stores it.

    Put it into WEBHOOK_SECRETS, and give it to the endpoint. To change secrets, list the new one beside the
    old one until the endpoint knows it: each signs.
    """
    configure()
    made = new_webhook_secret()
    if as_json:
        print_json({"secret": made})
    else:
        click.echo(made)
