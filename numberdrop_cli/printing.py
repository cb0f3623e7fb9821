"""Print jobs on a terminal, in a pipe and as JSON. Phone numbers are never printed."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from numberdrop.clock import utc_now
from numberdrop.jobs.job import Job, StoredResults, to_item
from numberdrop.masking import without_personal_data
from numberdrop_cli.layout import ago, table_lines

if TYPE_CHECKING:
    from rich.console import Console

    from numberdrop.aws.executions import ExecutionStatus
    from numberdrop_cli.jobs_table import Summary

SHORT_ID_DIGITS = 12
"""How many digits of a job id people see. The name of the results' folder has the same ones."""

COLUMNS = ("job", "state", "checker", "key", "since", "reason")

SHORTEST = {"key": 10, "reason": 8}
"""The columns that a narrow terminal may shorten, with their shortest widths. Ids and checkers stay whole."""

MEANING_OF_NONE = {"charged": "unknown", "execution.status": "never started"}
"""The meaning of None for attributes where it means more than "not set"."""

FORGOTTEN_EXECUTION = "no longer known: AWS keeps executions for 90 days"

HISTORY_KEPT = timedelta(days=90)
"""How long after its end an execution is known (AWS Step Functions developer guide, "Service quotas":
"Execution history retention time")."""


def short_id(job_id: str) -> str:
    """Return the first digits of a job id, as people see it.

    >>> short_id("330dddc07eb9" + "0" * 52)
    '330dddc07eb9'
    """
    return job_id[:SHORT_ID_DIGITS]


def safe_to_print(text: str) -> str:
    """Return the text without phone numbers, e-mail addresses and terminal control characters.

    >>> safe_to_print("band/+447700900123.txt")
    'band/[digits].txt'
    """
    return printable(without_personal_data(text))


def print_summaries(
    summaries: "Sequence[Summary]", console: "Console | None" = None, now: datetime | None = None
) -> None:
    """Print one line per job, on a terminal with relative times."""
    from rich.console import Console

    console = console or Console()
    rows = [_values(summary) for summary in summaries]
    if console.is_terminal:
        since = COLUMNS.index("since")
        moments = [datetime.fromisoformat(summary.since) for summary in summaries]
        rows = [
            (*row[:since], ago(moment, now or utc_now()), *row[since + 1 :])
            for row, moment in zip(rows, moments, strict=True)
        ]
    print_rows(COLUMNS, rows, console)


def print_rows(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], console: "Console | None" = None
) -> None:
    """Print a table on a terminal, else tab-separated lines."""
    from rich.console import Console

    console = console or Console()
    cells = [tuple(map(_cell, row)) for row in rows]
    if not console.is_terminal:
        _print_lines(cells, console)
        return
    shortest = {name: least for name, least in SHORTEST.items() if name in columns}
    for line in table_lines(columns, cells, console.width, shortest):
        console.file.write(f"{line}\n")


def print_job(document: Mapping[str, Any], console: "Console | None" = None) -> None:
    """Print everything about a job, one name and value per line."""
    from rich.console import Console
    from rich.text import Text

    console = console or Console()
    forgotten = {"execution.status": FORGOTTEN_EXECUTION} if document["execution"]["forgotten"] else {}
    meanings = MEANING_OF_NONE | forgotten
    rows = [
        (name, meanings.get(name, "-") if value is None else _cell(value)) for name, value in _flat(document)
    ]
    if not console.is_terminal:
        _print_lines(rows, console)
        return
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        # The terminal wraps long values itself, so that they can be copied whole.
        console.print(Text.assemble((f"{name:{width}}", "bold"), "  ", value), soft_wrap=True)


def print_lines(rows: Iterable[Sequence[str]]) -> None:
    """Print each row as a line with tabs between its cells, for programs."""
    for row in rows:
        click.echo("\t".join(row))


def print_json(document: Mapping[str, Any]) -> None:
    """Print the document without wrapping its lines."""
    click.echo(json.dumps(document, indent=2))


def summary_document(summary: "Summary") -> dict[str, Any]:
    """Return a summary for JSON, with the whole job id."""
    return asdict(replace(summary, key=without_personal_data(summary.key)))


def job_document(
    job: Job, execution: "ExecutionStatus | None", now: datetime | None = None
) -> dict[str, Any]:
    """Return everything about a job for JSON.

    Args:
        job: the job.
        execution: the status of its execution, or None if AWS knows none.
        now: the current time, to distinguish executions that never started from those that AWS has forgotten.
    """
    masked = replace(
        job,
        upload=replace(job.upload, key=without_personal_data(job.upload.key)),
        results=_masked_keys(job.results, job.job_id) if job.results else None,
        reason=replace(job.reason, message=without_personal_data(job.reason.message)) if job.reason else None,
        evidence=without_personal_data(job.evidence) if job.evidence else None,
    )
    attributes = to_item({field.name: getattr(masked, field.name) for field in fields(masked)})
    del attributes["fence_tokens"]  # names of past attempts, which help nobody
    return {
        **attributes,
        "announced": sorted(job.announced),
        "execution": {
            "name": job.execution_name,
            "status": execution,
            "forgotten": execution is None and _is_forgotten(job, now or utc_now()),
        },
    }


def _is_forgotten(job: Job, now: datetime) -> bool:
    """Return whether the job had an execution so long ago that AWS no longer knows it."""
    last_known = job.finished_at or job.submitted_at
    return job.task_id is not None and last_known is not None and now - last_known >= HISTORY_KEPT


def _masked_keys(results: StoredResults, job_id: str) -> StoredResults:
    keys = {name: key for name, key in asdict(results).items() if name != "bucket" and key}
    return replace(results, **{name: masked_key(key, job_id) for name, key in keys.items()})


def masked_key(key: str, job_id: str) -> str:
    """Return a key of the results without personal data. The job id in it stays, whatever its digits."""
    for folder in (f"/{job_id}/", f"/{short_id(job_id)}/"):
        before, found, after = key.rpartition(folder)
        if found:
            return without_personal_data(before) + folder + without_personal_data(after)
    return without_personal_data(key)


def _values(summary: "Summary") -> tuple[str | None, ...]:
    return (
        short_id(summary.job_id),
        summary.state,
        summary.checker,
        without_personal_data(summary.key),
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
    """Return a value as one line of printable text. Keys may contain any character."""
    match value:
        case None | "" | [] | {}:
            return "-"
        case list():
            return ", ".join(map(_cell, value))
        case bool():
            return str(value).lower()
        case _:
            return printable(str(value))


def printable(text: str) -> str:
    """Return the text without terminal control characters."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _print_lines(rows: Sequence[Sequence[str]], console: "Console") -> None:
    for row in rows:
        console.file.write("\t".join(row) + "\n")
