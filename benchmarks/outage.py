"""A drill: the vendor is down while many uploads arrive, on the local cloud: ``make outage UPLOADS=200``.

A gateway answers 503 to everything for some minutes, then the vendor is well. No more uploads may end in
doubt than were being sent at once (``SubmitConcurrency``). All others must be charged once and completed.
It takes minutes, so ``make bench`` does not run it.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.sample_numbers import write_numbers
from local.cloud import CloudOptions, LocalCloud, local_cloud
from local.event_tap import EventTap, event_tap
from local.observation import functions, wait_for_executions
from local.processes import LocalCloudError, ended_by_signals, ignore_settings
from local.simulator import RemoteSimulator

MAX_SECONDS = 1800
PARALLEL_DROPS = 10
OTHER_CONCURRENCY = 8
"""Concurrent executions of each function that the state machine calls."""


class DrillFailedError(Exception):
    """The drill failed; the message says what differs from what was expected."""


def run_from_command_line(arguments: Sequence[str] | None = None) -> int:
    """Run the drill and return the exit status."""
    ignore_settings()
    options = _options(arguments)
    console = Console(highlight=False)
    cloud_options = CloudOptions(
        simulator=("--duration", "5", "--balance", "1000000"),
        parameters={"SubmitConcurrency": str(options.concurrency)},
    )
    try:
        with (
            ended_by_signals(),
            local_cloud(cloud_options) as cloud,
            event_tap(cloud) as tap,
            RemoteSimulator(cloud.simulator) as vendor,
        ):
            _limit_concurrency(cloud)
            _check(_run(cloud, tap, vendor, options, console), vendor, options)
    except (LocalCloudError, DrillFailedError) as error:
        console.print(Text("Failed:", style="bold red"), Text(str(error)))
        return 1
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.outage",
        description="Drop uploads on a local cloud while the vendor is down, and show how they end.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--uploads", type=int, default=200, help="number of files")
    parser.add_argument("--seconds", type=float, default=180, help="length of the outage")
    parser.add_argument("--concurrency", type=int, default=5, help="SubmitConcurrency of the stack")
    return parser.parse_args(arguments)


def _limit_concurrency(cloud: LocalCloud) -> None:
    """Limit the concurrent processes of the state machine's functions on this machine."""
    for function in functions(cloud):
        if function.label in {"CheckStatus", "Collect", "RecordFailure"}:
            cloud.aws.client("lambda").put_function_concurrency(
                FunctionName=function.name, ReservedConcurrentExecutions=OTHER_CONCURRENCY
            )


def _run(
    cloud: LocalCloud,
    tap: EventTap,
    vendor: RemoteSimulator,
    options: argparse.Namespace,
    console: Console,
) -> Counter[str]:
    """Drop the files during the outage; return the number of uploads by the type of their first event."""
    for operation in ("submit", "status", "balance"):
        vendor.inject_fault(operation, "http_error", None, status=503, html=True)
    began = time.monotonic()
    with TemporaryDirectory(prefix="numberdrop-outage-") as folder:
        _drop(cloud, Path(folder), options.uploads)
    ends: dict[str, str] = {}
    calls: Counter[str] = Counter()
    is_down = True
    while len(ends) < options.uploads and time.monotonic() < began + MAX_SECONDS:
        if is_down and time.monotonic() > began + options.seconds:
            calls = vendor.calls
            console.print(
                f"The vendor was down for {options.seconds:g} s: {_rendered(Counter(ends.values()))}"
            )
            vendor.clear_faults()
            is_down = False
        for event in tap.receive():
            ends.setdefault(event["detail"]["upload"]["key"], event["detail-type"])
    seconds = time.monotonic() - began
    wait_for_executions(cloud)
    console.print(_figures(Counter(ends.values()), calls, vendor, seconds, options))
    return Counter(ends.values())


def _drop(cloud: LocalCloud, folder: Path, count: int) -> None:
    s3, bucket = cloud.aws.client("s3"), cloud.outputs["UploadBucketName"]
    files = [folder / f"{seed:05}.txt" for seed in range(count)]
    for seed, file in enumerate(files):
        write_numbers(file, 100, seed=seed)
    with ThreadPoolExecutor(PARALLEL_DROPS) as pool:
        drops = [pool.submit(s3.upload_file, str(file), bucket, f"band/{file.name}") for file in files]
    for drop in drops:
        drop.result()


def _rendered(ends: Counter[str]) -> str:
    return ", ".join(f"{count} x {kind}" for kind, count in ends.items()) or "no event"


def _figures(
    ends: Counter[str],
    calls: Counter[str],
    vendor: RemoteSimulator,
    seconds: float,
    options: argparse.Namespace,
) -> Table:
    table = Table(title="The outage", title_justify="left", show_header=False)
    table.add_column("name")
    table.add_column("figure", justify="right")
    for name, figure in {
        "uploads": options.uploads,
        "files sent while the vendor was down": calls["submit"],
        "free calls while the vendor was down": calls["balance"],
        "uploads in doubt": ends["Number Check Needs Attention"],
        "uploads completed": ends["Number Check Completed"],
        "charges": len(vendor.charges),
        "seconds from the end of the outage to the last event": round(seconds - options.seconds),
    }.items():
        table.add_row(name, f"{figure:,}")
    return table


def _check(ends: Counter[str], vendor: RemoteSimulator, options: argparse.Namespace) -> None:
    """Compare the endings and charges with what an outage may cost.

    Raises:
        DrillFailedError: too many uploads are in doubt, or another one was not charged exactly once.
    """
    in_doubt, completed = ends["Number Check Needs Attention"], ends["Number Check Completed"]
    files = Counter(charge.sha256 for charge in vendor.charges)
    if in_doubt > options.concurrency:
        raise DrillFailedError(
            f"{in_doubt} uploads are in doubt; only {options.concurrency} were sent at once."
        )
    if in_doubt + completed != options.uploads or ends.total() != options.uploads:
        raise DrillFailedError(f"the uploads ended like this: {_rendered(ends)}.")
    if files.total() != len(files) or len(files) != completed:
        raise DrillFailedError(f"there are {files.total():,} charges for {len(files):,} files.")


if __name__ == "__main__":
    sys.exit(run_from_command_line())
