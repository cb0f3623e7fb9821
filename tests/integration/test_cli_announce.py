"""The command line: a file in the bucket whose event never came is announced, and never charged twice."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.simulator import Simulator
from numberdrop.aws.buckets import UploadBucket
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload, upload_from_message
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.jobs_table import JobsTable
from numberdrop_cli.unannounced import UnannouncedUploads
from tests.support.account import Account, object_created
from tests.support.command_line import NOTHING, CommandLine, waiting
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.jobs import NOON, a_job

KEY = "band/spring/leads.txt"


def announced(run: CommandLine) -> Upload:
    """The upload that the only message of the upload queue announces."""
    (body,) = waiting(run.account.upload_queue)
    upload = upload_from_message(body, bucket=run.cloudformation.outputs["UploadBucketName"])
    assert upload
    return upload


class Head:
    """Amazon S3 with one answer to HEAD requests, or one refusal."""

    def __init__(self, answer: dict[str, Any] | ClientError) -> None:
        self.answer = answer

    def head_object(self, **_: str) -> dict[str, Any]:
        if isinstance(self.answer, ClientError):
            raise self.answer
        return self.answer


def uploads(run: CommandLine, s3: Head) -> UnannouncedUploads:
    client, table = boto3.client("dynamodb"), run.account.jobs_table
    ledger, jobs = Ledger(client, table), JobsTable(client, table)
    line = CircuitBreaker(client, table)
    bucket = UploadBucket(s3)  # type: ignore[arg-type]
    return UnannouncedUploads(bucket, run.account.upload_bucket, ledger, jobs, line)


@pytest.fixture
def plain(run: CommandLine) -> str:
    """The stack's upload bucket, which has no versions, with a file in it."""
    boto3.client("s3").create_bucket(Bucket="plain")
    boto3.client("s3").put_object(Bucket="plain", Key=KEY, Body=file_of())
    run.cloudformation.outputs["UploadBucketName"] = "plain"
    return "plain"


# What is announced


def test_a_file_is_announced_as_its_event_would_have(run: CommandLine) -> None:
    lost = run.account.drop(KEY, file_of())
    result = run("announce", KEY, "--yes")
    told = announced(run)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (told.job_id, told.etag, told.size) == (lost.job_id, lost.etag, lost.size)
    assert f"numberdrop watch {lost.job_id[:12]}" in result.stdout
    assert (run.account.executions(), run.account.events()) == ([], [])


def test_the_latest_version_is_announced_unless_another_is_named(run: CommandLine) -> None:
    first, _, latest = (run.account.drop(KEY, file_of(str(n))) for n in range(3))
    run("announce", KEY, "--yes")
    assert announced(run).job_id == latest.job_id
    run("announce", KEY, "--version-id", str(first.version_id), "--yes")
    assert announced(run).job_id == first.job_id


def test_a_file_that_is_announced_is_charged_once_though_its_event_comes_after_all(
    run: CommandLine, functions: Functions, simulator: Simulator
) -> None:
    lost = run.account.drop(KEY, file_of())
    run("announce", KEY, "--yes")
    (message,) = waiting(run.account.upload_queue)
    for body in (message, json.dumps(object_created(lost)), message):
        functions.deliver(body)
    assert len(simulator.charges) == 1


def test_what_may_be_charged_and_where_is_said_before_it_is_asked(run: CommandLine) -> None:
    lost = run.account.drop(KEY, file_of())
    told, question, _ = run("announce", KEY, answer="n\n").stdout.partition("Go on?")
    assert question
    assert f"Job {lost.job_id[:12]}, '{KEY}', on stack numberdrop in us-east-1, account 123456789012" in told
    assert f"Version {lost.version_id}, 1,400 bytes." in told
    assert "WILL be sent to the vendor" in told
    assert "may charge" in told


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_nothing_is_announced_without_a_yes(run: CommandLine, answer: str) -> None:
    run.account.drop(KEY, file_of())
    assert run("announce", KEY, answer=answer).exit_code == 1
    assert run.done == NOTHING


def test_a_yes_is_enough(run: CommandLine) -> None:
    run.account.drop(KEY, file_of())
    assert run("announce", KEY, answer="y\n").exit_code == 0
    assert announced(run).key == KEY


def test_no_number_is_printed(run: CommandLine) -> None:
    run.account.drop("band/+447700900123.txt", file_of())
    for key in ("band/+447700900123.txt", "band/447700900124"):
        result = run("announce", key, "--yes")
        assert "[digits]" in result.output
        assert "7700" not in result.output


# In a bucket without versions


def test_an_object_without_a_version_is_announced_as_it_is_and_always_as_the_same_job(
    run: CommandLine, plain: str
) -> None:
    for _ in range(2):
        assert run("announce", KEY, "--yes").exit_code == 0
    first, again = (upload_from_message(body, bucket=plain) for body in waiting(run.account.upload_queue))
    assert first
    assert first == again
    assert (first.version_id, first.size) == (None, len(file_of()))


def test_what_is_written_later_under_the_key_is_another_job(run: CommandLine) -> None:
    written = {"ETag": '"etag"', "ContentLength": 1400}
    now_and_later = [
        uploads(run, Head(written | {"LastModified": NOON + timedelta(seconds=seconds)}))
        for seconds in (0, 1)
    ]
    assert len({each.find(KEY, None).job_id for each in now_and_later}) == 2


def test_what_was_written_before_the_bucket_had_versions_has_none(run: CommandLine, plain: str) -> None:
    boto3.client("s3").put_bucket_versioning(Bucket=plain, VersioningConfiguration={"Status": "Enabled"})
    run("announce", KEY, "--yes")
    assert announced(run).version_id is None


@pytest.mark.usefixtures("plain")
def test_without_a_version_an_event_that_comes_after_all_is_said_to_cost(run: CommandLine) -> None:
    told, question, _ = run("announce", KEY, answer="n\n").stdout.partition("Go on?")
    assert question
    assert "ANOTHER JOB" in told
    assert "paid for twice" in told


@pytest.mark.parametrize("sequencer", ["0055AED6DCD90281E5", ""])
def test_without_a_version_a_job_of_the_same_file_is_enough_to_refuse(
    run: CommandLine, plain: str, sequencer: str
) -> None:
    (lies_there,) = run.sent()
    known = a_job(State.SUBMITTED, upload=Upload(plain, KEY, None, lies_there.etag, 1400, sequencer))
    run.account.put(known)
    result = run("announce", KEY, "--yes")
    assert result.exit_code == 1
    assert f"numberdrop show {known.job_id[:12]}" in result.stderr
    assert run.done == NOTHING


# What is refused


@pytest.mark.parametrize("state", State)
def test_a_file_that_has_a_job_is_refused_whatever_became_of_it(run: CommandLine, state: State) -> None:
    job = a_job(state, upload=run.account.drop(KEY, file_of()))
    run.account.put(job)
    result = run("announce", KEY, "--yes")
    assert result.exit_code == 1
    assert f"it is {state}." in result.stderr
    assert f"numberdrop show {job.job_id[:12]}" in result.stderr
    assert run.done == NOTHING


def never_there(_: Account) -> list[str]:
    return [KEY]


def deleted_for_good(account: Account) -> list[str]:
    upload = account.drop(KEY, file_of())
    account.delete(upload)
    return [KEY, "--version-id", str(upload.version_id)]


def marked_as_deleted(account: Account) -> list[str]:
    account.drop(KEY, file_of())
    boto3.client("s3").delete_object(Bucket=account.upload_bucket, Key=KEY)
    return [KEY]


def the_mark_of_a_deletion(account: Account) -> list[str]:
    account.drop(KEY, file_of())
    marker = boto3.client("s3").delete_object(Bucket=account.upload_bucket, Key=KEY)
    return [KEY, "--version-id", marker["VersionId"]]


def a_version_that_never_was(account: Account) -> list[str]:
    account.drop(KEY, file_of())
    return [KEY, "--version-id", "another"]


@pytest.mark.parametrize(
    "gone",
    [never_there, deleted_for_good, marked_as_deleted, the_mark_of_a_deletion, a_version_that_never_was],
)
def test_an_object_that_is_gone_is_refused(run: CommandLine, gone: Callable[[Account], list[str]]) -> None:
    result = run("announce", *gone(run.account), "--yes")
    assert result.exit_code == 1
    assert f"{KEY} in the bucket uploads, or not any more." in result.stderr
    assert run.done == NOTHING


def test_what_can_be_no_version_is_refused_and_other_bad_requests_are_not_taken_for_that(
    run: CommandLine,
) -> None:
    """Amazon S3 answers so ("Error responses", "Invalid version id specified"); moto says 404."""
    answer: Any = {"Error": {"Code": "400"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    s3 = Head(ClientError(answer, "HeadObject"))
    with pytest.raises(RefusedError, match="no version mine of"):
        uploads(run, s3).find(KEY, "mine")
    with pytest.raises(ClientError):
        uploads(run, s3).find(KEY, None)


def test_a_version_is_announced_though_the_latest_marks_a_deletion(run: CommandLine) -> None:
    there = run.account.drop(KEY, file_of())
    boto3.client("s3").delete_object(Bucket="uploads", Key=KEY)
    run("announce", KEY, "--version-id", str(there.version_id), "--yes")
    assert announced(run).job_id == there.job_id


@pytest.mark.parametrize("key", ["band/spring/", "/", "", "x" * 1025, "\udcff"])
def test_what_is_no_key_of_an_upload_is_a_usage_error(run: CommandLine, key: str) -> None:
    result = run("announce", key, "--yes")
    assert result.exit_code == 2
    assert run.done == NOTHING


# All that are missing


@pytest.fixture
def two_days_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit leaves what is younger than a day to the queue."""
    monkeypatch.setattr("numberdrop.steps.audit.MIN_AGE", timedelta(0))


@pytest.mark.usefixtures("two_days_later")
def test_all_that_the_audit_would_report_is_announced_after_one_question(run: CommandLine) -> None:
    known = run.account.drop("band/known.txt", file_of())
    run.account.put(a_job(State.COMPLETED, upload=known))
    missing = [run.account.drop(f"band/{name}.txt", file_of()) for name in ("a", "b")]
    result = run("announce", "--missing", answer="y\n")
    bodies = waiting(run.account.upload_queue)
    told = [upload_from_message(body, bucket=run.account.upload_bucket) for body in bodies]
    assert {upload.job_id for upload in told if upload} == {upload.job_id for upload in missing}
    assert "band/a.txt\n" in result.stdout
    assert "band/known.txt" not in result.stdout
    assert "WILL be sent" in result.stdout


@pytest.mark.usefixtures("two_days_later")
def test_nothing_that_is_missing_is_announced_without_a_yes(run: CommandLine) -> None:
    run.account.drop(KEY, file_of())
    assert run("announce", "--missing", answer="n\n").exit_code == 1
    assert waiting(run.account.upload_queue) == []


def test_where_nothing_is_missing_nothing_is_asked(run: CommandLine) -> None:
    run.account.drop(KEY, file_of())  # younger than a day
    result = run("announce", "--missing")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Every file" in result.stdout


@pytest.mark.usefixtures("two_days_later")
def test_what_was_replaced_since_is_marked_before_it_is_asked(run: CommandLine) -> None:
    for _ in range(2):
        run.account.drop(KEY, file_of())
    told, _, question = run("announce", "--missing", answer="n\n").stdout.partition("Go on?")
    assert question
    assert told.count(KEY) == 2
    assert told.count(f"{KEY}  (replaced or deleted since)") == 1


@pytest.mark.usefixtures("two_days_later")
def test_behind_a_stopped_line_nobody_can_tell_what_is_missing(run: CommandLine) -> None:
    run.account.drop(KEY, file_of())
    CircuitBreaker(boto3.client("dynamodb"), run.account.jobs_table).trip("a" * 64)
    result = run("announce", "--missing", "--yes")
    assert (result.exit_code, waiting(run.account.upload_queue)) == (1, [])
    assert "The line is stopped by the job aaaaaaaaaaaa" in result.stderr


@pytest.mark.parametrize("arguments", [[], [KEY, "--missing"], ["--missing", "--version-id", "v"]])
def test_a_key_and_all_that_are_missing_exclude_each_other(run: CommandLine, arguments: list[str]) -> None:
    result = run("announce", *arguments)
    assert result.exit_code == 2
    assert "Say one of" in result.stderr
