"""Command line: `announce` sends a file whose event was lost, and never pays for it twice."""

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
from numberdrop.jobs.breaker import OpenBreaker
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload, upload_from_message
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.jobs_table import JobsTable
from numberdrop_cli.unannounced import UnannouncedUploads
from tests.support.account import Account, object_created
from tests.support.command_line import NO_EFFECTS, CommandLine, messages_in
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.jobs import NOON, a_job

KEY = "band/spring/leads.txt"


def announced(run: CommandLine) -> Upload:
    """Return the upload that the only message in the upload queue announces."""
    (body,) = messages_in(run.account.upload_queue)
    upload = upload_from_message(body, bucket=run.cloudformation.outputs["UploadBucketName"])
    assert upload
    return upload


class Head:
    """A fake S3 client with one response to HEAD requests, or one error."""

    def __init__(self, response: dict[str, Any] | ClientError) -> None:
        self.response = response

    def head_object(self, **_: str) -> dict[str, Any]:
        if isinstance(self.response, ClientError):
            raise self.response
        return self.response


def uploads(run: CommandLine, s3: Head) -> UnannouncedUploads:
    client, table = boto3.client("dynamodb"), run.account.jobs_table
    ledger, jobs = Ledger(client, table), JobsTable(client, table)
    line = CircuitBreaker(client, table)
    bucket = UploadBucket(s3)  # type: ignore[arg-type]
    return UnannouncedUploads(bucket, run.account.upload_bucket, ledger, jobs, line)


@pytest.fixture
def plain(run: CommandLine) -> str:
    """Make a bucket without versions, with a file in it, the stack's upload bucket."""
    boto3.client("s3").create_bucket(Bucket="plain")
    boto3.client("s3").put_object(Bucket="plain", Key=KEY, Body=file_of())
    run.cloudformation.outputs["UploadBucketName"] = "plain"
    return "plain"


# One file


def test_an_announcement_matches_the_lost_event(run: CommandLine) -> None:
    lost = run.account.drop(KEY, file_of())
    result = run("announce", KEY, "--yes")
    upload = announced(run)
    assert (result.exit_code, result.stderr) == (0, "")
    assert (upload.job_id, upload.etag, upload.size) == (lost.job_id, lost.etag, lost.size)
    assert f"numberdrop watch {lost.job_id[:12]}" in result.stdout
    assert (run.account.executions(), run.account.events()) == ([], [])


def test_the_latest_version_is_announced_by_default(run: CommandLine) -> None:
    first, _, latest = (run.account.drop(KEY, file_of(str(n))) for n in range(3))
    run("announce", KEY, "--yes")
    assert announced(run).job_id == latest.job_id
    run("announce", KEY, "--version-id", str(first.version_id), "--yes")
    assert announced(run).job_id == first.job_id


def test_an_announced_file_is_charged_once_if_its_event_arrives(
    run: CommandLine, functions: Functions, simulator: Simulator
) -> None:
    lost = run.account.drop(KEY, file_of())
    run("announce", KEY, "--yes")
    (message,) = messages_in(run.account.upload_queue)
    for body in (message, json.dumps(object_created(lost)), message):
        functions.deliver(body)
    assert len(simulator.charges) == 1


def test_announce_says_what_it_may_cost_before_it_asks(run: CommandLine) -> None:
    lost = run.account.drop(KEY, file_of())
    plan, question, _ = run("announce", KEY, answer="n\n").stdout.partition("Go on?")
    assert question
    assert f"Job {lost.job_id[:12]}, '{KEY}', on stack numberdrop in us-east-1, account 123456789012" in plan
    assert f"Version {lost.version_id}, 1,400 bytes." in plan
    assert "WILL be sent to the vendor" in plan
    assert "may charge" in plan


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_nothing_is_announced_without_a_yes(run: CommandLine, answer: str) -> None:
    run.account.drop(KEY, file_of())
    assert run("announce", KEY, answer=answer).exit_code == 1
    assert run.effects == NO_EFFECTS


def test_a_yes_announces_the_file(run: CommandLine) -> None:
    run.account.drop(KEY, file_of())
    assert run("announce", KEY, answer="y\n").exit_code == 0
    assert announced(run).key == KEY


def test_announce_prints_no_phone_number(run: CommandLine) -> None:
    run.account.drop("band/+447700900123.txt", file_of())
    for key in ("band/+447700900123.txt", "band/447700900124"):
        result = run("announce", key, "--yes")
        assert "[digits]" in result.output
        assert "7700" not in result.output


# In a bucket without versions


def test_an_object_without_a_version_is_always_the_same_job(run: CommandLine, plain: str) -> None:
    for _ in range(2):
        assert run("announce", KEY, "--yes").exit_code == 0
    first, again = (upload_from_message(body, bucket=plain) for body in messages_in(run.account.upload_queue))
    assert first
    assert first == again
    assert (first.version_id, first.size) == (None, len(file_of()))


def test_a_later_object_with_the_same_key_is_another_job(run: CommandLine) -> None:
    written = {"ETag": '"etag"', "ContentLength": 1400}
    now_and_later = [
        uploads(run, Head(written | {"LastModified": NOON + timedelta(seconds=seconds)}))
        for seconds in (0, 1)
    ]
    assert len({each.find(KEY, None).job_id for each in now_and_later}) == 2


def test_an_object_older_than_versioning_has_no_version(run: CommandLine, plain: str) -> None:
    boto3.client("s3").put_bucket_versioning(Bucket=plain, VersioningConfiguration={"Status": "Enabled"})
    run("announce", KEY, "--yes")
    assert announced(run).version_id is None


@pytest.mark.usefixtures("plain")
def test_without_a_version_the_second_charge_is_mentioned(run: CommandLine) -> None:
    plan, question, _ = run("announce", KEY, answer="n\n").stdout.partition("Go on?")
    assert question
    assert "ANOTHER JOB" in plan
    assert "paid for twice" in plan


@pytest.mark.parametrize("sequencer", ["0055AED6DCD90281E5", ""])
def test_without_a_version_any_job_of_the_file_is_a_refusal(
    run: CommandLine, plain: str, sequencer: str
) -> None:
    (existing,) = run.uploads()
    known = a_job(State.SUBMITTED, upload=Upload(plain, KEY, None, existing.etag, 1400, sequencer))
    run.account.put(known)
    result = run("announce", KEY, "--yes")
    assert result.exit_code == 1
    assert f"numberdrop show {known.job_id[:12]}" in result.stderr
    assert run.effects == NO_EFFECTS


# Refusals


@pytest.mark.parametrize("state", State)
def test_a_file_with_a_job_in_any_state_is_refused(run: CommandLine, state: State) -> None:
    job = a_job(state, upload=run.account.drop(KEY, file_of()))
    run.account.put(job)
    result = run("announce", KEY, "--yes")
    assert result.exit_code == 1
    assert f"which is {state}." in result.stderr
    assert f"numberdrop show {job.job_id[:12]}" in result.stderr
    assert run.effects == NO_EFFECTS


def never_uploaded(_: Account) -> list[str]:
    return [KEY]


def permanently_deleted(account: Account) -> list[str]:
    upload = account.drop(KEY, file_of())
    account.delete(upload)
    return [KEY, "--version-id", str(upload.version_id)]


def below_a_delete_marker(account: Account) -> list[str]:
    account.drop(KEY, file_of())
    boto3.client("s3").delete_object(Bucket=account.upload_bucket, Key=KEY)
    return [KEY]


def a_delete_marker(account: Account) -> list[str]:
    account.drop(KEY, file_of())
    marker = boto3.client("s3").delete_object(Bucket=account.upload_bucket, Key=KEY)
    return [KEY, "--version-id", marker["VersionId"]]


def an_unknown_version(account: Account) -> list[str]:
    account.drop(KEY, file_of())
    return [KEY, "--version-id", "another"]


@pytest.mark.parametrize(
    "prepare",
    [never_uploaded, permanently_deleted, below_a_delete_marker, a_delete_marker, an_unknown_version],
)
def test_an_object_that_does_not_exist_is_refused(
    run: CommandLine, prepare: Callable[[Account], list[str]]
) -> None:
    result = run("announce", *prepare(run.account), "--yes")
    assert result.exit_code == 1
    assert f"{KEY} in the bucket uploads; it may have been deleted." in result.stderr
    assert run.effects == NO_EFFECTS


def test_an_invalid_version_id_is_refused(
    run: CommandLine,
) -> None:
    """S3 responds with 400 ("Error responses", "Invalid version id specified"). moto responds with 404."""
    response: Any = {"Error": {"Code": "400"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    s3 = Head(ClientError(response, "HeadObject"))
    with pytest.raises(RefusedError, match="no version mine of"):
        uploads(run, s3).find(KEY, "mine")
    with pytest.raises(ClientError):
        uploads(run, s3).find(KEY, None)


def test_a_version_below_a_delete_marker_can_be_announced(run: CommandLine) -> None:
    existing = run.account.drop(KEY, file_of())
    boto3.client("s3").delete_object(Bucket="uploads", Key=KEY)
    run("announce", KEY, "--version-id", str(existing.version_id), "--yes")
    assert announced(run).job_id == existing.job_id


@pytest.mark.parametrize("key", ["band/spring/", "/", "", "x" * 1025, "\udcff"])
def test_an_invalid_key_is_a_usage_error(run: CommandLine, key: str) -> None:
    result = run("announce", key, "--yes")
    assert result.exit_code == 2
    assert run.effects == NO_EFFECTS


# All missing files


@pytest.fixture
def without_a_minimum_age(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the audit report files of any age. Normally it skips files younger than a day."""
    monkeypatch.setattr("numberdrop.steps.audit.MIN_AGE", timedelta(0))


@pytest.mark.usefixtures("without_a_minimum_age")
def test_all_missing_files_are_announced_after_one_question(run: CommandLine) -> None:
    known = run.account.drop("band/known.txt", file_of())
    run.account.put(a_job(State.COMPLETED, upload=known))
    missing = [run.account.drop(f"band/{name}.txt", file_of()) for name in ("a", "b")]
    result = run("announce", "--missing", answer="y\n")
    bodies = messages_in(run.account.upload_queue)
    uploads = [upload_from_message(body, bucket=run.account.upload_bucket) for body in bodies]
    assert {upload.job_id for upload in uploads if upload} == {upload.job_id for upload in missing}
    assert "band/a.txt\n" in result.stdout
    assert "band/known.txt" not in result.stdout
    assert "WILL be sent" in result.stdout


@pytest.mark.usefixtures("without_a_minimum_age")
def test_no_missing_file_is_announced_without_a_yes(run: CommandLine) -> None:
    run.account.drop(KEY, file_of())
    assert run("announce", "--missing", answer="n\n").exit_code == 1
    assert messages_in(run.account.upload_queue) == []


def test_nothing_is_asked_if_no_file_is_missing(run: CommandLine) -> None:
    run.account.drop(KEY, file_of())  # younger than a day
    result = run("announce", "--missing")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Every file" in result.stdout


@pytest.mark.usefixtures("without_a_minimum_age")
def test_replaced_files_are_marked_in_the_list(run: CommandLine) -> None:
    for _ in range(2):
        run.account.drop(KEY, file_of())
    plan, _, question = run("announce", "--missing", answer="n\n").stdout.partition("Go on?")
    assert question
    assert plan.count(KEY) == 2
    assert plan.count(f"{KEY}  (replaced or deleted since)") == 1


@pytest.mark.usefixtures("without_a_minimum_age")
def test_an_open_breaker_hides_which_files_are_missing(run: CommandLine) -> None:
    run.account.drop(KEY, file_of())
    CircuitBreaker(boto3.client("dynamodb"), run.account.jobs_table).open(OpenBreaker(holder="a" * 64))
    result = run("announce", "--missing", "--yes")
    assert (result.exit_code, messages_in(run.account.upload_queue)) == (1, [])
    assert "The circuit breaker is open because of job aaaaaaaaaaaa," in result.stderr


@pytest.mark.parametrize("arguments", [[], [KEY, "--missing"], ["--missing", "--version-id", "v"]])
def test_key_and_missing_exclude_each_other(run: CommandLine, arguments: list[str]) -> None:
    result = run("announce", *arguments)
    assert result.exit_code == 2
    assert "Give either KEY" in result.stderr
