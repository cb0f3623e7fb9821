"""Reads the results of a completed check, row by row, whatever their size."""

import csv
import json
from codecs import getreader
from collections import Counter
from contextlib import closing
from typing import Any

import boto3

s3 = boto3.client("s3")


def handler(event: dict[str, Any], _context: object) -> None:
    """Takes a "Number Check Completed" event. It may come twice: the job id tells."""
    detail = event["detail"]
    results = detail["results"]
    with closing(s3.get_object(Bucket=results["bucket"], Key=results["csv_key"])["Body"]) as body:
        rows = csv.DictReader(getreader("utf-8")(body))
        verdicts = Counter(row["verdict"] for row in rows)
    # Numbers are personal data: they do not belong into a log.
    print(json.dumps({"job_id": detail["job_id"], "verdicts": verdicts}))
