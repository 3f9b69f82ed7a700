"""Every deliberate break of `make mutants` fits the code, and the tests it names exist."""

import ast
from pathlib import Path

import pytest

from chaos.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[3]
TESTS = sorted({test for mutant in MUTANTS for test in mutant.tests})


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_fits_its_file_and_compiles(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text(encoding="utf-8")

    assert source.count(mutant.old) == 1
    mutated = source.replace(mutant.old, mutant.new)
    assert ast.dump(ast.parse(mutated)) != ast.dump(ast.parse(source))


def test_names_are_unique() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("test", TESTS)
def test_a_test_that_a_mutant_names_exists(test: str) -> None:
    file, *names = test.split("::")
    path = ROOT / file

    assert path.is_file()
    assert names == [] or defines(path, names)


def defines(path: Path, names: list[str]) -> bool:
    """Tell if the module has these nested classes and functions; a class may inherit its test."""
    node: ast.Module | ast.ClassDef | ast.FunctionDef = parsed(path)
    for name in names:
        if (found := member(node, name)) is None:
            return isinstance(node, ast.ClassDef) and is_inherited(path, node, name)
        node = found
    return True


def member(node: ast.AST, name: str) -> ast.ClassDef | ast.FunctionDef | None:
    body = getattr(node, "body", [])
    definitions = (each for each in body if isinstance(each, ast.ClassDef | ast.FunctionDef))
    return next((each for each in definitions if each.name == name), None)


def is_inherited(path: Path, class_: ast.ClassDef, name: str) -> bool:
    """Look for the test in the base classes that the module imports."""
    bases = {base.id for base in class_.bases if isinstance(base, ast.Name)}
    imports = [node for node in parsed(path).body if isinstance(node, ast.ImportFrom)]
    for node in imports:
        for base in bases & {alias.name for alias in node.names}:
            file = ROOT / f"{str(node.module).replace('.', '/')}.py"
            found = member(parsed(file), base)
            if found and member(found, name):
                return True
    return False


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
