"""`transcripts models`: models of the embedded speech engine on this machine."""

from typing import TYPE_CHECKING

import click

from entrypoints.cli.runtime.configuration import configure
from entrypoints.cli.runtime.parameters import examples
from entrypoints.cli.views.output import console, print_json, printable

if TYPE_CHECKING:
    from bootstrap.operator.models import ModelStatus


@click.group("models")
def command() -> None:
    """List the models of the embedded speech engine, and fetch one.

    The service looks for TRANSCRIBER_MODEL in this order: a folder, the installed package, the cache of the
    hub (HF_HOME), the hub. Fetch a model while an image is built, and its containers start offline.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_models(*, as_json: bool) -> None:
    """List the known models, and where they are; asks no server."""
    from bootstrap.operator import models  # noqa: PLC0415 - slow to import

    selected = models.selected_model(configure())
    found = list(models.list_models(selected))
    if as_json:
        print_json({"selected": selected, "models": [_as_json(model) for model in found]})
        return
    out = console()
    for model in found:
        mark = "*" if model.name == selected else " "
        out.print(f"{mark} {printable(model.name):<16}  {printable(_place(model))}", markup=False)


@command.command("fetch", epilog=examples("models fetch small", "models fetch acme/whisper-of-our-calls"))
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def fetch(name: str | None, *, as_json: bool) -> None:
    """Fetch the model NAME from the hub, unless it is here.

    NAME is one of `transcripts models list`, or a repository of the hub; without it, TRANSCRIBER_MODEL.
    """
    from bootstrap.operator import models  # noqa: PLC0415 - slow to import

    chosen = name or models.selected_model(configure())
    if chosen is None:
        raise click.UsageError("Name a model: TRANSCRIBER is an engine without models on this machine.")
    model = models.fetch(chosen)
    if as_json:
        print_json({"ok": True, **model._asdict()})
        return
    verb = "is on this machine already" if model.was_here else "fetched"
    console().print(
        f"{printable(model.name)} {verb}: {printable(str(model.folder))} (revision {model.revision})",
        markup=False,
    )


def _as_json(model: "ModelStatus") -> dict[str, object]:
    return {**model._asdict(), "folder": None if model.folder is None else str(model.folder)}


def _place(model: "ModelStatus") -> str:
    if model.problem is not None:
        return f"unusable: {model.problem}"
    if model.folder is None:
        return f"not here    hub: {model.repository}"
    return f"here        {model.folder} (revision {model.revision})"
