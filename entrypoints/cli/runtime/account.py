"""Region and account that a command works on."""

from typing import TYPE_CHECKING

import click

from entrypoints.cli.views.output import PLACE, printable

if TYPE_CHECKING:
    from bootstrap.aws.account import AwsPlace, PlaceLookup
    from bootstrap.container import Container
    from bootstrap.settings import Settings


def announce_account(container: "Container", *, as_json: bool) -> None:
    """Print region and account on stderr; with --json, add them to the command's object instead.

    Raises:
        ConfigurationError: the AWS configuration is invalid.
    """
    from bootstrap.aws.account import place_of  # noqa: PLC0415 - slow to import

    print_place(place_of(container.aws_access()), as_json=as_json)


def print_place(place: "AwsPlace", *, as_json: bool) -> None:
    """Print region and account on stderr, or keep them for the JSON object."""
    if as_json:
        click.get_current_context().meta[PLACE] = {"region": place.region, "account": place.account}
    else:
        click.echo(printable(f"{place}."), err=True)


def log_account(settings: "Settings") -> "PlaceLookup":
    """Log region and account as soon as they are known, for commands that do not wait for AWS."""
    from bootstrap.aws.account import PlaceLookup  # noqa: PLC0415 - slow to import
    from bootstrap.aws.clients import AwsAccess  # noqa: PLC0415 - same

    return PlaceLookup(AwsAccess(settings.aws_region, settings.aws_endpoint_url))
