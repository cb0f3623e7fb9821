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
    "aws": BASE | {"jobs", "metrics"},
    "steps": BASE | {"jobs", "metrics", "files", "vendor", "aws"},
} | {name: set[str]() for name in BASE}


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("module", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_a_module_imports_only_from_rooms_below(module: Path) -> None:
    imports = [
        node for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)
    ]
    rooms = {node.module.split(".")[1] for node in imports if (node.module or "").startswith("numberdrop.")}
    assert rooms <= MAY_IMPORT.get(room_of(module), set()) | {room_of(module)}
