"""`transcripts schema`: prints the contract of the events, for their consumers."""

from pathlib import Path

import click

from domain.model.contract.documents import DOCUMENTS, Document, contract_files
from domain.model.errors import TranscriptionServiceError
from entrypoints.cli.commands.schema_check import check
from entrypoints.cli.runtime.configuration import configure
from entrypoints.cli.runtime.parameters import PathTo, examples
from entrypoints.cli.views.output import print_json


@click.group(
    "schema", invoke_without_command=True, epilog=examples("schema 1.0", "schema --output docs/events")
)
@click.option(
    "--output",
    type=PathTo(file_okay=False, path_type=Path),
    help="Write all documents and their examples into this folder, as in docs/events. [default: print them]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@click.pass_context
def command(context: click.Context, output: Path | None, *, as_json: bool) -> None:
    """Print the contract of the events: all documents in one JSON object, or the named one.

    The documents contain EVENT_SOURCE and the names of the queues.
    """
    if context.invoked_subcommand:
        if output:
            raise click.UsageError("--output writes all documents; do not name one.")
    elif output:
        _print_paths(_write(output, contract_files(configure().routes)), as_json=as_json)
    else:
        routes = configure().routes
        print_json({name: document.write(routes) for name, document in DOCUMENTS.items()})


def _printing(name: str, document: Document) -> click.Command:
    @click.command(name, help=document.summary)
    @click.option(
        "--json", is_flag=True, expose_value=False, help="Accepted for symmetry; the output is always JSON."
    )
    def show() -> None:
        print_json(document.write(configure().routes))

    return show


def _write(folder: Path, files: dict[str, str]) -> list[Path]:
    paths = {folder / name: text for name, text in files.items()}
    try:
        for path, text in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise TranscriptionServiceError(f"The documents could not be written: {error}") from error
    return list(paths)


def _print_paths(paths: list[Path], *, as_json: bool) -> None:
    if as_json:
        print_json({"files": paths})
        return
    for path in paths:
        click.echo(path)


for _name, _document in DOCUMENTS.items():
    command.add_command(_printing(_name, _document))
command.add_command(check)
