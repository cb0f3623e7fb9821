"""Command line: jobs are found by id, by its first digits and by key, without reading the whole ledger."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from numberdrop.aws.fences import Fences
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from tests.support.command_line import CommandLine, json_output, recorded_requests
from tests.support.files import file_of
from tests.support.jobs import a_job

KEY = "band/spring/leads.txt"


@pytest.fixture
def scans() -> Iterator[list[str]]:
    """Return a list that gets an entry for each scan of the ledger."""
    with recorded_requests("dynamodb.Scan") as names:
        yield names


def drop(run: CommandLine, state: State | None = State.COMPLETED, key: str = KEY) -> Upload:
    """Put a file into the bucket, and a job about it into the ledger if a state is given."""
    upload = run.account.drop(key, file_of())
    if state:
        run.account.put(a_job(state, upload=upload))
    return upload


def shown(run: CommandLine, name: str) -> str:
    found: str = json_output(run("show", name, "--json"))["job_id"]
    return found


def put_up_fence(run: CommandLine, job: Job) -> None:
    Fences(boto3.client("s3"), run.account.results_bucket).put_up(job)


def test_a_job_is_found_by_its_key(run: CommandLine, scans: list[str]) -> None:
    drop(run, key=f"{KEY}.bak")
    upload = drop(run)
    assert shown(run, KEY) == upload.job_id
    assert scans == []


def test_the_latest_version_of_a_key_counts(run: CommandLine, scans: list[str]) -> None:
    drop(run)
    latest = drop(run)
    assert shown(run, KEY) == latest.job_id
    assert scans == []


def test_an_older_version_is_only_taken_by_its_id(run: CommandLine) -> None:
    older = drop(run, State.IN_DOUBT)
    drop(run, None)
    result = run("resolve", KEY, "--abandon", "--yes")
    assert result.exit_code == 1
    assert f"by its id, {older.job_id[:12]}." in result.stderr


def test_a_deleted_object_is_found_by_its_key(run: CommandLine) -> None:
    upload = drop(run)
    boto3.client("s3").delete_object(Bucket=run.account.upload_bucket, Key=KEY)
    assert shown(run, KEY) == upload.job_id


@pytest.mark.parametrize("prepare", [lambda _: None, lambda run: drop(run, None)])
def test_a_key_without_a_job_is_refused(run: CommandLine, prepare: Any) -> None:
    prepare(run)
    result = run("watch", KEY)
    assert result.exit_code == 1
    assert f"There is no job for {KEY}." in result.stderr


def test_a_key_in_a_bucket_without_versions_is_found(run: CommandLine) -> None:
    boto3.client("s3").create_bucket(Bucket="plain")
    etag = boto3.client("s3").put_object(Bucket="plain", Key=KEY, Body=file_of())["ETag"].strip('"')
    run.cloudformation.outputs["UploadBucketName"] = "plain"
    job = a_job(State.COMPLETED, upload=Upload("plain", KEY, None, etag, 1400, "0A"))
    run.account.put(job)
    assert shown(run, KEY) == job.job_id


def test_every_command_about_a_job_takes_a_key(run: CommandLine) -> None:
    drop(run, State.IN_DOUBT)
    assert run("resolve", KEY, "--abandon", "--yes").exit_code == 0
    assert run("watch", KEY).exit_code == 3
    assert "there is nothing to collect again" in run("collect-again", KEY).stderr


def test_a_key_is_printed_without_numbers(run: CommandLine) -> None:
    assert "There is no job for band/[digits].txt." in run("show", "band/447700900123.txt").stderr


@pytest.mark.parametrize("name", ["band/", "\udcff/x", f"band/{'x' * 1024}"])
def test_an_invalid_key_is_a_usage_error(run: CommandLine, name: str) -> None:
    assert run("show", name).exit_code == 2


def test_a_sent_job_is_found_by_the_digits_that_people_see(run: CommandLine, scans: list[str]) -> None:
    job = run.put(State.SUBMITTED)
    put_up_fence(run, job)
    assert shown(run, job.job_id[:12]) == job.job_id
    assert scans == []


def test_fewer_digits_are_looked_up_in_the_whole_ledger(run: CommandLine, scans: list[str]) -> None:
    job = run.put(State.SUBMITTED)
    put_up_fence(run, job)
    run.account.put(replace(a_job(), job_id=job.job_id[:8] + "0" * 56))
    result = run("show", job.job_id[:8])
    assert "2 job ids begin with" in result.stderr
    assert scans


def test_a_job_that_was_never_sent_is_found_by_its_digits(run: CommandLine) -> None:
    job = run.put(State.FAILED)
    assert shown(run, job.job_id[:12]) == job.job_id


def test_without_permission_to_list_fences_the_ledger_is_read(run: CommandLine) -> None:
    job = run.put(State.FAILED)

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectsV2")

    assert boto3.DEFAULT_SESSION
    boto3.DEFAULT_SESSION.events.register("before-call.s3.ListObjectsV2", refuse)
    try:
        assert shown(run, job.job_id[:12]) == job.job_id
    finally:
        boto3.DEFAULT_SESSION.events.unregister("before-call.s3.ListObjectsV2", refuse)
