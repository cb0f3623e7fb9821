"""Each function handles its sample event in events/."""

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest

from functions.audit import app as audit
from functions.check_status import app as check_status
from functions.collect import app as collect
from functions.compact import app as compact
from functions.reconcile import app as reconcile
from functions.record_failure import app as record_failure
from functions.submit import app as submit
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload, upload_from_message
from numberdrop.steps.queue_handler import Message
from tests.support.account import Account
from tests.support.invocations import Functions
from tests.support.jobs import a_job
from tests.support.outcomes import ending_of, job_of
from tests.support.template import PROJECT
from tests.support.vendor_by_hand import VendorByHand

BUCKET = "numberdrop-uploads-example"


def sample(function: str) -> Any:
    return json.loads((PROJECT / "events" / f"{function}.json").read_text("utf-8"))


@pytest.fixture
def announced(account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Upload:
    """Return the upload of all samples, in a bucket that no longer contains it."""
    (record,) = sample("submit")["Records"]
    upload = upload_from_message(Message.from_record(record).body, bucket=BUCKET)
    assert upload
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    monkeypatch.setenv("UPLOAD_BUCKET", BUCKET)
    return upload


@pytest.fixture
def submitted(account: Account, vendor: VendorByHand, announced: Upload) -> Upload:
    """Return the same upload after its task was exported."""
    task_id = vendor.submit("band").json()["task_id"]
    account.put(replace(a_job(State.SUBMITTED, upload=announced), task_id=task_id))
    return announced


def test_every_function_has_a_sample_event() -> None:
    samples = {path.stem for path in (PROJECT / "events").glob("*.json")}
    assert samples == {path.parent.name for path in (PROJECT / "functions").glob("*/app.py")}


def test_submit_reads_its_sample_as_an_upload(
    account: Account, functions: Functions, announced: Upload
) -> None:
    submit.handler(sample("submit"), functions.context)
    assert ending_of(account, announced) == (State.FAILED, ReasonCode.UPLOAD_GONE, False)


def test_check_status_handles_its_sample_as_a_first_check(functions: Functions, submitted: Upload) -> None:
    assert check_status.handler(sample("check_status"), functions.context)["next"] == "collect"


def test_collect_completes_the_job_of_its_sample(
    account: Account, functions: Functions, submitted: Upload
) -> None:
    assert collect.handler(sample("collect"), functions.context)["next"] == "done"
    assert job_of(account, submitted).state is State.COMPLETED


def test_record_failure_records_the_reason_of_its_sample(
    account: Account, functions: Functions, submitted: Upload
) -> None:
    record_failure.handler(sample("record_failure"), functions.context)
    assert ending_of(account, submitted) == (State.FAILED, ReasonCode.TASK_FAILED, True)


def test_reconcile_settles_the_job_of_its_sample(
    account: Account, functions: Functions, submitted: Upload
) -> None:
    assert reconcile.handler(sample("reconcile"), functions.context) == "failed for its execution"
    assert ending_of(account, submitted) == (State.FAILED, ReasonCode.ABORTED, True)


def test_audit_handles_its_sample(
    functions: Functions,
    announced: Upload,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # The module read the namespace from the environment when it was imported; the template sets it there.
    monkeypatch.setattr(audit.metrics.provider, "namespace", "numberdrop")
    audit.handler(sample("audit"), functions.context)
    assert '"UnannouncedUploads":[0.0]' in capsys.readouterr().out


def test_compact_handles_its_sample(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    boto3.client("s3").create_bucket(Bucket="memory")
    settings = {"REMEMBER_YES_DAYS": "90", "REMEMBER_NO_DAYS": "30", "RETENTION_DAYS": "60"}
    for name, value in {**settings, "MEMORY_BUCKET": "memory"}.items():
        monkeypatch.setenv(name, value)
    assert compact.handler(sample("compact"), functions.context) == {"checkers": 0, "runs": 0, "dropped": 0}
    assert compact.compactor().longest_life == 60
