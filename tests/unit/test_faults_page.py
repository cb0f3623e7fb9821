"""docs/faults.md names at least one existing test for each fault."""

import ast
import re

import pytest

from tests.support.template import PROJECT

SECTIONS = ["Receiving uploads", "Reading files", "Sending", "Waiting, collecting, announcing", "Remembering"]
HEADER = ["fault", "outcome"]
LONGEST_LINE = 160
PAGE = (PROJECT / "docs" / "faults.md").read_text(encoding="utf-8")


def sections() -> dict[str, str]:
    """Return the text of each section by its title."""
    parts = (section.partition("\n") for section in PAGE.split("\n## ")[1:])
    return {title: text for title, _, text in parts}


def table(section: str) -> list[list[str]]:
    """Return the rows of a section's table, its header and rule first."""
    lines = (line for line in sections()[section].splitlines() if line.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def shown_by(section: str) -> dict[str, list[str]]:
    """Return the tests in a section's list, by the number of their fault."""
    items = re.findall(r"^(\d+)\. (.+(?:\n +.+)*)", sections()[section], re.MULTILINE)
    assert len(items) == len(dict(items))
    return {number: named(text) for number, text in items}


def named(text: str) -> list[str]:
    return re.findall(r"`(test_\w+)`", text)


def existing_tests() -> set[str]:
    return {
        node.name
        for path in (PROJECT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


FAULTS = [(section, *row) for section in sections() for row in table(section)[2:]]


def test_each_section_has_its_table() -> None:
    assert list(sections()) == SECTIONS
    for section in SECTIONS:
        assert table(section)[0] == HEADER
        assert len(table(section)) > 2


@pytest.mark.parametrize(("section", "fault", "outcome"), FAULTS, ids=lambda text: text)
def test_every_fault_is_shown_by_a_test(section: str, fault: str, outcome: str) -> None:
    number, _, description = fault.partition(". ")
    assert description
    assert outcome
    assert shown_by(section)[number]


@pytest.mark.parametrize("section", SECTIONS)
def test_the_lists_number_the_faults_of_their_table(section: str) -> None:
    numbers = [fault.partition(".")[0] for fault, _ in table(section)[2:]]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert list(shown_by(section)) == numbers


def test_every_test_that_is_named_exists() -> None:
    assert named(PAGE)
    assert set(re.findall(r"\btest_\w+", PAGE)) == set(named(PAGE))
    assert set(named(PAGE)) - existing_tests() == set()


def test_no_fault_is_listed_twice() -> None:
    faults = [fault.partition(". ")[2] for _, fault, _ in FAULTS]
    assert len(faults) == len(set(faults))


def test_no_line_of_the_page_is_long() -> None:
    assert max(len(line) for line in PAGE.splitlines()) <= LONGEST_LINE
