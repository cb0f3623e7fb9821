"""The outcome of an upload: its job, its events and its files."""

import csv
from collections.abc import Mapping
from typing import Any

from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from tests.support.account import Account
from tests.support.invocations import Functions


def job_of(account: Account, upload: Upload) -> Job:
    job = account.job(upload)
    assert job
    return job


def ending_of(account: Account, upload: Upload) -> tuple[State, ReasonCode | None, bool | None]:
    """Return state, reason code and charge of a job, after checking that its only event agrees."""
    job = job_of(account, upload)
    (event,) = account.events()
    detail = event["detail"]
    assert (detail["job_id"], detail["charged"]) == (job.job_id, job.charged)
    assert job.reason
    assert detail["reason"] == {"code": job.reason.code, "message": job.reason.message}
    assert job.ending in job.announced
    return job.state, job.reason.code, job.charged


def files_of(account: Account, upload: Upload) -> Mapping[str, bytes]:
    """Return the stored files by name, after checking that all keys start with the upload's key."""
    prefix = f"{upload.key}/{upload.job_id[:12]}/"
    stored = account.stored()
    assert all(key.startswith(prefix) for key in stored)
    return {key.removeprefix(prefix): content for key, content in stored.items()}


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(content.decode().splitlines()))


def failure(decision: Mapping[str, Any]) -> str:
    assert decision["next"] == "fail"
    code: str = decision["reason"]["code"]
    return code


def submitted(account: Account, functions: Functions, key: str, content: bytes) -> Upload:
    dropped = account.drop(key, content)
    functions.submit(dropped)
    assert account.events() == []
    return dropped
