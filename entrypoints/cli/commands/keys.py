"""`transcripts keys`: creates, lists, revokes and rotates API keys."""

from uuid import UUID

import click

from domain.model.access import Scope
from domain.model.api_keys import KEY_PREFIX, KeyGrant
from domain.model.clock import SECONDS_PER_DAY
from domain.model.errors import ApiKeyError
from domain.model.identity import DEFAULT_USER_ID, MAX_IDENTITY_LENGTH, is_printable, uuid4_or_none
from domain.services.api_keys import ApiKeyService, IssuedKey
from entrypoints.cli.runtime.configuration import build_container, configure
from entrypoints.cli.runtime.parameters import FiniteRange, PatternType, examples, limit_option
from entrypoints.cli.views.keys import as_line, key_as_json
from entrypoints.cli.views.output import print_json
from ports.api_keys_port import ApiKeysPort

AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
DEFAULT_DAYS, MAX_DAYS = 365.0, 3650
DEFAULT_OVERLAP_HOURS, MAX_OVERLAP_HOURS = 24.0, 24 * 90
SECONDS_PER_HOUR = 3600.0
AN_ID, A_TENANT = f"{KEY_PREFIX}4f7k2m9x", "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"
KEY_ID = PatternType(
    "id", r"(bt_)?[0-9a-z]{8}", "id of a key: 8 letters and digits, as `keys list` shows them"
)

EXPIRES = click.option(
    "--expires",
    "days",
    type=FiniteRange(0, MAX_DAYS),
    metavar="DAYS",
    default=DEFAULT_DAYS,
    show_default=True,
    help="Days until the key ends; 0: it does not end.",
)


@click.group("keys")
def command() -> None:
    """Manage the API keys of callers, for AUTH=key.

    The commands use the service's database (DATABASE_URL), without HTTP. They show a key once, when it is
    made: only a hash of it is stored.
    """


@command.command(
    "create",
    short_help="Make a key, and show it once.",
    epilog=examples(f"keys create --tenant {A_TENANT} --user crm --label 'CRM, production'"),
)
@click.option(
    "--tenant", metavar="UUID", type=click.UUID, required=True, help="Tenant of the key, a UUID v4."
)
@click.option(
    "--user", metavar="NAME", default=DEFAULT_USER_ID, show_default=True, help="User of the key's requests."
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(Scope, case_sensitive=False),
    default=(Scope.WRITE, Scope.READ),
    show_default=True,
    help="What the key may do; may be repeated.",
)
@EXPIRES
@click.option("--label", metavar="NAME", default="", help="What the key is for, for people.")
@AS_JSON
def create(
    tenant: UUID, user: str, scopes: tuple[Scope, ...], days: float, label: str, *, as_json: bool
) -> None:
    """Make a key and print it; nothing can show it again."""
    if uuid4_or_none(str(tenant)) is None:
        raise click.BadParameter(f"{str(tenant)!r} is no UUID v4", param_hint="--tenant")
    grant = KeyGrant(
        tenant, _text("--user", user.strip()), frozenset(scopes), _text("--label", label, least=0)
    )
    _print_issued(_service().create(grant, lifetime_seconds=_lifetime(days)), as_json=as_json)


@command.command(
    "list", short_help="List keys, the newest first.", epilog=examples(f"keys list --tenant {A_TENANT}")
)
@click.option(
    "--tenant", metavar="UUID", type=click.UUID, help="Only keys of this tenant. [default: all tenants]"
)
@limit_option("keys")
@AS_JSON
def list_keys(tenant: UUID | None, limit: int, *, as_json: bool) -> None:
    """List keys in every state, the newest first, with their last use; never their secrets."""
    keys = _keys().newest(tenant, limit=limit)
    if as_json:
        print_json({"keys": [key_as_json(key) for key in keys]})
        return
    for key in keys:
        click.echo(as_line(key))


@command.command("revoke", short_help="End keys at once, for good.", epilog=examples(f"keys revoke {AN_ID}"))
@click.argument("key_ids", nargs=-1, required=True, metavar="ID...", type=KEY_ID)
@AS_JSON
def revoke(key_ids: tuple[str, ...], *, as_json: bool) -> None:
    """End keys at once, for good; the next request with one is answered 401.

    Exits with 1 where there is no such key; the others are revoked.
    """
    keys = _keys()
    found = {key_id: keys.revoke(key_id) for key_id in map(_bare, key_ids)}
    if unknown := [KEY_PREFIX + key_id for key_id, is_known in found.items() if not is_known]:
        raise ApiKeyError(f"There is no key {', '.join(unknown)}; all others are revoked.")
    if as_json:
        print_json({"revoked": list(found)})
    else:
        click.echo(f"{len(found)} revoked")


@command.command(
    "rotate",
    short_help="Make a key that replaces another one.",
    epilog=examples(f"keys rotate {AN_ID}", f"keys rotate {AN_ID} --overlap 0"),
)
@click.argument("key_id", metavar="ID", type=KEY_ID)
@EXPIRES
@click.option(
    "--overlap",
    "hours",
    type=FiniteRange(0, MAX_OVERLAP_HOURS),
    metavar="HOURS",
    default=DEFAULT_OVERLAP_HOURS,
    show_default=True,
    help="Hours for which the old key is still accepted; 0 ends it at once.",
)
@AS_JSON
def rotate(key_id: str, days: float, hours: float, *, as_json: bool) -> None:
    """Make a key with the tenant, user, scopes and label of another one, which ends after the overlap.

    Both are accepted meanwhile, so that callers can change over one by one.
    """
    issued = _service().rotate(
        _bare(key_id), lifetime_seconds=_lifetime(days), overlap_seconds=hours * SECONDS_PER_HOUR
    )
    _print_issued(issued, as_json=as_json)


def _keys() -> ApiKeysPort:
    from bootstrap.runtime.keys import existing_keys  # noqa: PLC0415 - slow to import

    return existing_keys(build_container(configure()))


def _service() -> ApiKeyService:
    from bootstrap.runtime.keys import existing_key_service  # noqa: PLC0415 - slow to import

    return existing_key_service(build_container(configure()))


def _lifetime(days: float) -> float | None:
    return days * SECONDS_PER_DAY or None


def _bare(key_id: str) -> str:
    return key_id.removeprefix(KEY_PREFIX)


def _text(option: str, text: str, *, least: int = 1) -> str:
    if len(text) < least or not is_printable(text):
        detail = f"it must be {least} to {MAX_IDENTITY_LENGTH} printable characters"
        raise click.BadParameter(detail, param_hint=option)
    return text


def _print_issued(issued: IssuedKey, *, as_json: bool) -> None:
    if as_json:
        print_json({"key": issued.plain.text, **key_as_json(issued.stored)})
        return
    click.echo(issued.plain.text)
    click.echo(f"{as_line(issued.stored)}\nThe key is shown this once; store it now.", err=True)
