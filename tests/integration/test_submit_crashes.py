"""The submit function when its process is killed, or when a service of AWS fails."""

import dataclasses
from typing import Any, Unpack

import pytest

from functions.submit import app as submit
from local.simulator import Simulator
from numberdrop.aws.buckets import ReadRefusedError
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.job import Job, JobChanges
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import ACCEPT, ARM, CHARGED, State, Transition
from numberdrop.jobs.upload import Upload
from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions, KilledError, LogLines
from tests.support.outcomes import ending_of, job_of
from tests.support.refusals import RefusingStepFunctions


class LedgerDownError(Exception):
    """The write failed after all retries of the SDK."""


@dataclasses.dataclass(frozen=True)
class FailingLedger(Ledger):
    """A ledger that raises an error instead of writing one transition."""

    failing: Transition = ARM
    error: type[BaseException] = KilledError

    def move(self, job: Job, transition: Transition, **changes: Unpack[JobChanges]) -> Job:
        if transition is self.failing:
            raise self.error
        return super().move(job, transition, **changes)


def submit_failing_at(
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    upload: Upload,
    *,
    transition: Transition,
    error: type[BaseException] = KilledError,
) -> None:
    """Deliver the upload once, to a worker that fails with an error when it writes a transition."""
    healthy = submit.queue_handler()
    client, table = healthy.submitter.ledger.client, functions.account.jobs_table
    ledger = FailingLedger(client, table, failing=transition, error=error)
    failing = dataclasses.replace(healthy, submitter=dataclasses.replace(healthy.submitter, ledger=ledger))
    with monkeypatch.context() as patch:
        patch.setattr(submit, "queue_handler", lambda: failing)
        if issubclass(error, Exception):
            assert not functions.submit(upload)
            return
        with pytest.raises(error):
            functions.submit(upload)


def test_a_worker_killed_before_arming_is_replaced(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = account.drop("band/a.txt", file_of())
    submit_failing_at(functions, monkeypatch, upload, transition=ARM)
    assert (job_of(account, upload).state, simulator.calls["submit"]) == (State.CLAIMED, 0)

    functions.submit(upload)
    assert simulator.calls["submit"] == 0

    account.expire_lease(upload)
    functions.submit(upload)
    assert (job_of(account, upload).state, len(simulator.charges)) == (State.SUBMITTED, 1)


def test_a_worker_killed_after_the_post_leaves_a_doubt(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    logged: LogLines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = account.drop("band/a.txt", file_of())
    submit_failing_at(functions, monkeypatch, upload, transition=ACCEPT)
    assert (job_of(account, upload).state, account.events()) == (State.SUBMITTING, [])

    account.expire_lease(upload)
    for _ in range(2):
        functions.submit(upload)
    assert ending_of(account, upload) == (State.IN_DOUBT, ReasonCode.SUBMISSION_IN_DOUBT, None)
    (charge,) = simulator.charges
    assert [line["task_id"] for line in logged.lines if "task_id" in line] == [charge.task_id]


def test_nothing_is_sent_unless_the_ledger_was_written(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = account.drop("band/a.txt", file_of())
    for _ in range(3):
        submit_failing_at(functions, monkeypatch, upload, transition=ARM, error=LedgerDownError)
        account.expire_lease(upload)
    assert (job_of(account, upload).state, simulator.calls["submit"]) == (State.CLAIMED, 0)

    functions.submit(upload)
    assert (job_of(account, upload).state, len(simulator.charges)) == (State.SUBMITTED, 1)


def test_the_log_has_the_task_id_that_resolves_a_doubt(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    logged: LogLines,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = account.drop("band/a.txt", file_of())
    submit_failing_at(functions, monkeypatch, upload, transition=ACCEPT, error=LedgerDownError)
    account.expire_lease(upload)
    functions.submit(upload)
    assert ending_of(account, upload) == (State.IN_DOUBT, ReasonCode.SUBMISSION_IN_DOUBT, None)

    (task_id,) = [line["task_id"] for line in logged.lines if "task_id" in line]
    ledger = submit.queue_handler().submitter.ledger
    ledger.move(job_of(account, upload), CHARGED, task_id=task_id, charged=True, reason=None)
    functions.submit(upload)
    assert functions.collect(upload)["next"] == "done"
    assert (len(simulator.charges), len(account.executions())) == (1, 1)


def test_an_execution_that_failed_to_start_is_started_later(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = account.drop("band/a.txt", file_of())
    healthy = submit.queue_handler()
    client: Any = RefusingStepFunctions("ThrottlingException")
    executions = dataclasses.replace(healthy.submitter.executions, client=client)
    submitter = dataclasses.replace(healthy.submitter, executions=executions)
    failing = dataclasses.replace(healthy, submitter=submitter)
    with monkeypatch.context() as patch:
        patch.setattr(submit, "queue_handler", lambda: failing)
        assert not functions.submit(upload)
    assert (job_of(account, upload).state, account.executions()) == (State.SUBMITTED, [])

    functions.submit(upload)
    assert (len(account.executions()), len(simulator.charges)) == (1, 1)


# Failures of AWS and of the configuration


def test_an_unreadable_bucket_is_retried_without_a_charge(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = account.drop("band/a.txt", file_of())

    def refuse(*_: object) -> None:
        raise ReadRefusedError("AccessDenied")

    with monkeypatch.context() as patch:
        patch.setattr("numberdrop.aws.buckets.UploadBucket.copy_to", refuse)
        assert not functions.submit(upload)
    assert (simulator.calls["submit"], account.events()) == (0, [])

    functions.submit(upload)
    assert (job_of(account, upload).state, len(simulator.charges)) == (State.SUBMITTED, 1)


def test_an_unreadable_bucket_fails_the_job_at_its_deadline(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = account.drop("band/a.txt", file_of())

    def refuse(*_: object) -> None:
        raise ReadRefusedError("KMS.DisabledException")

    monkeypatch.setattr("numberdrop.aws.buckets.UploadBucket.copy_to", refuse)
    assert not functions.submit(upload)
    account.expire_deadline(upload)
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.TIMED_OUT, False)
    assert simulator.calls["submit"] == 0
    reason = job_of(account, upload).reason
    assert reason
    assert "S3 answered KMS.DisabledException" in reason.message


def test_an_archived_upload_fails_at_once(
    account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = account.drop("band/a.txt", file_of())

    def refuse(*_: object) -> None:
        raise ReadRefusedError("InvalidObjectState")

    monkeypatch.setattr("numberdrop.aws.buckets.UploadBucket.copy_to", refuse)
    assert functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.UPLOAD_UNREADABLE, False)


def test_a_busy_vendor_is_not_blamed_on_an_earlier_read_error(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = account.drop("band/a.txt", file_of())

    def refuse(*_: object) -> None:
        raise ReadRefusedError("AccessDenied")

    with monkeypatch.context() as patch:
        patch.setattr("numberdrop.aws.buckets.UploadBucket.copy_to", refuse)
        functions.submit(upload)
    assert job_of(account, upload).read_error == "AccessDenied"
    simulator.inject_fault("submit", "http_error", status=429)
    functions.submit(upload)
    assert job_of(account, upload).read_error is None


def test_a_secret_without_a_key_stops_before_the_post(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    account.rotate_key("two words")
    upload = account.drop("band/a.txt", file_of())
    assert not functions.submit(upload)
    assert (job_of(account, upload).state, simulator.calls["submit"]) == (State.CLAIMED, 0)


def test_nothing_is_sent_with_too_little_time_left(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    functions.context.seconds = 40
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    assert (job_of(account, upload).state, functions.delayed_messages) == (State.CLAIMED, 1)
    assert simulator.calls["submit"] == 0
