"""How jobs look on a screen, in a pipe and as JSON. No phone number is ever shown."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from numberdrop.aws.executions import ExecutionStatus
from numberdrop.jobs.job import Job, StoredResults, to_item
from numberdrop.masking import without_numbers
from numberdrop_cli.jobs_table import Summary

SHORT_ID_DIGITS = 12
"""How many digits of a job id people see. The results' folder has the same ones in its name."""

COLUMNS = ("job", "state", "checker", "key", "since", "reason")

MEANING_OF_NONE = {"charged": "unknown", "execution.status": "never started"}
"""What it means that an attribute of a job is None, where that is more than "not set"."""


def short_id(job_id: str) -> str:
    """Return the first digits of a job id, as people see it."""
    return job_id[:SHORT_ID_DIGITS]


def safe_to_print(text: str) -> str:
    """The text without numbers, and on one line that no terminal takes for a command."""
    return _printable(without_numbers(text))


def print_summaries(summaries: Sequence[Summary], console: Console) -> None:
    """A line about each job."""
    print_rows(COLUMNS, [_values(summary) for summary in summaries], console)


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], console: Console) -> None:
    """A table, or a line with tabs for each row where the output is no terminal."""
    cells = [tuple(map(_cell, row)) for row in rows]
    if not console.is_terminal:
        _print_lines(cells, console)
        return
    table = Table(*columns)
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)


def print_job(document: Mapping[str, Any], console: Console) -> None:
    """Name and value of everything about a job, one a line."""
    rows = [
        (name, MEANING_OF_NONE.get(name, "-") if value is None else _cell(value))
        for name, value in _flat(document)
    ]
    if not console.is_terminal:
        _print_lines(rows, console)
        return
    grid = Table.grid(padding=(0, 2))
    for name, value in rows:
        grid.add_row(Text(name, style="bold"), Text(value))
    console.print(grid)


def print_json(document: Mapping[str, Any], console: Console) -> None:
    """The document as it is, whatever the output's width."""
    console.file.write(json.dumps(document, indent=2) + "\n")


def summary_document(summary: Summary) -> dict[str, Any]:
    """A summary as JSON can hold it, with the full id."""
    return asdict(replace(summary, key=without_numbers(summary.key)))


def job_document(job: Job, execution: ExecutionStatus | None) -> dict[str, Any]:
    """All of a job as JSON can hold it, with its execution; ``status`` is None if there is none."""
    shown = replace(
        job,
        upload=replace(job.upload, key=without_numbers(job.upload.key)),
        results=_without_numbers_in_keys(job.results) if job.results else None,
        reason=replace(job.reason, message=without_numbers(job.reason.message)) if job.reason else None,
        evidence=without_numbers(job.evidence) if job.evidence else None,
    )
    attributes = to_item({field.name: getattr(shown, field.name) for field in fields(shown)})
    return {
        **attributes,
        "announced": sorted(job.announced),
        "execution": {"name": job.execution_name, "status": execution},
    }


def _without_numbers_in_keys(results: StoredResults) -> StoredResults:
    keys = {name: key for name, key in asdict(results).items() if name != "bucket" and key}
    return replace(results, **{name: without_numbers(key) for name, key in keys.items()})


def _values(summary: Summary) -> tuple[str | None, ...]:
    return (
        short_id(summary.job_id),
        summary.state,
        summary.checker,
        without_numbers(summary.key),
        summary.since,
        summary.reason,
    )


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _cell(value: Any) -> str:
    """One line of text: keys may hold any character."""
    match value:
        case None | "" | [] | {}:
            return "-"
        case list():
            return ", ".join(map(_cell, value))
        case bool():
            return str(value).lower()
        case _:
            return _printable(str(value))


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _print_lines(rows: Sequence[Sequence[str]], console: Console) -> None:
    for row in rows:
        console.file.write("\t".join(row) + "\n")
