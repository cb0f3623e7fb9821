"""A thousand simultaneous uploads on the local cloud: ``make burst UPLOADS=1000``.

Each upload must be charged once and end with its event, and the vendor must never receive more concurrent
submissions than ``SubmitConcurrency`` allows. It takes minutes, so ``make bench`` does not run it.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from benchmarks.sample_numbers import write_numbers
from local.cloud import CloudOptions, LocalCloud, local_cloud
from local.event_tap import EventTap, event_tap
from local.observation import MIB, Memory, functions, functions_table, wait_for_executions
from local.processes import LocalCloudError, ended_by_signals, ignore_settings
from local.simulator import RemoteSimulator

MAX_SECONDS = 3600
PARALLEL_DROPS = 10
OTHER_CONCURRENCY = 8
"""Concurrent executions of each other function that the state machine calls."""


class BurstFailedError(Exception):
    """The burst failed; the message says what differs from what was expected."""


@dataclass(slots=True)
class Burst:
    """The progress of the uploads.

    Attributes:
        dropped: seconds until all files were in the bucket.
        announced: seconds until the first event of each upload, by key.
        events: number of events by detail type.
        memory: memory of the functions.
    """

    dropped: float = 0.0
    announced: dict[str, float] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    memory: Memory = field(default_factory=Memory)


def run_from_command_line(arguments: Sequence[str] | None = None) -> int:
    """Run the burst and return the exit status."""
    ignore_settings()
    options = _options(arguments)
    console = Console(highlight=False)
    console.print(f"Writing {options.uploads:,} files and starting a local cloud ...")
    cloud_options = CloudOptions(
        simulator=("--duration", str(options.duration), "--balance", "1000000"),
        parameters={"SubmitConcurrency": str(options.concurrency)},
    )
    try:
        with (
            ended_by_signals(),
            TemporaryDirectory(prefix="numberdrop-burst-") as folder,
            local_cloud(cloud_options) as cloud,
            event_tap(cloud) as tap,
            RemoteSimulator(cloud.simulator) as vendor,
        ):
            _limit_concurrency(cloud, options.checks)
            files = _write_files(Path(folder), options)
            burst = _run(cloud, tap, files, options.checker, console)
            console.print(functions_table(cloud, burst.memory), _figures(burst, vendor))
            _check(burst, vendor, options)
    except (LocalCloudError, BurstFailedError) as error:
        console.print(Text("Failed:", style="bold red"), Text(str(error)))
        return 1
    console.print(f"Each of the {options.uploads:,} uploads was charged once and completed.")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.burst",
        description="Drop many uploads at once on a local cloud and show how they end.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--uploads", type=int, default=1000, help="number of files")
    parser.add_argument("--numbers", type=int, default=300, help="numbers in each file")
    parser.add_argument("--concurrency", type=int, default=5, help="SubmitConcurrency of the stack")
    parser.add_argument("--checks", type=int, default=64, help="concurrent executions of CheckStatus")
    parser.add_argument("--checker", default="band", help="checker to use")
    parser.add_argument(
        "--duration", type=float, default=20, help="duration of the vendor's tasks in seconds"
    )
    return parser.parse_args(arguments)


def _limit_concurrency(cloud: LocalCloud, checks: int) -> None:
    """Limit the concurrent executions of the state machine's functions; it retries throttled ones.

    On AWS each execution has its own environment. Here each is a process that takes a second to start, and
    starting all of them at once would stall this machine. Checks of tasks spend most of their time sleeping.
    """
    executions = {"CheckStatus": checks, "Collect": OTHER_CONCURRENCY, "RecordFailure": OTHER_CONCURRENCY}
    for function in functions(cloud):
        if function.label in executions:
            cloud.aws.client("lambda").put_function_concurrency(
                FunctionName=function.name, ReservedConcurrentExecutions=executions[function.label]
            )


def _write_files(folder: Path, options: argparse.Namespace) -> list[Path]:
    files = [folder / f"{seed:05}.txt" for seed in range(options.uploads)]
    for seed, file in enumerate(files):
        write_numbers(file, options.numbers, seed=seed)
    return files


def _run(cloud: LocalCloud, tap: EventTap, files: Sequence[Path], checker: str, console: Console) -> Burst:
    burst = Burst()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Announced", total=len(files))
        began = time.monotonic()
        _drop(cloud, files, checker)
        burst.dropped = time.monotonic() - began
        while len(burst.announced) < len(files) and time.monotonic() < began + MAX_SECONDS:
            for event in tap.receive():
                burst.events[event["detail-type"]] += 1
                burst.announced.setdefault(event["detail"]["upload"]["key"], time.monotonic() - began)
            burst.memory.sample(cloud)
            progress.update(bar, completed=len(burst.announced))
        wait_for_executions(cloud)
    return burst


def _drop(cloud: LocalCloud, files: Sequence[Path], checker: str) -> None:
    s3, bucket = cloud.aws.client("s3"), cloud.outputs["UploadBucketName"]
    with ThreadPoolExecutor(PARALLEL_DROPS) as pool:
        drops = [pool.submit(s3.upload_file, str(file), bucket, f"{checker}/{file.name}") for file in files]
    for drop in drops:
        drop.result()


def _figures(burst: Burst, vendor: RemoteSimulator) -> Table:
    table = Table(title="The burst", title_justify="left", show_header=False)
    table.add_column("name")
    table.add_column("figure", justify="right")
    checks = vendor.calls_by_second["status"]
    waits = list(burst.announced.values())
    for name, figure in {
        "seconds until all files were dropped": f"{burst.dropped:,.1f}",
        "seconds until half of the uploads had an event": f"{median(waits):,.1f}",
        "seconds until all of them had one": f"{max(waits):,.1f}",
        **{f"events: {kind}": f"{count:,}" for kind, count in burst.events.items()},
        "charges": f"{len(vendor.charges):,}",
        "most concurrent submissions at the vendor": f"{vendor.peak_submissions:,}",
        "checks of tasks": f"{sum(checks):,}",
        "checks per second, mean": f"{mean(checks):,.1f}",
        "checks per second, maximum": f"{max(checks):,}",
        "most function processes at once": f"{burst.memory.processes:,}",
        "peak memory of these processes, MiB": f"{burst.memory.resident / MIB:,.0f}",
    }.items():
        table.add_row(name, figure)
    return table


def _check(burst: Burst, vendor: RemoteSimulator, options: argparse.Namespace) -> None:
    """Compare events and charges with the uploads.

    Raises:
        BurstFailedError: an upload did not complete or was not charged exactly once, or the vendor received
            too many submissions at once.
    """
    completed = burst.events["Number Check Completed"]
    if len(burst.announced) < options.uploads or burst.events.total() > completed:
        raise BurstFailedError(f"{len(burst.announced):,} uploads have events: {dict(burst.events)}.")
    files = Counter(charge.sha256 for charge in vendor.charges)
    if len(files) != options.uploads or files.total() != options.uploads:
        raise BurstFailedError(f"there are {files.total():,} charges for {len(files):,} files.")
    if vendor.peak_submissions > options.concurrency:
        raise BurstFailedError(f"the vendor received {vendor.peak_submissions:,} submissions at once.")


if __name__ == "__main__":
    sys.exit(run_from_command_line())
