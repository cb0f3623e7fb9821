"""Counts the verdicts of a completed check as the event does: each number once, however many rows it has."""

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
    """Takes a "Number Check Completed" event. It may come twice: the job id tells."""
    detail = event["detail"]
    results = detail["results"]
    with closing(s3.get_object(Bucket=results["bucket"], Key=results["csv_key"])["Body"]) as body:
        rows = csv.reader(TextIOWrapper(body, encoding="utf-8", newline=""))
        verdicts = Counter(verdict for verdict in resolved(rows, detail["checker"]) if verdict)
    # Numbers are personal data: they do not belong into a log.
    print(json.dumps({"job_id": detail["job_id"], "verdicts": verdicts}))


def resolved(rows: Iterator[list[str]], checker: str) -> Iterator[str]:
    """The verdict of each number that the vendor answered, once; rejected and unresolved rows have none."""
    at = place_of_answers(next(rows), checker)
    seen: set[str] = set()
    for row in rows:
        number, status, verdict = row[at : at + 3]
        if status == "resolved" and number not in seen:
            seen.add(number)
            yield verdict


def place_of_answers(header: list[str], checker: str) -> int:
    """Where ``number``, ``status`` and ``verdict`` begin: behind the upload's own columns.

    Of a table that has such a name already, ours is called after the checker as well: ``band_number``.
    """
    ours = re.compile(rf"(?:{re.escape(checker)}_)?(number|status|verdict)(?:_[0-9]+)?")
    names = [found[1] if (found := ours.fullmatch(column)) else "" for column in header]
    places = (at for at in range(len(names)) if names[at : at + 3] == ["number", "status", "verdict"])
    return max(places)
