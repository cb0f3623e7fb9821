"""The daily audit: it finds uploads of the last two weeks for which no event arrived."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from functions.audit import app
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.listing import UploadListing
from numberdrop.jobs.breaker import OpenBreaker
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop.steps.audit import Auditor, AuditReport
from tests.support.account import Account
from tests.support.invocations import Functions, LogLines
from tests.support.jobs import a_job

HOUR = timedelta(hours=1)
TWO_DAYS = 48 * HOUR


def auditor_in(account: Account, time_from_now: timedelta) -> Auditor:
    """Return an auditor whose clock is ahead by this time, so that the uploads are that old."""
    listing = UploadListing(boto3.client("s3"), account.upload_bucket)
    auditor = Auditor.of(listing, Ledger(boto3.client("dynamodb"), account.jobs_table))
    return replace(auditor, now=lambda: datetime.now(UTC) + time_from_now)


def drop(account: Account, key: str = "band/a.txt") -> Upload:
    return account.drop(key, b"+447700900001\n")


def test_an_upload_without_a_job_is_counted(account: Account) -> None:
    known, _ = drop(account, "band/known.txt"), drop(account, "band/unknown.txt")
    account.put(a_job(State.COMPLETED, upload=known))
    assert auditor_in(account, TWO_DAYS).run(seconds=900) == AuditReport(compared=2, unannounced=1)


def test_each_version_of_a_key_is_looked_up(account: Account) -> None:
    versions = [drop(account) for _ in range(3)]
    account.put(a_job(State.COMPLETED, upload=versions[1]))
    assert auditor_in(account, TWO_DAYS).run(seconds=900) == AuditReport(compared=3, unannounced=2)


@pytest.mark.parametrize("state", State)
def test_an_upload_with_a_job_in_any_state_is_known(account: Account, state: State) -> None:
    account.put(a_job(state, upload=drop(account)))
    assert auditor_in(account, TWO_DAYS).run(seconds=900) == AuditReport(compared=1, unannounced=0)


@pytest.mark.parametrize(
    ("age", "compared"),
    [(23 * HOUR, 0), (25 * HOUR, 1), (timedelta(days=14) - HOUR, 1), (timedelta(days=14) + HOUR, 0)],
)
def test_only_uploads_of_the_last_two_weeks_are_compared(
    account: Account, age: timedelta, compared: int
) -> None:
    drop(account)
    assert auditor_in(account, age).run(seconds=900) == AuditReport(compared, unannounced=compared)


def test_uploads_older_than_the_ledger_are_not_compared(account: Account) -> None:
    """An earlier stack may have paid for them; sending them would cost money again."""
    drop(account)

    class YoungLedger(Ledger):
        def created_at(self) -> datetime:
            return datetime.now(UTC) + HOUR

    auditor = auditor_in(account, TWO_DAYS)
    young = replace(auditor, ledger=YoungLedger(auditor.ledger.client, account.jobs_table))
    assert young.run(seconds=900) == AuditReport(0, 0)


def test_folder_markers_are_not_compared(account: Account) -> None:
    drop(account, "band/folder/")
    assert auditor_in(account, TWO_DAYS).run(seconds=900) == AuditReport(0, 0)


def test_uploads_without_a_version_are_not_compared(account: Account) -> None:
    s3 = boto3.client("s3")
    s3.put_bucket_versioning(Bucket=account.upload_bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket=account.upload_bucket, Key="band/a.txt", Body=b"+447700900001\n")
    assert auditor_in(account, TWO_DAYS).run(seconds=900) == AuditReport(0, 0)


def test_a_deleted_upload_with_a_version_is_compared(account: Account) -> None:
    upload = drop(account)
    boto3.client("s3").delete_object(Bucket=upload.bucket, Key=upload.key)
    assert auditor_in(account, TWO_DAYS).run(seconds=900) == AuditReport(compared=1, unannounced=1)


@pytest.mark.parametrize("key", ["band/ü 🎈+%20.txt", "band/../x", "band/" + "k" * 1019])
def test_uploads_with_odd_keys_are_recognised(account: Account, key: str) -> None:
    account.put(a_job(upload=drop(account, key)))
    assert auditor_in(account, TWO_DAYS).run(seconds=900) == AuditReport(compared=1, unannounced=0)


def test_a_bucket_of_several_batches_is_compared_completely(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numberdrop.steps.audit.MAX_KNOWN_AT_ONCE", 2)
    uploads = [drop(account, f"band/{n}.txt") for n in range(5)]
    account.put(a_job(upload=uploads[4]))
    assert auditor_in(account, TWO_DAYS).run(seconds=900) == AuditReport(compared=5, unannounced=4)


def test_nothing_is_compared_while_the_breaker_is_open(account: Account) -> None:
    drop(account)
    auditor = auditor_in(account, TWO_DAYS)
    auditor.breaker.open(OpenBreaker(holder="a" * 64))
    assert auditor.run(seconds=900) is None


def test_an_audit_changes_no_job(account: Account) -> None:
    upload = drop(account)
    auditor_in(account, TWO_DAYS).run(seconds=900)
    assert (account.job(upload), account.events(), account.executions()) == (None, [], [])


def test_uploads_without_a_job_can_be_listed(account: Account) -> None:
    known, unknown = drop(account, "band/known.txt"), drop(account, "band/unknown.txt")
    account.put(a_job(State.COMPLETED, upload=known))
    listed = auditor_in(account, TWO_DAYS).unannounced()
    assert [found.upload.job_id for found in listed] == [unknown.job_id]


def test_listed_uploads_say_whether_they_are_the_latest(account: Account) -> None:
    replaced, latest, deleted = drop(account), drop(account), drop(account, "band/deleted.txt")
    boto3.client("s3").delete_object(Bucket=deleted.bucket, Key=deleted.key)
    listed = auditor_in(account, TWO_DAYS).unannounced()
    assert {found.upload.job_id: found.is_latest for found in listed} == {
        replaced.job_id: False,
        latest.job_id: True,
        deleted.job_id: False,
    }


def test_the_log_names_the_upload_without_numbers(account: Account, logged: LogLines) -> None:
    upload = drop(account, "band/+447700900001.txt")
    auditor_in(account, TWO_DAYS).run(seconds=900)
    (line,) = [line for line in logged.lines if line["level"] == "WARNING"]
    assert line["version_id"] == upload.version_id
    assert "447700" not in json.dumps(logged.lines)


def test_the_audit_function_publishes_a_metric(
    account: Account,
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("numberdrop.steps.audit.MIN_AGE", timedelta(0))
    # The module read the namespace from the environment when it was imported; the template sets it there.
    monkeypatch.setattr(app.metrics.provider, "namespace", "numberdrop")
    drop(account)
    functions.audit()
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [metric["UnannouncedUploads"] for metric in metrics] == [[1.0]]


# Audits that take several runs


class SlowClock:
    """A clock that is two days ahead, and some seconds later at each look."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) + TWO_DAYS

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=10)
        return self.now


@pytest.mark.parametrize(("seconds", "runs"), [(60, 12), (120, 4), (900, 1)])
def test_a_large_bucket_is_compared_in_several_runs(
    account: Account, monkeypatch: pytest.MonkeyPatch, seconds: int, runs: int
) -> None:
    """Each run ends in time, and the next one continues: nothing is compared twice or left out."""
    monkeypatch.setattr("numberdrop.aws.listing.PAGE_SIZE", 2)
    uploads = [drop(account, f"{folder}/{n}.txt") for folder in ("band", "Ws", "wa-deep") for n in range(7)]
    account.put(a_job(upload=uploads[3]))
    clock = SlowClock()
    reports: list[AuditReport] = []
    while not reports or not reports[-1].is_complete:
        report = replace(auditor_in(account, TWO_DAYS), now=clock).run(seconds=seconds, if_due=True)
        assert report
        reports.append(report)
    assert len(reports) == runs
    assert (reports[-1].compared, reports[-1].unannounced) == (21, 20)
    assert [report.unannounced for report in reports] == sorted(report.unannounced for report in reports)


def test_an_audit_begins_once_a_day(account: Account) -> None:
    drop(account)
    first = auditor_in(account, TWO_DAYS).run(seconds=900, if_due=True)
    hour_later = auditor_in(account, TWO_DAYS + HOUR).run(seconds=900, if_due=True)
    day_later = auditor_in(account, TWO_DAYS + 24 * HOUR).run(seconds=900, if_due=True)
    assert (first, hour_later, day_later) == (AuditReport(1, 1), None, AuditReport(1, 1))


def test_a_person_can_begin_an_audit_at_any_time(account: Account) -> None:
    drop(account)
    auditor_in(account, TWO_DAYS).run(seconds=900, if_due=True)
    assert auditor_in(account, TWO_DAYS + HOUR).run(seconds=900) == AuditReport(1, 1)


def test_an_audit_waits_for_the_breaker_and_not_for_a_day(account: Account) -> None:
    drop(account)
    auditor = auditor_in(account, TWO_DAYS)
    auditor.breaker.open(OpenBreaker(holder="a" * 64))
    assert auditor.run(seconds=900, if_due=True) is None
    state = auditor.breaker.state()
    assert state
    auditor.breaker.close(state)
    assert auditor.run(seconds=900, if_due=True) == AuditReport(1, 1)


def test_an_audit_that_takes_weeks_leaves_no_gap(account: Account) -> None:
    """The former audit began 20 days ago, when the upload was too young to be compared."""
    drop(account)
    auditor_in(account, HOUR).run(seconds=900)
    assert auditor_in(account, timedelta(days=20)).run(seconds=900) == AuditReport(1, 1)


def test_files_in_other_folders_are_not_compared(account: Account) -> None:
    """They cannot cost money, and a bucket may hold millions of them."""
    for key in ("photos/a.jpg", "a.txt"):
        drop(account, key)
    assert auditor_in(account, TWO_DAYS).run(seconds=900) == AuditReport(0, 0)


def test_the_schedule_begins_no_second_audit(
    account: Account,
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(app.metrics.provider, "namespace", "numberdrop")
    drop(account)
    for _ in range(2):
        app.handler({"source": "aws.events"}, functions.context)
    published = [line for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert len(published) == 1
