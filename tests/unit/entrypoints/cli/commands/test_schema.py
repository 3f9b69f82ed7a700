"""`transcripts schema`: what it prints and writes; `schema check`: what it says, and its exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.model.contract.documents import DOCUMENTS, contract_files
from domain.model.route.route import DEFAULT_ROUTES
from entrypoints.cli.main import main
from tests.support.samples.contract_history import ROOT

EVENTS = ROOT / "docs" / "events"
OLD = {"$id": "urn:acme:event:1.0", "properties": {"kind": {"enum": ["a"]}}}


class Command:
    """The command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self.capsys = capsys
        self.folder = folder

    def run(self, *arguments: object) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        with pytest.raises(SystemExit) as ended:
            main(["schema", *map(str, arguments)])
        captured = self.capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    def check(self, old: object, new: object, *options: str) -> tuple[int, str, str]:
        """Compare two files, schemas or not."""
        return self.run("check", self.file("old.json", old), self.file("new.json", new), *options)

    def file(self, name: str, content: object) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return Command(capsys, tmp_path)


def new(version: str, **properties: object) -> dict[str, Any]:
    return {"$id": f"urn:acme:event:{version}", "properties": {"kind": {"enum": ["a"]}, **properties}}


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_printed_as_it_is_committed(
    command: Command, name: str, options: tuple[str, ...]
) -> None:
    code, out, _ = command.run(name, *options)

    assert code == 0
    assert out == (EVENTS / DOCUMENTS[name].file).read_text(encoding="utf-8")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_without_a_name_all_of_them_are_one_object(command: Command, options: tuple[str, ...]) -> None:
    code, out, _ = command.run(*options)

    assert code == 0
    assert json.loads(out).keys() == DOCUMENTS.keys()


def test_all_files_are_written_as_they_are_committed(command: Command) -> None:
    code, out, _ = command.run("--output", "new/folder")

    names = contract_files(DEFAULT_ROUTES)
    assert code == 0
    assert out.splitlines() == [f"new/folder/{name}" for name in names]
    for name in names:
        assert (command.folder / "new" / "folder" / name).read_bytes() == (EVENTS / name).read_bytes()


def test_json_lists_the_files(command: Command) -> None:
    code, out, _ = command.run("--json", "--output", ".")

    assert code == 0
    assert json.loads(out)["files"] == list(contract_files(DEFAULT_ROUTES))


def test_the_names_of_the_environment_show(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_SOURCE", "com.acme")
    monkeypatch.setenv("QUEUE_NAME", "acme-queue")

    assert json.loads(command.run("asyncapi")[1])["channels"]["transcripts"]["address"] == "acme-queue"
    event = json.loads(command.run("openapi")[1])["components"]["schemas"]["AWSEvent"]
    assert event["x-amazon-events-source"] == "com.acme"


def test_a_folder_that_cannot_be_written_is_a_failure_that_names_it(command: Command) -> None:
    command.file("in-the-way", b"")

    code, _, err = command.run("--output", "in-the-way/folder")

    assert code == 1
    assert "in-the-way" in err


@pytest.mark.parametrize(
    "arguments", [("3.0",), ("--output", "x", "1.0"), ("--output", "x", "check", "a", "b")]
)
def test_what_makes_no_sense_is_a_usage_error(command: Command, arguments: tuple[str, ...]) -> None:
    code, _, err = command.run(*arguments)

    assert code == 2
    assert err
    assert not (command.folder / "x").exists()


# check


def test_a_schema_and_itself_need_no_new_version(command: Command) -> None:
    code, out, _ = command.check(OLD, OLD)

    assert (code, out) == (0, "Nothing changed. 1.0 to 1.0 covers it.\n")


def test_each_change_has_its_line_and_the_last_line_the_verdict(command: Command) -> None:
    code, out, _ = command.check(OLD, new("1.1", kind={"enum": ["a", "b"]}, more={}))

    assert code == 1
    assert out.splitlines() == [
        'MAJOR  /properties/kind/enum  now "b": not known to be compatible',
        "MINOR  /properties/more  the key is new: readers that ignore unknown keys keep working",
        "This is a major change. 1.0 to 1.1 does not cover it: it needs 2.0 at least.",
    ]


@pytest.mark.parametrize(
    ("version", "code", "verdict"),
    [
        ("1.0", 1, "1.0 to 1.0 does not cover it: it needs 1.1 at least."),
        ("1.1", 0, "1.0 to 1.1 covers it."),
        ("0.9", 1, "1.0 to 0.9 does not cover it: it needs 1.1 at least."),
        ("2.0", 0, "1.0 to 2.0 covers it."),
    ],
)
def test_the_exit_code_says_whether_the_versions_cover_it(
    command: Command, version: str, code: int, verdict: str
) -> None:
    told = command.check(OLD, new(version, more={}))

    assert told[:2] == (code, told[1])
    assert told[1].endswith(f"This is a minor change. {verdict}\n")


def test_named_versions_count_more_than_those_of_the_schemas(command: Command) -> None:
    code, out, _ = command.check(OLD, new("1.1", more={}), "--version", "3.4", "3.4")

    assert code == 1
    assert "3.4 to 3.4 does not cover it: it needs 3.5 at least." in out


def test_schemas_without_versions_are_compared_and_that_is_all(command: Command) -> None:
    code, out, _ = command.check({}, {"properties": {"more": {}}})

    assert code == 0
    assert out.endswith(
        "This is a minor change. The schemas name no versions to hold it to: see --version.\n"
    )


def test_machines_are_told_the_same(command: Command) -> None:
    code, out, _ = command.check(OLD, new("1.0", more={}), "--json")

    assert code == 1
    assert json.loads(out) == {
        "bump": "minor",
        "old_version": "1.0",
        "new_version": "1.0",
        "covered": False,
        "changes": [
            {
                "path": "/properties/more",
                "bump": "minor",
                "reason": "the key is new: readers that ignore unknown keys keep working",
            }
        ],
    }
    assert json.loads(command.check({}, {}, "--json")[1]) == {
        "bump": "none",
        "old_version": None,
        "new_version": None,
        "covered": None,
        "changes": [],
    }


def test_the_two_versions_that_are_published_differ_by_a_major_one(command: Command) -> None:
    one, two = (EVENTS / f"batch-processing-completed-{version}.schema.json" for version in ("1.0", "2.0"))

    assert command.run("check", one, two)[:2][0] == 0
    assert "1.0 to 2.0 covers it" in command.run("check", one, two)[1]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"{", "cannot be read as JSON"),
        (b"\xff\xfe", "cannot be read as JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "no JSON Schema"),
        ({"openapi": "3.0.0"}, "no JSON Schema but openapi"),
        (b'{"not":' * 950 + b"{}" + b"}" * 950, "nested too deeply"),
        (
            {"properties": {"a": {"type": "strin"}}},
            "no JSON Schema (2020-12): $.properties.a.type: 'strin' is not",
        ),
        ({"required": "a"}, "$.required: 'a' is not of type 'array'"),
        ({"$defs": {"x": {"minLength": -1}}}, "$['$defs'].x.minLength: -1 is less than the minimum of 0"),
        (
            {"properties": {"a": {"items": [{}]}}},
            "$.properties.a.items: [{}] is not of type 'object', 'boolean'",
        ),
        ({"required": "a" * 100_000}, "$.required: 'aaaa"),
    ],
)
def test_a_file_that_is_no_schema_is_a_usage_error_that_names_it(
    command: Command, content: object, complaint: str
) -> None:
    code, out, err = command.check(OLD, content)

    assert (code, out) == (2, "")
    assert complaint in err
    assert "new.json" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("old.json", "not-there.json"),
        ("old.json", "."),
        ("old.json",),
        ("old.json", "old.json", "--version", "1", "2.0"),
    ],
)
def test_files_that_are_not_there_and_wrong_versions_are_usage_errors(
    command: Command, arguments: tuple[str, ...]
) -> None:
    command.file("old.json", OLD)

    code, out, err = command.run("check", *arguments)

    assert (code, out) == (2, "")
    assert err


def test_a_byte_order_mark_is_no_obstacle(command: Command) -> None:
    assert command.check(OLD, b"\xef\xbb\xbf" + json.dumps(OLD).encode())[0] == 0


def test_what_stands_in_the_files_cannot_steer_a_terminal(command: Command) -> None:
    code, out, _ = command.check({}, {"properties": {"\x1b[2J\u202e": {}}, "enum": ["\x1b[31m"]})

    assert code == 0
    assert "\x1b" not in out
    assert "\u202e" not in out
