"""People who drop files by S3 find in the results bucket why a job ended without results."""

import json
from dataclasses import replace
from typing import Any, Self

import pytest
from botocore.exceptions import ClientError
from jsonschema import Draft4Validator

from numberdrop.aws.failure_files import FOR_PEOPLE, FOR_PROGRAMS, failure_folder
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import COLLECT_AGAIN, ENDED_WITHOUT_RESULTS, State
from numberdrop.jobs.upload import Upload
from tests.support.account import Account, client
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.jobs import a_job, an_upload
from tests.support.outcomes import job_of
from tests.support.template import PROJECT

SCHEMA = json.loads((PROJECT / "events/schemas/1/failed_file.json").read_text("utf-8"))


class RefusingS3:
    """A bucket that refuses every request with the same error."""

    def __init__(self, code: str, status: int) -> None:
        self._error = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def put_object(self, **_: Any) -> None:
        raise ClientError(self._error, "PutObject")  # type: ignore[arg-type]

    def get_paginator(self, _: str) -> Self:
        return self

    def paginate(self, **_: Any) -> None:
        raise ClientError(self._error, "ListObjectsV2")  # type: ignore[arg-type]

    def delete_object(self, **_: Any) -> None:
        raise ClientError(self._error, "DeleteObject")  # type: ignore[arg-type]


def facts_of(account: Account, upload: Upload) -> dict[str, Any]:
    folder = failure_folder(job_of(account, upload))
    facts: dict[str, Any] = json.loads(account.stored()[folder + FOR_PROGRAMS])
    return facts


def names(account: Account) -> set[str]:
    return {key.rpartition("/")[2] for key in account.stored()}


def test_an_upload_that_cannot_be_used_leaves_both_files(account: Account, functions: Functions) -> None:
    upload = account.drop("band/leads.txt", b"\n\n")
    assert functions.submit(upload)
    facts = facts_of(account, upload)
    Draft4Validator(SCHEMA).validate(facts)
    assert (facts["state"], facts["reason"]["code"], facts["charged"]) == ("failed", "EMPTY_FILE", False)
    text = account.stored()[failure_folder(job_of(account, upload)) + FOR_PEOPLE].decode()
    assert "EMPTY_FILE" in text
    assert facts["what_to_do"] in " ".join(text.split())


@pytest.mark.parametrize("key", ["leads.txt", "no-such-checker/leads.txt", "armed/leads.txt", "a" * 1020])
def test_an_upload_without_a_checker_leaves_both_files(
    account: Account, functions: Functions, key: str
) -> None:
    upload = account.drop(key, file_of())
    assert functions.submit(upload)
    folder = failure_folder(job_of(account, upload))
    assert facts_of(account, upload)["reason"]["code"] == ReasonCode.UNKNOWN_CHECKER
    assert not folder.startswith("armed/")
    assert len(folder.encode()) <= 1000
    assert account.fence(upload) is None


@pytest.mark.parametrize("state", State)
def test_only_jobs_that_ended_without_results_leave_files(
    account: Account, ledger: Ledger, state: State
) -> None:
    job = a_job(state)
    account.put(job)
    account.announcer(ledger).announce(job)
    expected = {FOR_PEOPLE, FOR_PROGRAMS} if state in ENDED_WITHOUT_RESULTS else set()
    assert names(account) == expected
    if expected:
        Draft4Validator(SCHEMA).validate(facts_of(account, job.upload))


def test_the_files_are_written_again_after_a_crash(
    account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.put(a_job(State.SUBMITTED))
    busy = RefusingS3("ServiceUnavailable", 503)
    with monkeypatch.context() as patch:
        patch.setattr("numberdrop.aws.failure_files.FailureFiles.client", busy)
        with pytest.raises(ClientError):
            functions.record_failure(an_upload(), ReasonCode.TASK_FAILED)
    assert account.events() == []
    assert functions.reconcile({"detail-type": "Scheduled Event"}) == {"announced": 1}
    assert names(account) == {FOR_PEOPLE, FOR_PROGRAMS}
    assert len(account.events()) == 1


def test_an_event_does_not_wait_for_a_refused_bucket(account: Account, ledger: Ledger) -> None:
    job = a_job(State.FAILED)
    account.put(job)
    announcer = account.announcer(ledger)
    refused: Any = RefusingS3("AccessDenied", 403)
    files = replace(announcer.failure_files, connect_s3=lambda: refused)
    replace(announcer, failure_files=files).announce(job)
    assert len(account.events()) == 1


def test_a_job_that_is_completed_later_keeps_no_such_file(
    account: Account, functions: Functions, upload: Upload, ledger: Ledger
) -> None:
    functions.record_failure(upload, ReasonCode.RESULT_UNAVAILABLE)
    assert names(account) == {FOR_PEOPLE, FOR_PROGRAMS}
    ledger.move(job_of(account, upload), COLLECT_AGAIN, run=2, reason=None, finished_at=None)
    assert functions.collect(upload)["next"] == "done"
    assert "results.csv" in names(account)
    assert not {FOR_PEOPLE, FOR_PROGRAMS} & names(account)


def test_a_failure_that_a_restored_table_forgot_keeps_no_file(
    account: Account, functions: Functions, upload: Upload
) -> None:
    before = job_of(account, upload)
    functions.record_failure(upload, ReasonCode.RESULT_UNAVAILABLE)
    account.put(before)
    assert functions.collect(upload)["next"] == "done"
    assert "results.csv" in names(account)
    assert not {FOR_PEOPLE, FOR_PROGRAMS} & names(account)


def test_a_job_that_never_failed_leaves_no_delete_markers(
    account: Account, functions: Functions, upload: Upload
) -> None:
    functions.collect(upload)
    listed = client("s3").list_object_versions(Bucket=account.results_bucket)
    assert listed["Versions"]
    assert "DeleteMarkers" not in listed


def test_results_do_not_wait_for_files_that_cannot_be_listed(
    account: Account, functions: Functions, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numberdrop.aws.failure_files.FailureFiles.client", RefusingS3("AccessDenied", 403))
    assert functions.collect(upload)["next"] == "done"


def test_a_second_failure_replaces_the_first_files(
    account: Account, functions: Functions, upload: Upload, ledger: Ledger
) -> None:
    functions.record_failure(upload, ReasonCode.RESULT_UNAVAILABLE)
    ledger.move(job_of(account, upload), COLLECT_AGAIN, run=2, reason=None, finished_at=None)
    functions.record_failure(upload, ReasonCode.TASK_FAILED)
    assert facts_of(account, upload)["reason"]["code"] == ReasonCode.TASK_FAILED
    assert names(account) == {FOR_PEOPLE, FOR_PROGRAMS}
