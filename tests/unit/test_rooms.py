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


def imported_by(node: ast.AST) -> list[str]:
    """Return the names of the modules that a statement imports."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(module=str(name)):
            return [name]
        case _:
            return []


@pytest.mark.parametrize(
    "module", sorted((PROJECT / "numberdrop_cli").rglob("*.py")), ids=lambda path: path.name
)
def test_the_command_emits_no_events_and_no_metrics(module: Path) -> None:
    """Metrics are log lines of functions. On a terminal they would be lost."""
    tree = ast.parse(module.read_text("utf-8"))
    names = {name for node in ast.walk(tree) for name in imported_by(node)}
    assert names.isdisjoint({"numberdrop.aws.bus", "numberdrop.metrics"})


@pytest.mark.parametrize("room", sorted(MAY_IMPORT.keys() - {"aws"}))
def test_only_the_adapters_know_aws(room: str) -> None:
    """They translate the errors of AWS into errors of ours."""
    modules = [module for module in PACKAGE.rglob("*.py") if room_of(module) == room]
    names = {
        name.split(".")[0]
        for module in modules
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        for name in imported_by(node)
    }
    assert modules
    assert names.isdisjoint({"boto3", "botocore"})


@pytest.mark.parametrize("module", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_a_module_imports_only_from_rooms_below(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    names = [name for node in ast.walk(tree) for name in imported_by(node)]
    rooms = {name.split(".")[1] for name in names if name.startswith("numberdrop.")}
    assert rooms <= MAY_IMPORT.get(room_of(module), set()) | {room_of(module)}
