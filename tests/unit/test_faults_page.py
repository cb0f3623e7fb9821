"""docs/faults.md names tests that exist, and at least one for each fault."""

import ast
import re

import pytest

from tests.support.template import PROJECT

SECTIONS = ["Coming in", "In the file", "Sending", "Waiting, collecting, telling"]
HEADER = ["fault", "what happens", "shown by"]
PAGE = (PROJECT / "docs" / "faults.md").read_text(encoding="utf-8")


def tables() -> dict[str, list[list[str]]]:
    """The rows of each section's table, header and rule first, by the section's title."""
    found: dict[str, list[list[str]]] = {}
    for section in PAGE.split("\n## ")[1:]:
        title, *lines = section.splitlines()
        found[title] = [
            [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")
        ]
    return found


FAULTS = [row for table in tables().values() for row in table[2:]]


def existing_tests() -> set[str]:
    return {
        node.name
        for path in (PROJECT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def named(text: str) -> list[str]:
    return re.findall(r"`(test_\w+)`", text)


def test_each_section_has_its_table() -> None:
    assert list(tables()) == SECTIONS
    for table in tables().values():
        assert table[0] == HEADER
        assert len(table) > 2


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row[0])
def test_every_fault_is_shown_by_a_test(row: list[str]) -> None:
    fault, what_happens, shown_by = row
    assert fault
    assert what_happens
    assert named(shown_by)


def test_every_test_that_is_named_exists() -> None:
    assert set(named(PAGE)) - existing_tests() == set()


def test_no_fault_is_told_twice() -> None:
    faults = [fault for fault, *_ in FAULTS]
    assert len(faults) == len(set(faults))
