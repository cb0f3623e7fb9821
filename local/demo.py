"""``make demo``: three files, three checkers, from the bucket to the event and the results."""

import csv
import io
import json
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from local.cloud import CloudOptions, LocalCloud, local_cloud
from local.event_tap import EventTap, event_tap
from local.processes import PROJECT, LocalCloudError
from numberdrop.transitions import State

SAMPLES = PROJECT / "local" / "samples"
CHECKERS = ("band", "phoneCheck", "wa-deep")
MOST_SECONDS = 120
ROWS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far a job is: its state in the ledger and the vendor's counts, as far as they are known."""

    state: str
    success: int
    total: int


class DemoFailedError(Exception):
    """The demo did not end as it should; the message says where."""


def main() -> int:
    """Runs the demo; returns the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    console = Console()
    # The vendor takes some seconds here, not minutes, so the state machine's waits are as much shorter.
    options = CloudOptions(wait_scale=0.1, simulator=("--duration", "6"))
    console.print("Starting a local cloud and deploying the template with the SAM CLI ...")
    began = time.monotonic()
    try:
        with local_cloud(options) as cloud, event_tap(cloud) as tap:
            console.print(f"Up after {time.monotonic() - began:.0f} s: {cloud.aws.endpoint}")
            uploads = [_drop(cloud, checker, console) for checker in CHECKERS]
            events = _follow(cloud, tap, uploads, console)
            for event in events:
                _show(cloud, event, console)
    except (LocalCloudError, DemoFailedError) as error:
        console.print(f"[bold red]The demo failed:[/] {error}", highlight=False)
        return 1
    console.print(f"Done after {time.monotonic() - began:.0f} s; everything is cleaned up.")
    return 0


def _drop(cloud: LocalCloud, checker: str, console: Console) -> str:
    key = f"{checker}/demo/{checker}.txt"
    sample = SAMPLES / f"{checker}.txt"
    cloud.aws.client("s3").upload_file(str(sample), cloud.outputs["UploadBucketName"], key)
    lines = len(sample.read_text(encoding="utf-8").splitlines())
    console.print(f"Dropped {key} ({lines} lines)", highlight=False)
    return key


def _follow(
    cloud: LocalCloud, tap: EventTap, keys: Sequence[str], console: Console
) -> list[Mapping[str, Any]]:
    """Shows the jobs' progress until each has its event."""
    ended: dict[str, Mapping[str, Any]] = {}
    end = time.monotonic() + MOST_SECONDS
    columns = (
        TextColumn("{task.description:<32}"),
        BarColumn(),
        TextColumn("{task.completed:>5.0f} of {task.total:<5.0f}"),
        TextColumn("{task.fields[state]:<12}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bars = {key: progress.add_task(key, total=1, state="waiting") for key in keys}
        while len(ended) < len(keys):
            if time.monotonic() > end:
                missing = ", ".join(set(keys) - set(ended))
                raise DemoFailedError(f"no event for {missing} within {MOST_SECONDS} s.")
            for event in tap.receive():
                ended[event["detail"]["upload"]["key"]] = event
            _advance(cloud, progress, bars)
    return [ended[key] for key in keys]


def _advance(cloud: LocalCloud, progress: Progress, bars: Mapping[str, TaskID]) -> None:
    for key, seen in _progress(cloud).items():
        if key in bars:
            progress.update(bars[key], completed=seen.success, total=seen.total, state=seen.state)


def _progress(cloud: LocalCloud) -> dict[str, Progressed]:
    """The ledger's jobs by upload key."""
    pages = (
        cloud.aws.client("dynamodb").get_paginator("scan").paginate(TableName=cloud.outputs["JobsTableName"])
    )
    return {
        item["upload"]["M"]["key"]["S"]: _progressed(cloud, item) for page in pages for item in page["Items"]
    }


def _progressed(cloud: LocalCloud, item: Mapping[str, Any]) -> Progressed:
    state = item["state"]["S"]
    counts = item.get("counts", {}).get("M", {})
    submitted = int(counts.get("submitted", {}).get("N", "1"))
    if state == State.COMPLETED:
        return Progressed(state, submitted, submitted)
    looked = _last_look(cloud, item["job_id"]["S"]) if state == State.SUBMITTED else {}
    return Progressed(state, looked.get("success") or 0, submitted)


def _last_look(cloud: LocalCloud, job_id: str) -> Mapping[str, Any]:
    """What the vendor said when the state machine last looked at the task."""
    machine = cloud.outputs["StateMachineArn"]
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{job_id}-1"
    history = cloud.aws.client("stepfunctions").get_execution_history(
        executionArn=execution, reverseOrder=True, maxResults=50
    )
    for event in history["events"]:
        exited = event.get("stateExitedEventDetails", {})
        if exited.get("name") == "Check the task":
            looked: Mapping[str, Any] = json.loads(exited["output"])
            return looked
    return {}


def _show(cloud: LocalCloud, event: Mapping[str, Any], console: Console) -> None:
    detail = event["detail"]
    console.rule(f"{event['detail-type']}: {detail['upload']['key']}")
    console.print_json(data=detail)
    if event["detail-type"] != "Number Check Completed":
        raise DemoFailedError(f"{detail['upload']['key']} did not complete: {detail['reason']}")
    results = detail["results"]
    body = cloud.aws.client("s3").get_object(Bucket=results["bucket"], Key=results["csv_key"])["Body"].read()
    rows = list(csv.reader(io.StringIO(body.decode("utf-8"))))
    console.print(f"The first rows of {Path(results['csv_key']).name}:")
    for row in rows[: ROWS_SHOWN + 1]:
        console.print("  " + ",".join(row), highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
