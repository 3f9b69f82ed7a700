"""Missing extras: the error names the modules, and how to install them."""

import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bootstrap.extras import EXTRAS, require
from bootstrap.factories.transcriber import transcriber_for
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError

ROOT = Path(__file__).parents[3]


def test_the_modules_are_those_of_the_extras_packages() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = {
        name: {Requirement(text).name for text in texts} - {"batch-transcription"}
        for name, texts in declared["optional-dependencies"].items()
    }
    owners = packages_distributions()

    owned = {
        extra: {canonicalize_name(owner) for module in modules for owner in owners[module.partition(".")[0]]}
        for extra, modules in EXTRAS.items()
    }
    assert EXTRAS.keys() == packages.keys()
    assert {extra: owned[extra] & names for extra, names in packages.items()} == packages


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_is_installed_is_not_imported_to_find_out(extra: str) -> None:
    before = set(sys.modules)

    require(extra, "This")

    assert not {name for name in set(sys.modules) - before if name.partition(".")[0] in EXTRAS[extra]}


def test_missing_packages_are_named_with_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in EXTRAS["server"]:
        monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(ConfigurationError) as refusal:
        require("server", "transcripts serve")

    assert str(refusal.value) == (
        "transcripts serve needs fastapi, fastapi_offline, h11, starlette, uvicorn, not installed here: "
        "run `pip install '.[server,speech]'` in the folder of the repository."
    )


def test_an_engine_that_is_not_installed_is_named_with_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)

    with pytest.raises(ConfigurationError, match="TRANSCRIBER=faster-whisper needs faster_whisper"):
        transcriber_for(Settings.from_env({}))
