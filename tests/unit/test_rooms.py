"""Each room of the package imports only the rooms below it."""

import ast
from pathlib import Path

import pytest

from tests.support.template import PROJECT

PACKAGE = PROJECT / "layers" / "shared" / "numberdrop"
BASE = {"clock", "masking", "scratch", "settings"}

MAY_IMPORT = {
    "jobs": BASE,
    "metrics": BASE | {"jobs"},
    "files": BASE | {"jobs"},
    "vendor": BASE | {"jobs"},
    "memory": BASE | {"files"},
    "aws": BASE | {"jobs", "metrics", "memory"},
    "steps": BASE | {"jobs", "metrics", "files", "vendor", "memory", "aws"},
} | {name: set[str]() for name in BASE}


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize(
    "module", sorted((PROJECT / "numberdrop_cli").rglob("*.py")), ids=lambda path: path.name
)
def test_the_command_emits_no_events_and_no_metrics(module: Path) -> None:
    """Metrics are log lines of functions. On a terminal they would be lost."""
    tree = ast.parse(module.read_text("utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names.isdisjoint({"numberdrop.aws.bus", "numberdrop.metrics"})


@pytest.mark.parametrize("module", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_a_module_imports_only_from_rooms_below(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    rooms = {name.split(".")[1] for name in names if name.startswith("numberdrop.")}
    assert rooms <= MAY_IMPORT.get(room_of(module), set()) | {room_of(module)}
