"""``make demo``: send three files to three checkers, and show their events and results."""

import csv
import io
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from local.cloud import CloudOptions, LocalCloud, local_cloud
from local.event_tap import EventTap, event_tap
from local.processes import PROJECT, LocalCloudError, ended_by_signals, ignore_settings
from numberdrop.aws.executions import Executions
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop_cli.errors import ExitStatus
from numberdrop_cli.following import JobSnapshot, take_snapshot
from numberdrop_cli.uploading import Uploader

SAMPLES = PROJECT / "local" / "samples"
CHECKERS = ("band", "phoneCheck", "wa-deep")
MAX_SECONDS = 120
WHAT_HAPPENS = (
    "This takes about a minute: it starts a local cloud, deploys the template with the SAM CLI, drops "
    f"{len(CHECKERS)} files, and shows their events and results. It needs no account and costs nothing."
)
ROWS_SHOWN = 4


class DemoFailedError(Exception):
    """The demo failed; the message says at which step."""


def main() -> int:
    """Run the demo; return the exit status."""
    ignore_settings()
    # Logs and rows are shown as they are, whatever brackets they have.
    console = Console(markup=False)
    # The simulated vendor takes seconds instead of minutes, so the state machine's waits are shorter too.
    options = CloudOptions(wait_scale=0.1, simulator=("--duration", "6"))
    console.print(WHAT_HAPPENS, soft_wrap=True)
    began = time.monotonic()
    try:
        with ended_by_signals(), local_cloud(options) as cloud, event_tap(cloud) as tap:
            console.print(f"Up after {time.monotonic() - began:.0f} s: {cloud.aws.endpoint}")
            uploads = [_drop(cloud, checker, console) for checker in CHECKERS]
            events = _follow(cloud, tap, uploads, console)
            for event in events:
                _show(cloud, event, console)
    except (LocalCloudError, DemoFailedError) as error:
        console.print(Text("The demo failed:", style="bold red"), error, highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted. Everything is cleaned up.")
        return ExitStatus.INTERRUPTED
    console.print(f"Done after {time.monotonic() - began:.0f} s. Everything is cleaned up.")
    return 0


def _drop(cloud: LocalCloud, checker: str, console: Console) -> Upload:
    sample = SAMPLES / f"{checker}.txt"
    uploader = Uploader(cloud.aws.client("s3"), cloud.outputs["UploadBucketName"])
    upload = uploader.put(sample, f"{checker}/demo/{sample.name}", {}, lambda _: None)
    lines = len(sample.read_text(encoding="utf-8").splitlines())
    console.print(f"Dropped {upload.key} ({lines} lines)", highlight=False)
    return upload


def _follow(
    cloud: LocalCloud, tap: EventTap, uploads: Sequence[Upload], console: Console
) -> list[Mapping[str, Any]]:
    """Show the progress of the jobs until each has its event; return the events."""
    ledger = Ledger(cloud.aws.client("dynamodb"), cloud.outputs["JobsTableName"])
    executions = Executions(cloud.aws.client("stepfunctions"), cloud.outputs["StateMachineArn"])
    ended: dict[str, Mapping[str, Any]] = {}
    end = time.monotonic() + MAX_SECONDS
    columns = (
        TextColumn("{task.description:<32}"),
        BarColumn(),
        TextColumn("{task.completed:>5.0f} of {task.total:<5.0f}"),
        TextColumn("{task.fields[state]:<12}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bars = {upload: progress.add_task(upload.key, total=1, state="waiting") for upload in uploads}
        while len(ended) < len(uploads):
            if time.monotonic() > end:
                missing = ", ".join(upload.key for upload in uploads if upload.job_id not in ended)
                raise DemoFailedError(f"no event for {missing} within {MAX_SECONDS} s.")
            for event in tap.receive():
                ended[event["detail"]["job_id"]] = event
            for upload, bar in bars.items():
                _advance(progress, bar, take_snapshot(ledger, executions, upload.job_id))
    return [ended[upload.job_id] for upload in uploads]


def _advance(progress: Progress, bar: TaskID, snapshot: JobSnapshot) -> None:
    if snapshot.job is None:
        return
    submitted = snapshot.job.counts.submitted or 1
    checked = submitted if snapshot.job.state is State.COMPLETED else snapshot.checked or 0
    progress.update(bar, completed=checked, total=submitted, state=snapshot.job.state)


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
