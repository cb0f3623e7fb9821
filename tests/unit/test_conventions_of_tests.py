"""Tests have short names, and share code in tests/support only."""

import ast
from pathlib import Path

import pytest

from tests.support.template import PROJECT

TESTS = PROJECT / "tests"
MODULES = sorted(TESTS.rglob("test_*.py"))
SUPPORT = sorted((TESTS / "support").rglob("*.py"))
LONGEST_NAME = 60


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_names_are_short(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert [name for name in names if name.startswith("test_") and len(name) > LONGEST_NAME] == []


@pytest.mark.parametrize("module", [*MODULES, *SUPPORT], ids=lambda path: path.name)
def test_no_module_imports_a_test_module(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = [name for name in imported if name.split(".")[0] == "tests"]
    assert [name for name in ours if name.split(".")[1] != "support"] == []
