"""Count the verdicts of a completed check as the event does: each number once, however many rows it has."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from io import TextIOWrapper
from typing import Any

import boto3

s3 = boto3.client("s3")


def handler(event: dict[str, Any], _context: object) -> None:
    """Handle a "Number Check Completed" event, which may arrive more than once with the same job id."""
    detail = event["detail"]
    results = detail["results"]
    with closing(s3.get_object(Bucket=results["bucket"], Key=results["csv_key"])["Body"]) as body:
        rows = csv.reader(TextIOWrapper(body, encoding="utf-8", newline=""))
        verdicts = Counter(verdict for verdict in resolved(rows, detail["checker"]) if verdict)
    # Numbers are personal data. Do not log them.
    print(json.dumps({"job_id": detail["job_id"], "verdicts": verdicts}))


def resolved(rows: Iterator[list[str]], checker: str) -> Iterator[str]:
    """Yield the verdict of each resolved number once; rejected and unresolved rows have none."""
    index = first_result_column(next(rows), checker)
    seen: set[str] = set()
    for row in rows:
        number, status, verdict = row[index : index + 3]
        if status == "resolved" and number not in seen:
            seen.add(number)
            yield verdict


def first_result_column(header: list[str], checker: str) -> int:
    """Return the index of ``number``, which ``status`` and ``verdict`` follow.

    They come after the upload's own columns. If the upload already has such a name, ours has the checker
    in front: ``band_number``.
    """
    ours = re.compile(rf"(?:{re.escape(checker)}_)?(number|status|verdict)(?:_[0-9]+)?")
    names = [match[1] if (match := ours.fullmatch(column)) else "" for column in header]
    return max(
        index for index in range(len(names)) if names[index : index + 3] == ["number", "status", "verdict"]
    )
