"""docs/ledger.md shows the transitions of the code."""

import re
from dataclasses import fields

from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import TRANSITIONS, Transition
from tests.support.template import PROJECT

PAGE = (PROJECT / "docs" / "ledger.md").read_text(encoding="utf-8")


def diagram() -> str:
    """Return the transitions as a Mermaid state diagram."""
    arrows = [
        f"    {source} --> {transition.target} : {transition.name}"
        for transition in TRANSITIONS
        for source in sorted(map(str, transition.sources)) or ["[*]"]
    ]
    return "\n".join(["stateDiagram-v2", *arrows])


def row(transition: Transition) -> str:
    """Return a transition as a row of the page's table."""
    sources = ", ".join(sorted(transition.sources)) or "(none)"
    return f"| {transition.name} | {sources} | {transition.target} | {transition.when} | {transition.guard} |"


def test_the_page_draws_exactly_the_transitions() -> None:
    drawn = PAGE.split("```mermaid\n")[1].split("\n```")[0]

    assert drawn == diagram()


def test_the_page_explains_exactly_the_transitions() -> None:
    table = PAGE.split("| transition |")[1].split("\n\n")[0]
    explained = table.splitlines()[2:]

    assert explained == [row(transition) for transition in TRANSITIONS]


def test_the_page_lists_exactly_the_attributes_of_a_job() -> None:
    table = PAGE.split("| attribute |")[1].split("\n\n")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [field.name for field in fields(Job)]
