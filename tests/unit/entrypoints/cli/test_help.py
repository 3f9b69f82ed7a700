"""`--help` tells a newcomer what a command does."""

import click
import pytest

from entrypoints.cli.main import cli
from tests.support.harness.command_line import every_command

EVERY = dict(every_command())
OPTIONS = [
    pytest.param(option, id=f"{name} {option.opts[0]}")
    for name, command in EVERY.items()
    for option in command.params
    if isinstance(option, click.Option)
]


def record(option: click.Option) -> tuple[str, str]:
    """How help writes it, and what it says of it."""
    shown = option.get_help_record(click.Context(click.Command("x")))
    assert shown
    return shown


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_explained_in_sentences(option: click.Option) -> None:
    assert option.help
    assert option.help[0].isupper()
    assert option.help.endswith((".", "]"))


@pytest.mark.parametrize("option", OPTIONS)
def test_numbers_have_a_unit_and_not_a_type(option: click.Option) -> None:
    assert "RANGE" not in record(option)[0]
    assert "TEXT" not in record(option)[0]


@pytest.mark.parametrize("group", ["jobs", "keys", "models", "outbox", "dlq", "replay", "schema"])
def test_no_summary_in_a_list_of_commands_is_cut_off(group: str) -> None:
    command = cli.get_command(click.Context(cli), group)
    assert isinstance(command, click.Group)
    context = click.Context(command)

    for name in command.list_commands(context):
        each = command.get_command(context, name)
        assert each
        assert not each.get_short_help_str(limit=62).endswith("..."), name


def test_examples_keep_their_lines() -> None:
    told = EVERY["replay"].get_help(click.Context(EVERY["replay"]))

    assert "\n  Examples:\n    transcripts replay --from " in told
    assert "\n    transcripts replay show NAME --wait" in told


@pytest.mark.parametrize("name", [name for name, command in EVERY.items() if command.epilog])
def test_every_example_calls_the_command_that_it_stands_by(name: str) -> None:
    lines = (EVERY[name].epilog or "").splitlines()[2:]

    assert lines
    assert all(line.startswith(f"  transcripts {name}") for line in lines)
