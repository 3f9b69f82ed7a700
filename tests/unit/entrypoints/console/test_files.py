"""Files of the console: complete, small, from this package alone, and Lit as it was published."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from entrypoints.console.pages import STATIC

FIRST_VIEW_BYTES = 60 * 1024
"""Compressed size of the page with all that it loads before a view is chosen (issue: under 60 KB)."""
MAX_LINES = 300
LIT = {
    "LICENSE": "45d31799d0db956cc3eb5469346abbd9b7025babc5ff29fab10d7095da992ef1",
    "css-tag.js": "f42202e41ca46e582f96ec62c8c9a28f98789fca73f1ac99a2b9ed3eb1a446f5",
    "directive-helpers.js": "784b94f8f7995de124d2f63bc70f8ed8c8ba6731c7e5deeb96176462cc7f4e7b",
    "directive.js": "28d10666ee53ea4177bd2d5a53e85f0c4b8a09641289f6899206feec12d758df",
    "directives/repeat.js": "34e618f670a0b84d5a012dac581aa9ff48b7f0fc13114abce252e23f75560fc6",
    "lit-element.js": "da58c5b2901ad24dbdca9c726d7c6711fb06a2465c5ff42d2d5ba0929d75cb98",
    "lit-html.js": "22115ca1002e4afc0dd2cb208f28d9c71a577a8989d4185028e26b29676e7842",
    "reactive-element.js": "c628c31ddd30f81c99639781987223cb57a7c71ecf8e4ebb49fff71243e2904d",
}
"""SHA-256 of the files of Lit, with the two changes that vendor/README.md names."""

_WAYS_TO_MARKUP = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "unsafeHTML", "style=")
_IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*)["']([^"']+)["']""")
_REFERENCE = re.compile(r"""(?:src|href)="([^"#]+)\"""")
_OURS = [path for path in sorted(STATIC.rglob("*.js")) if "vendor" not in path.parts]


def imported(module: Path) -> Iterator[Path]:
    """Yield the modules that a browser loads with one; an import inside a function is loaded later."""
    for name in _IMPORT.findall(module.read_text()):
        yield (module.parent / name).resolve()


def loaded_with(module: Path) -> set[Path]:
    """Return a module with all that it imports, and that these import."""
    found, waiting = set[Path](), [module]
    while waiting:
        if (each := waiting.pop()) not in found:
            found.add(each)
            waiting.extend(imported(each))
    return found


def first_view() -> set[Path]:
    page = STATIC / "index.html"
    named = {STATIC / name for name in _REFERENCE.findall(page.read_text())}
    modules = (loaded_with(path) if path.suffix == ".js" else {path} for path in named)
    return {page}.union(*modules)


def test_lit_is_what_was_published() -> None:
    vendor = STATIC / "vendor"
    found = {
        str(path.relative_to(vendor)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file() and path.name != "README.md"
    }

    assert found == LIT


@pytest.mark.parametrize("module", sorted(STATIC.rglob("*.js")), ids=lambda path: path.name)
def test_a_module_imports_files_of_the_package_alone(module: Path) -> None:
    for path in imported(module):
        assert path.is_relative_to(STATIC), f"{module.name} imports {path}"
        assert path.is_file(), f"{module.name} imports {path.name}, which does not exist"


def test_the_page_names_files_of_the_package_alone() -> None:
    assert all(path.is_file() and path.is_relative_to(STATIC) for path in first_view())


def test_the_first_view_is_small() -> None:
    assert sum(len(gzip.compress(path.read_bytes())) for path in first_view()) < FIRST_VIEW_BYTES


@pytest.mark.parametrize("module", _OURS, ids=lambda path: path.name)
def test_a_module_is_short_and_its_types_are_checked(module: Path) -> None:
    lines = module.read_text().splitlines()

    assert len(lines) <= MAX_LINES
    assert lines[0] == "// @ts-check"
    assert lines[1].startswith("/**")


@pytest.mark.parametrize("module", _OURS, ids=lambda path: path.name)
def test_no_text_becomes_markup(module: Path) -> None:
    code = module.read_text()

    assert [way for way in _WAYS_TO_MARKUP if way in code] == []
