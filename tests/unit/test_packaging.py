"""pyproject.toml declares exactly what the installed packages need."""

import ast
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from setuptools import find_packages

from tests.support.template import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
INSTALLED = PYPROJECT["tool"]["setuptools"]
ROOTS = [PROJECT / root for root in INSTALLED["packages"]["find"]["where"]]
"""The folders in which setuptools looks for packages."""

FOLDERS = {
    package: root / package
    for root in ROOTS
    for package in find_packages(root, include=INSTALLED["packages"]["find"]["include"])
    if "." not in package
}
"""The folder of each installed top-level package, by name."""


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the top-level names that code imports at run time, without imports for mypy only."""
    match node:
        case ast.Import(names):
            yield from (name.name.partition(".")[0] for name in names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module.partition(".")[0]
        case ast.If(test=ast.Name("TYPE_CHECKING")):
            pass
        case _:
            for inner in ast.iter_child_nodes(node):
                yield from imported(inner)


def modules() -> Iterator[Path]:
    for folder in FOLDERS.values():
        yield from folder.rglob("*.py")


def needed() -> set[str]:
    """Return what is imported from neither the standard library nor this project."""
    found = {name for path in modules() for name in imported(ast.parse(path.read_text(encoding="utf-8")))}
    return found - sys.stdlib_module_names - set(FOLDERS)


def declared() -> set[str]:
    """Return the declared distributions without their version bounds."""
    return {re.split(r"[<>=!~ ]", each, maxsplit=1)[0] for each in PYPROJECT["project"]["dependencies"]}


def test_exactly_the_imported_distributions_are_declared() -> None:
    distributions = packages_distributions()
    wanted = {distributions.get(name, [name])[0].replace("_", "-") for name in needed()}

    assert declared() == wanted


def oldest(name: str) -> str:
    """Return the version of a distribution with which `make oldest` runs tests."""
    pinned = (PROJECT / "requirements" / "oldest.txt").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^{name}==(\S+)", pinned, re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("name", ["boto3", "botocore"])
def test_the_declared_minimum_is_tested(name: str) -> None:
    (declared_minimum,) = (
        each.removeprefix(f"{name}>=")
        for each in PYPROJECT["project"]["dependencies"]
        if each.startswith(f"{name}>=")
    )

    assert oldest(name) == f"{declared_minimum}.0"
    if "NUMBERDROP_OLDEST" in os.environ:
        assert version(name) == oldest(name)


def test_every_package_and_data_file_is_installed() -> None:
    found = {
        package
        for root in ROOTS
        for package in find_packages(root, include=INSTALLED["packages"]["find"]["include"])
    }
    packages = {
        ".".join([name, *path.parent.relative_to(folder).parts])
        for name, folder in FOLDERS.items()
        for path in folder.rglob("*.py")
    }
    data = {
        path
        for folder in FOLDERS.values()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    }
    named = {
        FOLDERS[package.partition(".")[0]].joinpath(*package.split(".")[1:], name)
        for package, names in INSTALLED["package-data"].items()
        for name in names
    }

    assert set(FOLDERS) == {"numberdrop", "numberdrop_cli"}
    assert found == packages
    assert named == data
