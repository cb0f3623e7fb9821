"""The submit function: which uploads are sent, which are not, and that repeats change nothing."""

import dataclasses
import hashlib
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.simulator import Simulator
from numberdrop.jobs.job import Counts
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import LARGEST_UPLOAD
from numberdrop.steps import submission
from numberdrop.vendor.client import VendorClient
from tests.support.account import Account, object_created
from tests.support.files import NUMBERS, file_of
from tests.support.invocations import Functions, LogLines
from tests.support.jobs import a_job, an_upload
from tests.support.outcomes import ending_of, job_of

CHECKERS = ["band", "phoneCheck", "wa-deep"]
ODD_KEYS = [
    "band/with spaces + plus%20percent.txt",
    "band/ü 数 🎈/../..",
    'band/"quoted"\r\nX-Header: 1',
    "band/" + "k" * 1019,
]


# Accepted by the vendor


@pytest.mark.parametrize("checker", CHECKERS)
def test_an_upload_is_sent_once_and_followed(
    account: Account, simulator: Simulator, functions: Functions, checker: str
) -> None:
    upload = account.drop(f"{checker}/leads.txt", file_of())
    functions.submit(upload)
    job = job_of(account, upload)
    (charge,) = simulator.charges
    assert (job.state, job.task_id, job.charged) == (State.SUBMITTED, charge.task_id, True)
    assert (job.checker, job.counts.submitted, job.attempts) == (checker, 100, 1)
    assert account.executions() == [job.execution_name]
    assert (account.events(), functions.delayed_messages) == ([], 0)


@pytest.mark.parametrize("level", ["INFO", "WARNING", "ERROR"])
def test_the_task_is_logged_at_every_level(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    logged: LogLines,
    monkeypatch: pytest.MonkeyPatch,
    level: str,
) -> None:
    """If recording the charge fails, the task's id stands nowhere else."""
    logger = logging.getLogger(submission.logger.name)
    monkeypatch.setattr(logger, "level", getattr(logging, level))
    logger.manager._clear_cache()  # type: ignore[attr-defined] # the levels that are enabled
    functions.submit(account.drop("band/leads.txt", file_of()))
    written = [line["task_id"] for line in logged.lines if line["message"] == "the vendor made a task"]
    assert written == [charge.task_id for charge in simulator.charges]


def test_the_vendor_gets_the_cleaned_numbers(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    content = "\ufeff +44 7700 900001\r\n\r\n00447700900002\r\nno number\r\n+447700900001".encode()
    upload = account.drop("band/leads.txt", content)
    functions.submit(upload)
    sent = hashlib.sha256(b"+447700900001\n+447700900002\n").hexdigest()
    assert [received.sha256 for received in simulator.submissions] == [sent]
    assert job_of(account, upload).counts == Counts(
        lines=4, remembered=0, refreshed=0, submitted=2, rejected=1, duplicates=1, further=0
    )


@pytest.mark.parametrize(
    ("metadata", "parameter", "written", "number", "region"),
    [
        ({}, "GB", "020 7946 0123", "+442079460123", "GB"),
        ({"default-region": "us"}, "GB", "(202) 555-0101", "+12025550101", "US"),
        ({"Default-Region": "GB"}, "", "020 7946 0123", "+442079460123", "GB"),
        ({"default-region": " "}, "GB", "020 7946 0123", "+442079460123", "GB"),
    ],
)
def test_numbers_without_a_country_code_get_the_default_region(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    *,
    metadata: dict[str, str],
    parameter: str,
    written: str,
    number: str,
    region: str,
) -> None:
    monkeypatch.setenv("DEFAULT_REGION", parameter)
    upload = account.drop("band/leads.txt", file_of(written), metadata)
    functions.submit(upload)
    assert [received.sha256 for received in simulator.submissions] == [
        hashlib.sha256(file_of(number)).hexdigest()
    ]
    assert job_of(account, upload).region == region


def test_entries_that_are_sent_as_written_have_no_region(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    upload = account.drop("phoneCheck/leads.txt", b"020 7946 0123\n", {"default-region": "no region"})
    functions.submit(upload)
    sent = hashlib.sha256(b"020 7946 0123\n").hexdigest()
    assert [received.sha256 for received in simulator.submissions] == [sent]
    assert job_of(account, upload).region is None


@pytest.mark.parametrize("region", ["UK", "Germany", "+44"])
def test_an_unknown_region_fails_before_any_charge(
    account: Account, simulator: Simulator, functions: Functions, region: str
) -> None:
    upload = account.drop("band/leads.txt", b"020 7946 0123\n", {"default-region": region})
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, "NO_VALID_NUMBERS", False)
    assert (simulator.charges, simulator.submissions) == ([], [])


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_are_handled_as_data(
    account: Account, simulator: Simulator, functions: Functions, key: str
) -> None:
    upload = account.drop(key, file_of())
    functions.submit(upload)
    assert job_of(account, upload).state is State.SUBMITTED
    assert len(simulator.charges) == len(account.executions()) == 1


def test_an_encoded_key_is_the_same_upload(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    """Under another key, the file could be announced and charged once more."""
    upload = account.drop("band/two words.txt", file_of())
    functions.submit(dataclasses.replace(upload, key="band/two+words.txt"))
    functions.submit(upload)
    assert job_of(account, upload).upload.key == "band/two words.txt"
    assert len(simulator.charges) == 1


def test_an_event_without_a_version_is_the_same_upload(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    upload = account.drop("band/leads.txt", file_of())
    functions.submit(dataclasses.replace(upload, version_id=None))
    functions.submit(upload)
    assert job_of(account, upload).state is State.SUBMITTED
    assert len(simulator.charges) == 1


def test_an_undocumented_task_type_is_sent_verbatim(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    functions.submit(account.drop("task_type=NewThing/a.txt", file_of("anything at all")))
    assert [charge.checker for charge in simulator.charges] == ["NewThing"]


# Repeats


def test_a_repeated_event_is_not_charged(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    upload = account.drop("band/leads.txt", file_of())
    for _ in range(3):
        functions.submit(upload)
    assert (len(simulator.charges), len(account.executions()), functions.delayed_messages) == (1, 1, 0)


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.IN_DOUBT, State.ABANDONED])
def test_an_event_repeated_months_later_changes_nothing(
    account: Account, simulator: Simulator, functions: Functions, state: State
) -> None:
    upload = account.drop("band/leads.txt", file_of())
    job = a_job(state, upload=upload)
    account.put(dataclasses.replace(job, announced=frozenset({job.ending})))
    functions.submit(upload)
    assert (simulator.calls["submit"], account.events(), account.executions()) == (0, [], [])


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.IN_DOUBT, State.ABANDONED])
def test_a_repeated_event_announces_an_unannounced_job(
    account: Account, functions: Functions, state: State
) -> None:
    upload = account.drop("band/leads.txt", file_of())
    account.put(a_job(state, upload=upload))
    functions.submit(upload)
    assert [event["detail"]["job_id"] for event in account.events()] == [upload.job_id]


@pytest.mark.parametrize("state", [State.SUBMITTED, State.ANSWERED])
def test_a_repeated_event_starts_a_missing_execution(
    account: Account, simulator: Simulator, functions: Functions, state: State
) -> None:
    upload = account.drop("band/leads.txt", file_of())
    job = a_job(state, upload=upload)
    account.put(job)
    functions.submit(upload)
    assert (simulator.calls["submit"], account.executions()) == (0, [job.execution_name])


@pytest.mark.parametrize("state", [State.CLAIMED, State.SUBMITTING, State.BLOCKED])
def test_a_concurrent_event_leaves_the_job_to_its_worker(
    account: Account, simulator: Simulator, functions: Functions, state: State
) -> None:
    upload = account.drop("band/leads.txt", file_of())
    lease = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
    job = a_job(state, upload=upload, lease_until=lease)
    account.put(job)
    functions.submit(upload)
    assert (simulator.calls["submit"], functions.delayed_messages) == (0, 0)
    assert job_of(account, upload) == job


def test_a_message_that_arrives_a_moment_early_is_requeued(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    upload = account.drop("band/leads.txt", file_of())
    account.put(a_job(State.CLAIMED, upload=upload, lease_until=datetime.now(UTC) + timedelta(seconds=3)))
    functions.submit(upload)
    assert (simulator.calls["submit"], functions.delayed_messages) == (0, 1)


def test_an_event_during_the_post_is_not_charged(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = account.drop("band/leads.txt", file_of())
    send = VendorClient.submit

    def send_while_the_event_is_repeated(*arguments: Any, **options: Any) -> Any:
        functions.submit(upload)
        return send(*arguments, **options)

    monkeypatch.setattr(VendorClient, "submit", send_while_the_event_is_repeated)
    functions.submit(upload)
    assert (job_of(account, upload).state, functions.delayed_messages) == (State.SUBMITTED, 0)
    functions.submit(upload)
    assert (len(simulator.charges), len(account.executions()), account.events()) == (1, 1, [])


@pytest.mark.parametrize("reverse", [False, True])
def test_two_versions_of_a_key_are_sent_separately(
    account: Account, simulator: Simulator, functions: Functions, *, reverse: bool
) -> None:
    uploads = [account.drop("band/leads.txt", file_of(number)) for number in NUMBERS[:2]]
    for upload in reversed(uploads) if reverse else uploads:
        functions.submit(upload)
    received = {item.task_id: item.sha256 for item in simulator.submissions}
    for upload, number in zip(uploads, NUMBERS, strict=False):
        job = job_of(account, upload)
        assert received[str(job.task_id)] == hashlib.sha256(file_of(number)).hexdigest()


# Bad uploads fail without a charge


@pytest.mark.parametrize(
    ("key", "content", "code"),
    [
        ("bandit/a.txt", file_of(), "UNKNOWN_CHECKER"),
        ("no-folder.txt", file_of(), "UNKNOWN_CHECKER"),
        ("task_type=/a.txt", file_of(), "UNKNOWN_CHECKER"),
        ("band/a.txt", b"", "EMPTY_FILE"),
        ("band/a.txt", b"\r\n \n\t\n", "EMPTY_FILE"),
        ("band/a.txt", b"PK\x03\x04 a spreadsheet", "NOT_TEXT"),
        ("band/a.txt", b"\x89PNG\r\n\x1a\n", "NOT_TEXT"),
        ("band/a.txt", b"+447700900001\n\0\n", "NOT_TEXT"),
        ("band/a.txt", "+447700900001\n".encode("utf-32"), "NOT_TEXT"),
        ("band/a.txt", b"name;city\nJane;Oslo\n", "NO_VALID_NUMBERS"),
        ("band/a.txt", b"7" * 10_000_000, "NOT_TEXT"),
        ("band/a.txt", "none\n+٤٤٧٧\n".encode(), "NO_VALID_NUMBERS"),
        ("temu/a.txt", b"".join(b"+4477%08d\n" % n for n in range(100_001)), "TOO_LARGE"),
        ("temu/a.txt", b"".join(b"+4477%08d\n" % (n % 999) for n in range(2000)), "TOO_SMALL"),
    ],
)
def test_a_bad_upload_fails_before_any_charge(
    account: Account, simulator: Simulator, functions: Functions, *, key: str, content: bytes, code: str
) -> None:
    upload = account.drop(key, content)
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, code, False)
    assert (simulator.calls["submit"], account.executions()) == (0, [])


def test_the_least_and_the_most_rows_of_a_checker_are_sent(
    account: Account, functions: Functions, simulator: Simulator
) -> None:
    for rows in (1000, 100_000):
        functions.submit(account.drop("temu/a.txt", b"".join(b"+4477%08d\n" % n for n in range(rows))))
    assert [charge.rows for charge in simulator.charges] == [1000, 100_000]


@pytest.mark.parametrize(("rows", "limit"), [(999, "at least 1,000"), (100_001, "at most 100,000")])
def test_the_reason_names_the_row_limit(
    account: Account, functions: Functions, rows: int, limit: str
) -> None:
    upload = account.drop("temu/a.txt", b"".join(b"+4477%08d\n" % n for n in range(rows)))
    functions.submit(upload)
    reason = job_of(account, upload).reason
    assert reason
    assert limit in reason.message


def test_an_upload_that_is_too_large_is_not_read(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    upload = an_upload(bucket=account.upload_bucket, size=LARGEST_UPLOAD + 1)
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.TOO_LARGE, False)
    reason = job_of(account, upload).reason
    assert reason
    assert "400 MB" in reason.message
    assert simulator.calls["submit"] == 0


def test_a_file_that_takes_too_long_to_read_is_refused(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numberdrop.steps.upload_rules.LONGEST_READING", timedelta(minutes=-1))
    upload = account.drop("band/a.txt", file_of())
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.TOO_LARGE, False)
    reason = job_of(account, upload).reason
    assert reason
    assert "takes too long to read" in reason.message
    assert simulator.calls["submit"] == 0


@pytest.mark.parametrize("key", ["band/", "band/folder/", "unknown/"])
def test_a_folder_marker_is_ignored(account: Account, functions: Functions, key: str) -> None:
    upload = account.drop(key, b"")
    functions.submit(upload)
    assert (account.job(upload), account.events()) == (None, [])


def test_a_deleted_upload_is_reported_as_gone(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    upload = account.drop("band/a.txt", file_of())
    account.delete(upload)
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.UPLOAD_GONE, False)
    assert simulator.calls["submit"] == 0


def test_a_sensitive_checker_is_refused_until_it_is_allowed(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOW_SENSITIVE_CHECKERS", "false")
    upload = account.drop("wa-deep/a.txt", file_of())
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.CHECKER_NOT_ALLOWED, False)
    assert simulator.calls["submit"] == 0


def test_a_legacy_checker_needs_the_vendors_user_id(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENDOR_USER_ID", "")
    upload = account.drop("wa-simple/a.txt", file_of())
    functions.submit(upload)
    assert ending_of(account, upload) == (State.FAILED, ReasonCode.CHECKER_NOT_ALLOWED, False)
    assert simulator.calls["submit"] == 0


# Messages that are not uploads


@pytest.mark.parametrize("body", ['{"Event": "s3:TestEvent"}', '{"Records": []}'])
def test_a_test_message_is_acknowledged(functions: Functions, simulator: Simulator, body: str) -> None:
    functions.deliver(body)
    assert simulator.calls["submit"] == 0


def test_a_body_that_is_not_json_stays_in_the_queue(functions: Functions) -> None:
    assert not functions.deliver("not JSON")


def test_an_event_about_another_bucket_is_not_read(account: Account, functions: Functions) -> None:
    event = object_created(account.drop("band/a.txt", file_of()))
    event["detail"]["bucket"]["name"] = account.results_bucket
    assert not functions.deliver(json.dumps(event))
    assert account.events() == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_no_number_key_or_link_is_logged(
    account: Account, simulator: Simulator, functions: Functions, logged: LogLines, checker: str
) -> None:
    simulator.inject_fault(
        "submit", "http_error", status=500, message=f"{NUMBERS[0]} at https://host.example"
    )
    upload = account.drop(f"{checker}/a.txt", file_of())
    functions.submit(upload)
    account.expire_lease(upload)
    functions.submit(upload)
    text = json.dumps(logged.lines)
    assert upload.job_id in text
    assert not [word for word in ("447700900", "test-key", "test-user", "https://") if word in text]
