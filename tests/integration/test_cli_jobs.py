"""Command line: `jobs` lists the latest jobs without reading the whole ledger."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop_cli import latest_jobs
from tests.support.command_line import CommandLine, json_output, recorded_requests

BEGIN = datetime.fromisoformat("2026-03-30T00:00Z")


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch, run: CommandLine) -> None:
    monkeypatch.setattr("numberdrop.clock.utc_now", lambda: BEGIN + timedelta(days=10))
    run.cloudformation.created_at = BEGIN - timedelta(days=40)


@pytest.fixture
def requests(run: CommandLine) -> Iterator[list[str]]:
    """Return the names of the requests to DynamoDB."""
    with recorded_requests("dynamodb") as names:
        yield names


def put(run: CommandLine, hours: float, key: str = "band/leads.txt", **changes: Any) -> Job:
    state = changes.pop("state", State.COMPLETED)
    created = BEGIN + timedelta(hours=hours)
    times = {"created_at": created, "submitted_at": created, "finished_at": created}
    return run.put(state, f"{key}/{hours}", **times, **changes)


def listed(run: CommandLine, *arguments: str) -> list[str]:
    return [job["job_id"] for job in json_output(run("jobs", *arguments, "--json"))["jobs"]]


def forget_index(run: CommandLine, job: Job) -> None:
    """Make the item one of an older version, which has no month."""
    boto3.client("dynamodb").update_item(
        TableName=run.account.jobs_table,
        Key={"job_id": {"S": job.job_id}},
        UpdateExpression="REMOVE created_month",
    )


def test_the_latest_jobs_are_listed_oldest_first(run: CommandLine, requests: list[str]) -> None:
    jobs = [put(run, hours) for hours in range(0, 96, 4)]
    requests.clear()
    assert listed(run, "--limit", "15") == [job.job_id for job in jobs[-15:]]
    assert "Scan" not in requests


def test_fifty_jobs_are_listed_by_default(run: CommandLine) -> None:
    jobs = [put(run, hours) for hours in range(51)]
    result = run("jobs")
    assert len(result.stdout.splitlines()) == 50
    assert jobs[0].job_id[:12] not in result.stdout
    assert "There are older jobs" in result.stderr
    assert json_output(run("jobs", "--json"))["has_more"] is True
    assert len(listed(run, "--all")) == len(listed(run, "--limit", "51")) == 51


def test_jobs_since_a_moment_are_listed(run: CommandLine, requests: list[str]) -> None:
    jobs = [put(run, hours) for hours in range(0, 96, 4)]
    requests.clear()
    assert listed(run, "--since", "2026-04-01T12:00") == [job.job_id for job in jobs[15:]]
    assert listed(run, "--since", "2026-03-31") == [job.job_id for job in jobs[6:]]
    assert "Scan" not in requests


def test_the_jobs_of_a_checker_are_listed(run: CommandLine, requests: list[str]) -> None:
    jobs = [put(run, hours, key) for hours, key in enumerate(["band", "BAND", "ws", "task_type=band2"] * 30)]
    requests.clear()
    expected = [job.job_id for job in jobs if job.upload.key.lower().startswith("band/")]
    assert listed(run, "--checker", "band", "--limit", "20") == expected[-20:]
    assert listed(run, "--checker", "task_type=band2", "--limit", "2") == [jobs[n].job_id for n in (115, 119)]
    assert "Scan" not in requests


def test_states_are_those_of_the_moment(run: CommandLine) -> None:
    jobs = [put(run, hours, state=State.SUBMITTED) for hours in range(3)]
    run.put(State.FAILED, jobs[1].upload.key, created_at=jobs[1].created_at)
    assert listed(run, "--state", "submitted") == [jobs[0].job_id, jobs[2].job_id]
    assert listed(run, "--state", "failed", "--since", "2026-03-30") == [jobs[1].job_id]


def test_jobs_of_older_versions_are_listed_too(run: CommandLine) -> None:
    old, new = put(run, 0), put(run, 1)
    forget_index(run, old)
    assert listed(run) == listed(run, "--since", "2026-03-01") == [old.job_id, new.job_id]


def test_a_table_without_the_index_is_read_whole(run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [put(run, hours) for hours in range(3)]
    monkeypatch.setattr(latest_jobs, "MONTH_INDEX", "none")
    assert listed(run) == [job.job_id for job in jobs]


def test_a_refused_query_is_reported(run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    put(run, 0)

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "Query")

    assert boto3.DEFAULT_SESSION
    boto3.DEFAULT_SESSION.events.register("before-call.dynamodb.Query", refuse)
    try:
        result = run("jobs")
    finally:
        boto3.DEFAULT_SESSION.events.unregister("before-call.dynamodb.Query", refuse)
    assert result.exit_code == 1
    assert "AccessDenied" in result.stderr


def test_a_claim_enters_the_index(run: CommandLine, requests: list[str]) -> None:
    ledger = Ledger(boto3.client("dynamodb"), run.account.jobs_table, now=lambda: BEGIN)
    for number in range(3):
        upload = Upload("uploads", f"band/{number}.txt", "v1", "etag", 1200, "0A")
        ledger.claim(upload, lease_until=BEGIN, deadline=BEGIN)
    assert len(listed(run, "--limit", "2")) == 2
    assert "Scan" not in requests


@pytest.mark.parametrize("ago", ["12h", "1d"])
def test_since_takes_an_age(run: CommandLine, monkeypatch: pytest.MonkeyPatch, ago: str) -> None:
    monkeypatch.setattr("numberdrop_cli.parameters.utc_now", lambda: BEGIN + timedelta(days=2))
    jobs = [put(run, hours) for hours in (0, 10, 30, 40)]
    hours = {"12h": 36, "1d": 24}[ago]
    expected = [job.job_id for job in jobs if job.created_at >= BEGIN + timedelta(hours=hours)]
    assert listed(run, "--since", ago) == expected


@pytest.mark.parametrize(
    "text", ["yesterday", "9w", "2026-13-01", "", "99999999d", "\N{ARABIC-INDIC DIGIT ONE}d"]
)
def test_an_unclear_moment_is_a_usage_error(run: CommandLine, text: str) -> None:
    assert run("jobs", "--since", text).exit_code == 2
