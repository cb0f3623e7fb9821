"""Run the command `numberdrop` on the local cloud, as a user does."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

from local.cloud import STACK, LocalCloud
from local.processes import PROJECT
from numberdrop.aws.ledger import MONTH_INDEX, month_of
from numberdrop.clock import utc_now
from numberdrop_cli.event_tap import PREFIX
from tests.support.cloud import TIMEOUT_SECONDS, Bucket, Inbox, command_settings, run_command

NUMBERS = [f"+447700900{n}" for n in range(800, 840)]


def test_a_closed_pipe_after_sending_means_status_5(cloud: LocalCloud, tmp_path: Path) -> None:
    file = tmp_path / "piped.txt"
    file.write_text("\n".join(NUMBERS), encoding="utf-8")
    command = [sys.executable, "-m", "numberdrop_cli", "send", str(file), "--checker", "band", "--watch"]
    with subprocess.Popen(
        command, env=command_settings(cloud), cwd=tmp_path, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert b"list price" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(TIMEOUT_SECONDS) == 5


def test_a_file_is_sent_and_its_results_are_saved(cloud: LocalCloud, tmp_path: Path) -> None:
    file = tmp_path / "leads.txt"
    file.write_text("\n".join([*NUMBERS, "not a number"]), encoding="utf-8")

    done = run_command(cloud, "send", str(file), "--checker", "band", "--watch", "--export")

    assert done.returncode == 0, done.stdout
    assert done.stderr == f"Sending to stack {STACK} in us-east-1, account 000000000000.\n"
    folder = tmp_path / "leads.txt.results"
    described = {"results.csv", "results.xlsx", "rejected.csv", "report.html", "manifest.json", "export.zip"}
    assert {path.name for path in folder.iterdir()} - {"yes.txt", "no.txt", "unknown.txt"} == described
    with (folder / "results.csv").open(encoding="utf-8", newline="") as results:
        resolved = {row["number"] for row in csv.DictReader(results) if row["status"] == "resolved"}
    assert resolved == set(NUMBERS)
    assert "40 resolved" in done.stdout
    assert "7700900" not in done.stdout


def test_events_are_followed_and_nothing_is_left(cloud: LocalCloud, uploads: Bucket) -> None:
    before = taps(cloud)
    process = subprocess.Popen(
        [sys.executable, "-m", "numberdrop_cli", "events"],
        env=command_settings(cloud),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        assert process.stderr
        assert f"Following stack {STACK}" in process.stderr.readline()
        uploads.drop("ws/followed/few.csv", "\n".join(NUMBERS))
        uploads.drop("band/followed/leads.txt", "\n".join(NUMBERS))
        lines = sorted(process.stdout.readline() for _ in range(2))
        process.send_signal(signal.SIGTERM)
        stderr = process.stderr.read()
    text = "".join(lines)
    assert "  ws/followed/few.csv: failed. TOO_SMALL: " in text
    assert "  band/followed/leads.txt: completed; 40 resolved, 0 unresolved; " in text
    assert (process.returncode, stderr) == (143, "Stopped. The queue and the rule were removed.\n")
    assert taps(cloud) == before


def taps(cloud: LocalCloud) -> set[str]:
    """Return the queues and the rules by which events are followed."""
    queues = cloud.aws.client("sqs").list_queues(QueueNamePrefix=PREFIX).get("QueueUrls", [])
    rules = cloud.aws.client("events").list_rules(EventBusName=cloud.outputs["EventBusName"])["Rules"]
    return {*queues, *(rule["Name"] for rule in rules if rule["Name"].startswith(PREFIX))}


def test_the_latest_jobs_are_in_the_index(cloud: LocalCloud, inbox: Inbox, uploads: Bucket) -> None:
    key = "band/listed/leads.txt"
    uploads.drop(key, "\n".join(NUMBERS))
    (event,) = inbox.wait_for(key)
    indexed = cloud.aws.client("dynamodb").query(
        TableName=cloud.outputs["JobsTableName"],
        IndexName=MONTH_INDEX,
        KeyConditionExpression="created_month = :month",
        ExpressionAttributeValues={":month": {"S": month_of(utc_now())}},
    )["Items"]
    assert event["detail"]["job_id"] in {item["job_id"]["S"] for item in indexed}
    done = run_command(cloud, "jobs", "--limit", "1", "--json")
    assert done.returncode == 0, done.stderr
    (listed,) = json.loads(done.stdout)["jobs"]
    assert (listed["job_id"], listed["key"]) == (event["detail"]["job_id"], key)
