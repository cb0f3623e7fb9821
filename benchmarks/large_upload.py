"""One very large upload through the local cloud: ``make large ROWS=10000000``.

It writes a sample file, uploads it, waits for the event, shows time and memory of each function, and checks
that results.csv has exactly one row for each line. Ten million lines take minutes, so ``make bench`` does not
run it.
"""

import argparse
import csv
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.sample_numbers import Sample, write_numbers
from local.cloud import CloudOptions, LocalCloud, local_cloud
from local.event_tap import EventTap, event_tap
from local.observation import Memory, functions_table, wait_for_executions
from local.processes import LocalCloudError, ended_by_signals, ignore_settings

MAX_SECONDS = 3600
MB = 1_000_000


class RunFailedError(Exception):
    """The run failed; the message says what differs from what was expected."""


@dataclass(frozen=True, slots=True)
class Run:
    """Times and resources of one upload.

    Attributes:
        began: when the upload started.
        in_bucket: when the file was in the bucket.
        announced: when the event arrived.
        disk: largest growth of used disk space in bytes, from all processes.
        memory: memory of the functions.
        detail: detail of the event.
    """

    began: datetime
    in_bucket: datetime
    announced: datetime
    disk: int
    memory: Memory
    detail: Mapping[str, Any]


def run_from_command_line(arguments: Sequence[str] | None = None) -> int:
    """Run the upload and return the exit status."""
    ignore_settings()
    options = _options(arguments)
    console = Console(highlight=False)
    console.print(f"Writing {options.rows:,} lines and starting a local cloud ...")
    vendor = ("--duration", str(options.duration), "--balance", "1000000")
    try:
        with ended_by_signals(), TemporaryDirectory(prefix="numberdrop-large-") as name:
            file, results = Path(name, "numbers.txt"), Path(name, "results.csv")
            sample = write_numbers(
                file, options.rows, seed=options.seed, duplicates=options.duplicates, dirty=options.dirty
            )
            with local_cloud(CloudOptions(simulator=vendor)) as cloud, event_tap(cloud) as tap:
                run = _run(cloud, tap, file, f"{options.checker}/large/numbers.txt")
                console.print(functions_table(cloud, run.memory))
                console.print(_times(run), _files(cloud, run, file))
                _fetch(cloud, run, results)
            _check(results, run, sample)
    except (LocalCloudError, RunFailedError) as error:
        console.print(Text("Failed:", style="bold red"), Text(str(error)))
        return 1
    console.print(f"results.csv has one row for each of the {sample.lines:,} lines, in order.")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.large_upload",
        description="Send one large upload through a local cloud and show its time and memory.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="lines of the file")
    parser.add_argument("--duplicates", type=float, default=0.01, help="share of lines that repeat a number")
    parser.add_argument(
        "--dirty",
        type=float,
        default=0.01,
        help="share of lines with spaces and dashes, or that are not numbers",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the file's content")
    parser.add_argument("--checker", default="band", help="checker to use")
    parser.add_argument(
        "--duration", type=float, default=30, help="minimum duration of the vendor's task in seconds"
    )
    return parser.parse_args(arguments)


def _run(cloud: LocalCloud, tap: EventTap, file: Path, key: str) -> Run:
    memory = Memory()
    free = lowest = shutil.disk_usage(cloud.folder).free
    began = datetime.now(UTC)
    cloud.aws.client("s3").upload_file(str(file), cloud.outputs["UploadBucketName"], key)
    in_bucket = datetime.now(UTC)
    end = time.monotonic() + MAX_SECONDS
    events: list[Mapping[str, Any]] = []
    while not events:
        if time.monotonic() > end:
            raise RunFailedError(f"no event arrived within {MAX_SECONDS} s.")
        events = tap.receive()
        memory.sample(cloud)
        lowest = min(lowest, shutil.disk_usage(cloud.folder).free)
    announced = datetime.now(UTC)
    wait_for_executions(cloud)
    memory.sample(cloud)
    (event,) = events
    if event["detail-type"] != "Number Check Completed":
        raise RunFailedError(f"{event['detail-type']}: {event['detail']['reason']}")
    return Run(began, in_bucket, announced, free - lowest, memory, event["detail"])


def _times(run: Run) -> Table:
    table = Table("step", title="Seconds since the start of the upload", title_justify="left")
    table.add_column("after", justify="right")
    moments = {
        "the file is in the bucket": run.in_bucket,
        "the vendor has accepted the file": datetime.fromisoformat(run.detail["submitted_at"]),
        "the job is completed": datetime.fromisoformat(run.detail["finished_at"]),
        "the event has arrived": run.announced,
    }
    for step, moment in moments.items():
        table.add_row(step, f"{(moment - run.began).total_seconds():,.1f}")
    return table


def _files(cloud: LocalCloud, run: Run, file: Path) -> Table:
    results = run.detail["results"]
    manifest = json.load(
        cloud.aws.client("s3").get_object(Bucket=results["bucket"], Key=results["manifest_key"])["Body"]
    )
    table = Table("file", title="Sizes", title_justify="left")
    table.add_column("MB", justify="right")
    sizes = {name: entry["size"] for name, entry in manifest["files"].items()}
    for name, size in {"the upload": file.stat().st_size, **sizes}.items():
        table.add_row(name, f"{size / MB:,.1f}")
    table.add_row("peak disk use", f"{run.disk / MB:,.1f}")
    return table


def _fetch(cloud: LocalCloud, run: Run, target: Path) -> None:
    results = run.detail["results"]
    cloud.aws.client("s3").download_file(results["bucket"], results["csv_key"], str(target))


def _check(results: Path, run: Run, sample: Sample) -> None:
    """Compare the results and the event with the sample file.

    Raises:
        RunFailedError: a line has no row, several rows, or the wrong status.
    """
    statuses: Counter[str] = Counter()
    with results.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        line_index, status_index = map(next(rows).index, ("line", "status"))
        for expected, row in enumerate(rows, start=1):
            if row[line_index] != str(expected):
                raise RunFailedError(f"row {expected} of results.csv is about another line.")
            statuses[row[status_index]] += 1
    if statuses != Counter(resolved=sample.lines - sample.rejected, rejected=sample.rejected):
        raise RunFailedError(f"the file has {sample.lines:,} lines, but results.csv has {dict(statuses)}.")
    counts = run.detail["counts"]
    if (counts["submitted"], counts["resolved"]) != (sample.distinct, sample.distinct):
        raise RunFailedError(
            f"the file has {sample.distinct:,} distinct numbers, but the event has {counts}."
        )


if __name__ == "__main__":
    sys.exit(run_from_command_line())
