"""One very large upload through the local cloud: ``make large ROWS=10000000``.

It makes a file up, drops it, waits for the event, shows what each function took, and checks that results.csv
has exactly one row for each line. Ten million lines take minutes, so it is no part of ``make bench``.
"""

import argparse
import csv
import json
import shutil
import signal
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

from benchmarks.sample_numbers import Sample, write_numbers
from local.cloud import CloudOptions, LocalCloud, local_cloud
from local.event_tap import EventTap, event_tap
from local.observation import Memory, functions_table, wait_for_executions
from local.processes import LocalCloudError

MAX_SECONDS = 3600
MB = 1_000_000


class RunFailedError(Exception):
    """The upload did not become what it should; the message says how."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one upload took.

    Attributes:
        began: when the file began to be uploaded.
        in_bucket: when it lay in the bucket.
        announced: when its event was here.
        disk: the most bytes by which the disk was fuller than before, whoever wrote them.
        memory: of the functions.
        detail: of the event.
    """

    began: datetime
    in_bucket: datetime
    announced: datetime
    disk: int
    memory: Memory
    detail: Mapping[str, Any]


def run_from_command_line(arguments: Sequence[str] | None = None) -> int:
    """Runs the upload; returns the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    options = _options(arguments)
    console = Console(highlight=False)
    console.print(f"Making {options.rows:,} lines up and starting a local cloud ...")
    vendor = ("--duration", str(options.duration), "--balance", "1000000")
    try:
        with TemporaryDirectory(prefix="numberdrop-large-") as name:
            file, results = Path(name, "numbers.txt"), Path(name, "results.csv")
            made = write_numbers(
                file, options.rows, seed=options.seed, duplicates=options.duplicates, dirty=options.dirty
            )
            with local_cloud(CloudOptions(simulator=vendor)) as cloud, event_tap(cloud) as tap:
                run = _run(cloud, tap, file, f"{options.checker}/large/numbers.txt")
                console.print(functions_table(cloud, run.memory))
                console.print(_times(run), _files(cloud, run, file))
                _fetch(cloud, run, results)
            _check(results, run, made)
    except (LocalCloudError, RunFailedError) as error:
        console.print(f"[bold red]It failed:[/] {error}")
        return 1
    console.print(f"results.csv has one row for each of the {made.lines:,} lines, in their order.")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.large_upload",
        description="Sends one large upload through a local cloud and shows what it took.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="lines of the file")
    parser.add_argument("--duplicates", type=float, default=0.01, help="share of lines that repeat a number")
    parser.add_argument("--dirty", type=float, default=0.01, help="share of lines as people write them")
    parser.add_argument("--seed", type=int, default=0, help="another one makes another file")
    parser.add_argument("--checker", default="band", help="what the numbers are checked for")
    parser.add_argument("--duration", type=float, default=30, help="seconds that the vendor takes at least")
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
            raise RunFailedError(f"no event came within {MAX_SECONDS} s.")
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
    table = Table("step", title="When what was done, in seconds", title_justify="left")
    table.add_column("after", justify="right")
    moments = {
        "the file lies in the bucket": run.in_bucket,
        "the vendor has made a task": datetime.fromisoformat(run.detail["submitted_at"]),
        "the job is completed": datetime.fromisoformat(run.detail["finished_at"]),
        "the event is here": run.announced,
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
    sizes = {name: described["size"] for name, described in manifest["files"].items()}
    for name, size in {"the upload": file.stat().st_size, **sizes}.items():
        table.add_row(name, f"{size / MB:,.1f}")
    table.add_row("disk in use at most, by all of it", f"{run.disk / MB:,.1f}")
    return table


def _fetch(cloud: LocalCloud, run: Run, target: Path) -> None:
    results = run.detail["results"]
    cloud.aws.client("s3").download_file(results["bucket"], results["csv_key"], str(target))


def _check(results: Path, run: Run, made: Sample) -> None:
    """Compares the results, and what the event says of them, with what was made up.

    Raises:
        RunFailedError: a line has no row, or more than one, or another status than it should.
    """
    statuses: Counter[str] = Counter()
    with results.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        line_at, status_at = map(next(rows).index, ("line", "status"))
        for expected, row in enumerate(rows, start=1):
            if row[line_at] != str(expected):
                raise RunFailedError(f"row {expected} of results.csv is about another line.")
            statuses[row[status_at]] += 1
    if statuses != Counter(resolved=made.lines - made.rejected, rejected=made.rejected):
        raise RunFailedError(f"of {made.lines:,} lines, results.csv has {dict(statuses)}.")
    counts = run.detail["counts"]
    if (counts["submitted"], counts["resolved"]) != (made.distinct, made.distinct):
        raise RunFailedError(f"of {made.distinct:,} numbers, the event counts {counts}.")


if __name__ == "__main__":
    sys.exit(run_from_command_line())
