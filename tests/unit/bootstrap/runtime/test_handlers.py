import sys
from pathlib import Path

import pytest

from bootstrap.runtime.handlers import FileFormat, command_handler, directory_handler, function_handler
from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import ConfigurationError
from tests.support.samples.factories import an_event


@pytest.mark.parametrize("file_format", FileFormat)
def test_a_folder_takes_each_format(tmp_path: Path, file_format: FileFormat) -> None:
    directory_handler(tmp_path / "new", file_format).handle(ReceivedEvent(an_event()))

    (file,) = (tmp_path / "new").rglob("day=*/*")
    assert file.suffix == f".{file_format}"


def test_a_format_whose_library_is_missing_says_what_to_install_and_makes_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "adapters.handlers.parquet", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(
        ConfigurationError, match=r"--format parquet needs pyarrow, .*run `pip install '\.\[parquet\]'`"
    ):
        directory_handler(tmp_path / "new", FileFormat.PARQUET)

    assert not (tmp_path / "new").exists()


def test_commands_and_functions_are_checked_before_the_first_event() -> None:
    with pytest.raises(ConfigurationError, match="--exec"):
        command_handler("no-such-program", timeout_seconds=30)
    with pytest.raises(ConfigurationError, match="--handler"):
        function_handler("no_such_module:handle")
