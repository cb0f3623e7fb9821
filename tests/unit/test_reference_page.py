"""docs/reference.md and docs/runbook.md state what the template and the code say."""

import ast
import re
from datetime import timedelta
from typing import Any

import pytest

from numberdrop.files.exports.verdicts import VERDICTS
from numberdrop.files.formats.archive import MIB, ArchiveLimits
from numberdrop.files.formats.sheet import MAX_CELLS
from numberdrop.files.formats.sheet import MAX_ROWS as MAX_SHEET_ROWS
from numberdrop.files.formats.workbook import MAX_SHEETS
from numberdrop.files.results.results import ADDED_COLUMNS, LINE_COLUMN, REJECTED_STATUS, RESOLVED, UNRESOLVED
from numberdrop.files.uploads.cleaning import MAX_LINES, REJECTED_COLUMNS
from numberdrop.files.uploads.rows import MAX_COLUMNS
from numberdrop.jobs.checkers import MAX_ROWS, checkers
from numberdrop.jobs.events import DETAIL_TYPES, SOURCE
from numberdrop.jobs.metric_names import BALANCE
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import TRANSITIONS, State
from numberdrop.jobs.upload import LARGEST_UPLOAD, LONGEST_RESULT_NAME, MAX_KEY_BYTES
from numberdrop.steps.upload_rules import LONGEST_READING
from numberdrop.vendor.download import LARGEST_EXPORT
from tests.support.template import PROJECT, resources, state_machine, template

PAGE = (PROJECT / "docs" / "reference.md").read_text("utf-8")
RUNBOOK = (PROJECT / "docs" / "runbook.md").read_text("utf-8")


def table(heading: str, page: str = PAGE) -> list[list[str]]:
    """Return the rows of the first table below a heading, without its header."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]
    lines = section[section.index("\n|") :].split("\n\n")[0].strip().splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def code(text: str) -> str:
    return f"`{text}`"


# Parameters and outputs


def default_of(parameter: dict[str, Any]) -> str:
    if "Default" not in parameter:
        return "none"
    return code(parameter["Default"]) if parameter["Default"] != "" else "empty"


def allowed_values(parameter: dict[str, Any]) -> str:
    match parameter:
        case {"AllowedValues": values}:
            return ", ".join(code(value) for value in values)
        case {"MinValue": least, "MaxValue": most}:
            return f"{least:,} to {most:,}"
        case {"ConstraintDescription": constraint}:
            return str(constraint).removeprefix("must be ").removeprefix("must ")
    return "any"


def test_the_parameters_are_those_of_the_template() -> None:
    described = [
        [code(name), default_of(parameter), allowed_values(parameter), parameter["Description"]]
        for name, parameter in template()["Parameters"].items()
    ]
    assert table("Parameters") == described


def test_every_constrained_parameter_says_how() -> None:
    for name, parameter in template()["Parameters"].items():
        is_constrained = {"AllowedPattern", "MinLength"} & parameter.keys()
        assert "ConstraintDescription" in parameter or not is_constrained, name


def test_the_outputs_are_those_of_the_template() -> None:
    described = [[code(name), output["Description"]] for name, output in template()["Outputs"].items()]
    assert table("Outputs") == described


# Results and events


def test_the_results_page_names_the_columns_of_the_code() -> None:
    section = PAGE.split("\n## Results\n")[1].split("\n## ")[0]
    for name in (LINE_COLUMN, *ADDED_COLUMNS, RESOLVED, UNRESOLVED, REJECTED_STATUS, *REJECTED_COLUMNS):
        assert code(name) in section
    assert code(LONGEST_RESULT_NAME) in section
    assert f"{MAX_KEY_BYTES:,} bytes" in section


def test_the_events_are_those_of_the_code() -> None:
    assert [name for name, _ in table("Events")] == list(dict.fromkeys(map(code, DETAIL_TYPES.values())))
    assert f"`{SOURCE}`" in PAGE.split("\n## Events\n")[1].split("\n## ")[0]


# Reason codes


def test_the_reason_codes_are_those_of_the_code() -> None:
    assert [name for name, _, _ in table("Reason codes")] == [code(reason) for reason in ReasonCode]


def test_codes_that_need_a_person_are_marked() -> None:
    marked = {name for name, _, charged in table("Reason codes") if "needs a person" in charged}
    assert marked == {
        code(reason)
        for reason in (
            ReasonCode.SUBMISSION_IN_DOUBT,
            ReasonCode.INSUFFICIENT_BALANCE,
            ReasonCode.BAD_API_KEY,
        )
    }


@pytest.mark.parametrize("reason", ReasonCode)
def test_the_runbook_says_what_to_do_about_a_reason(reason: ReasonCode) -> None:
    symptoms = [seen for seen, _ in table("What you see, and what to do", RUNBOOK)]
    assert sum(code(reason) in seen for seen in symptoms) == 1


def test_the_runbook_explains_every_state() -> None:
    targets = {transition.target for transition in TRANSITIONS}
    explained = [state for state, *_ in table("What the states mean", RUNBOOK)]
    assert targets == set(State)
    assert sorted(explained) == sorted(map(code, State))


# Limits


def minutes(period: timedelta) -> str:
    return f"{period // timedelta(minutes=1)} minutes"


def disk_mb(function: str) -> str:
    return f"{resources('AWS::Serverless::Function')[function]['EphemeralStorage']['Size']:,} MB"


LIMITS = {
    "numbers in a file": [f"{MAX_ROWS:,}"],
    "smallest file": [f"{max(checker.min_rows for checker in checkers().values()):,}"],
    "size of an upload": [f"{LARGEST_UPLOAD // 10**6} MB", disk_mb("SubmitFunction")],
    "lines of a file": [f"{MAX_LINES:,}"],
    "columns of a table": [f"{MAX_COLUMNS}"],
    "time to read a file": [
        minutes(LONGEST_READING),
        minutes(timedelta(seconds=resources("AWS::Serverless::Function")["CollectFunction"]["Timeout"])),
    ],
    "a workbook": [
        f"{ArchiveLimits().workbook // MIB} MiB",
        f"{MAX_CELLS:,} cells",
        f"{MAX_SHEET_ROWS:,} rows",
        f"{MAX_SHEETS} sheets",
    ],
    "an export": [f"{LARGEST_EXPORT // 1024**3} GiB", disk_mb("CollectFunction")],
    "a task": [
        "`JobTimeoutHours`",
        f"{template()['Parameters']['JobTimeoutHours']['MaxValue']} hours",
        f"{state_machine()['TimeoutSeconds'] // 86400} days",
    ],
}
"""What the page must say about each limit."""


def test_the_limits_are_those_of_the_code() -> None:
    rows = {limit: f"{value} {reason}" for limit, value, reason in table("Limits")}
    assert rows.keys() == LIMITS.keys()
    for limit, facts in LIMITS.items():
        for fact in facts:
            assert fact in rows[limit], limit


# Metrics


def test_the_page_lists_exactly_the_metrics() -> None:
    sources = ("layers/shared/numberdrop/metrics.py", "functions/audit/app.py")
    strings = [
        node.value
        for source in sources
        for node in ast.walk(ast.parse((PROJECT / source).read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    names = {text for text in strings if re.fullmatch(r"([A-Z][a-z]+)+", text) and text != "Verdict"}
    verdicts = {f"Verdict{verdict.capitalize()}" for verdict in VERDICTS}

    listed = [name for row in table("Metrics") for name in re.findall(r"`(\w+)`", row[0])]

    assert sorted(listed) == sorted({*names, *verdicts, BALANCE})
