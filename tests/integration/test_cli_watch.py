"""Command line: follow jobs to their end."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from numberdrop.aws.executions import Executions
from numberdrop.aws.ledger import Ledger
from numberdrop.files.uploads.reading import FileReading, Reading, Unread
from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop_cli import following
from numberdrop_cli.following import JobSnapshot, take_snapshot
from tests.support.command_line import (
    RESULTS,
    SAVED,
    SENDING,
    CommandLine,
    Meanwhile,
    completed_job,
    interrupt,
    job_becomes,
    nothing_happens,
    saved_files,
    store_results,
)
from tests.support.jobs import COUNTED, NOON, a_job

# To the results


def test_a_file_is_followed_to_its_results(run: CommandLine, meanwhile: Meanwhile, tmp_path: Path) -> None:
    meanwhile += [
        job_becomes(run, State.CLAIMED),
        job_becomes(run, State.SUBMITTING),
        job_becomes(run, State.SUBMITTED),
        job_becomes(run, State.SUBMITTED),
        job_becomes(run, State.COMPLETED),
    ]
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    lines = [line.removeprefix("leads.txt: ") for line in result.stdout.splitlines()]
    assert lines[lines.index("waiting to be picked up") :] == [
        "waiting to be picked up",
        "picked up",
        "being sent to the vendor",
        "the vendor is checking",
        "completed; 99 resolved, 1 unresolved; no 39, yes 60; 3 further numbers in a cell were not sent",
        "saved in leads.txt.results: manifest.json, report.html, results.csv",
    ]
    assert (result.exit_code, result.stderr) == (0, SENDING)
    assert (tmp_path / "leads.txt.results" / "results.csv").read_bytes() == RESULTS["results.csv"]


def test_a_remembered_file_is_followed_to_its_results(run: CommandLine, meanwhile: Meanwhile) -> None:
    counts = replace(COUNTED, submitted=20, remembered=80)
    meanwhile += [
        job_becomes(run, State.ANSWERED),
        job_becomes(run, State.COMPLETED, counts=counts, charged=False),
    ]
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    assert "answered from memory, the results come next" in result.stdout
    assert "yes 60; 80 answered from memory; 3 further" in result.stdout
    assert result.exit_code == 0


def test_the_command_says_what_was_read(run: CommandLine) -> None:
    other = Unread("WhatsApp", 12)
    reading = Reading(file=FileReading(format="text"), column="Phone", other_columns=(other,))
    job = completed_job(run, manifest_json=json.dumps({"read": reading.facts()}).encode())
    said = 'Read as text: the column "Phone". Not read: 12 numbers in the column "WhatsApp".'

    assert f"leads.txt: {said}" in run("watch", job.job_id[:12]).stdout
    events = [
        json.loads(line) for line in run("watch", job.job_id[:12], "--json", "--force").stdout.splitlines()
    ]
    (read,) = [event for event in events if event["event"] == "read"]
    assert (read["column"], read["other_columns"]) == ("Phone", [{"name": "WhatsApp", "numbers": 12}])


def test_a_job_can_be_followed_later(run: CommandLine, tmp_path: Path) -> None:
    job = completed_job(run)
    result = run("watch", job.job_id[:12])
    assert result.exit_code == 0
    assert saved_files(tmp_path) == SAVED


def test_without_versions_the_job_is_found_by_its_key(
    run: CommandLine, meanwhile: Meanwhile, tmp_path: Path
) -> None:
    boto3.client("s3").create_bucket(Bucket="plain")
    run.cloudformation.outputs["UploadBucketName"] = "plain"

    def appear() -> None:
        (upload,) = run.uploads()
        earlier, later = (replace(upload, sequencer=each) for each in ("0A", "0B"))
        run.account.put(a_job(State.FAILED, upload=earlier, created_at=NOON - timedelta(days=1)))
        another = replace(upload, sequencer="0C", etag="another")
        run.account.put(a_job(State.FAILED, upload=another, created_at=NOON + timedelta(days=1)))
        results = store_results(run.account, "band/leads.txt/0123/", RESULTS)
        run.account.put(a_job(State.COMPLETED, upload=later, created_at=NOON, results=results))

    meanwhile += [appear, *[nothing_happens] * (following.ROUNDS_PER_SCAN - 1)]
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    assert "the bucket has no versions" in result.stdout
    assert result.exit_code == 0
    assert saved_files(tmp_path) == SAVED


# Endings


@pytest.mark.parametrize(
    ("state", "changes", "status", "texts"),
    [
        (State.FAILED, {}, 3, ["failed. TASK_FAILED: Ask the vendor.", "numberdrop collect-again {id}"]),
        (State.FAILED, {"task_id": None, "charged": False}, 3, ["failed.", "Nothing was charged."]),
        (State.ABANDONED, {}, 3, ["abandoned. ABORTED: A person gave up on this submission."]),
        (State.BLOCKED, {}, 4, ["needs a person. BAD_API_KEY: Put in a valid one.", "numberdrop watch {id}"]),
        (State.IN_DOUBT, {}, 4, ["needs a person. SUBMISSION_IN_DOUBT", "numberdrop resolve {id}"]),
    ],
)
def test_exit_status_and_text_say_how_a_job_ended(
    run: CommandLine,
    meanwhile: Meanwhile,
    tmp_path: Path,
    state: State,
    changes: dict[str, Any],
    status: int,
    texts: list[str],
) -> None:
    meanwhile.append(job_becomes(run, state, **changes))
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    (upload,) = run.uploads()
    assert result.exit_code == status
    for text in texts:
        assert text.format(id=upload.job_id[:12]) in result.stdout
    assert saved_files(tmp_path) == set()


def test_with_several_jobs_the_highest_exit_status_counts(run: CommandLine, tmp_path: Path) -> None:
    jobs = [
        run.put(State.IN_DOUBT, "band/doubtful.txt"),
        run.put(State.FAILED, "band/failed.txt"),
        completed_job(run),
    ]
    result = run("watch", *[job.job_id for job in jobs])
    assert result.exit_code == 4
    assert saved_files(tmp_path) == SAVED


def test_a_job_named_twice_is_followed_once(run: CommandLine) -> None:
    job = completed_job(run)
    assert run("watch", job.job_id, job.job_id[:8]).exit_code == 0


def test_an_interrupted_watch_says_that_the_job_goes_on(run: CommandLine, meanwhile: Meanwhile) -> None:
    meanwhile.append(interrupt)
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    (upload,) = run.uploads()
    assert result.exit_code == 130
    assert f"The jobs go on. Follow them: numberdrop watch {upload.job_id[:12]}" in result.stderr


def test_a_job_that_does_not_exist_cannot_be_followed(run: CommandLine) -> None:
    assert run("watch", "0" * 12).exit_code == 1


# Errors from AWS


def test_watch_survives_a_broken_connection(
    run: CommandLine, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = completed_job(run)
    answers: list[Exception | JobSnapshot] = [
        EndpointConnectionError(endpoint_url="https://aws.example"),
        ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem"),
        ClientError({"Error": {"Code": "500"}, "ResponseMetadata": {"HTTPStatusCode": 500}}, "GetItem"),  # type: ignore[typeddict-item]
        JobSnapshot(job),
    ]

    def next_answer(*_: Any) -> JobSnapshot:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(following, "take_snapshot", next_answer)
    meanwhile += [nothing_happens] * 3
    result = run("watch", job.job_id)
    assert result.exit_code == 0
    assert result.stdout.count("AWS does not answer") == 1


def test_a_refusal_while_watching_says_that_the_job_goes_on(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> JobSnapshot:
        raise ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "no"}}, "GetItem")

    job = run.put(State.SUBMITTED)
    monkeypatch.setattr(following, "take_snapshot", refused)
    result = run("watch", job.job_id)
    assert result.exit_code == 5
    assert "The AWS credentials have expired" in result.stderr
    assert f"numberdrop watch {job.job_id[:12]}" in result.stderr


# The vendor's count


class Histories:
    """A fake Step Functions client with one execution (API reference, "GetExecutionHistory")."""

    def __init__(self, *exited: tuple[str, str]) -> None:
        self.exited = exited

    def get_execution_history(self, **_: Any) -> dict[str, Any]:
        events: list[dict[str, Any]] = [{"type": "WaitStateEntered", "timestamp": NOON, "id": 9}]
        for name, output in self.exited:
            details = {"name": name, "output": output}
            events.append({"type": "TaskStateExited", "timestamp": NOON, "stateExitedEventDetails": details})
        return {"events": events}


def snapshot_of(run: CommandLine, job: Job, *exited: tuple[str, str]) -> JobSnapshot:
    """Return a snapshot of the job while its execution has exited these states, latest first."""
    executions = Executions(Histories(*exited), run.account.state_machine)  # type: ignore[arg-type]
    return take_snapshot(Ledger(boto3.client("dynamodb"), run.account.jobs_table), executions, job.job_id)


@pytest.mark.parametrize(
    ("exited", "checked"),
    [
        ([], None),
        ([("Wait for the vendor", "{}")], None),
        ([("Check the task", '{"success": 70, "done": 73}'), ("Check the task", '{"done": 9}')], 73),
        ([("Check the task", '{"total": null, "success": null, "done": null}')], None),
    ],
)
def test_the_count_comes_from_the_latest_check(
    run: CommandLine, exited: list[tuple[str, str]], checked: int | None
) -> None:
    job = run.put(State.SUBMITTED)
    snapshot = snapshot_of(run, job, *exited)
    assert (snapshot.job, snapshot.checked) == (job, checked)


def test_an_older_execution_has_only_the_successes(run: CommandLine) -> None:
    exited = ("Check the task", '{"total": 100, "success": 73}')
    assert snapshot_of(run, run.put(State.SUBMITTED), exited).checked == 73


# Output for programs, and phone numbers


def test_every_step_is_printed_as_json(run: CommandLine, meanwhile: Meanwhile) -> None:
    meanwhile += [job_becomes(run, State.SUBMITTED), job_becomes(run, State.COMPLETED)]
    result = run("send", "leads.txt", "--checker", "band", "--watch", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["event"] for line in lines] == [
        "priced",
        "sent",
        "progress",
        "progress",
        "stopped",
        "saved",
    ]
    assert {line["file"] for line in lines} == {"leads.txt"}
    assert [line["state"] for line in lines if "state" in line] == ["waiting", "submitted", "completed"]
    assert lines[4]["counts"]["verdicts"] == {"yes": 60, "no": 39}
    assert lines[4]["results"] == {
        "bucket": "results",
        "export_key": "band/leads.txt/0123/export.zip",
        "csv_key": "band/leads.txt/0123/results.csv",
        "manifest_key": "band/leads.txt/0123/manifest.json",
        "report_key": "band/leads.txt/0123/report.html",
        "xlsx_key": None,
        "yes_key": None,
        "no_key": None,
        "unknown_key": None,
    }
    assert set(lines[5]["paths"]) == SAVED


def test_watch_prints_no_phone_number(run: CommandLine, tmp_path: Path) -> None:
    done = completed_job(run, "band/+447700900123.txt")
    failed = run.put(
        State.FAILED, "band/447700900124", reason=Reason(ReasonCode.VENDOR_REJECTED, "No: +44 7700 900125.")
    )
    for arguments in ([], ["--json", "--force"], []):
        result = run("watch", done.job_id, failed.job_id, *arguments)
        assert "[digits]" in result.output
        assert "7700" not in result.output
