"""The verdict memory in the pipeline: what was bought once is not bought again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from local.simulator import Simulator, verdict
from numberdrop.aws.executions import Executions
from numberdrop.aws.fences import Fences
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.memory_bucket import MemoryBucket, connect_memory
from numberdrop.aws.queue import UploadQueue
from numberdrop.aws.task_ids import TaskIds
from numberdrop.jobs.checkers import checkers
from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop.memory.errors import MemoryUnreadableError, MemoryUnwritableError
from numberdrop.settings import MemorySettings
from numberdrop.steps.recalling import Recaller
from numberdrop.steps.remembering import Rememberer
from numberdrop_cli.jobs_table import JobsTable
from numberdrop_cli.operations import Operations
from tests.support.account import LONG_AGO, Account
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.outcomes import ending_of, files_of, job_of, rows_of

LIST = [f"+447700900{n:03d}" for n in range(500)]
"""Fictional numbers."""

TODAY = datetime.now(UTC).date()


@dataclass
class Stack:
    """A stack with a verdict memory, and what people do with it.

    Attributes:
        checker: the checker of all uploads.
    """

    account: Account
    functions: Functions
    simulator: Simulator
    checker: str = "band"

    def drop(self, numbers: list[str], name: str = "a.txt", **metadata: str) -> Upload:
        """Drop a list of numbers, and submit it."""
        renamed = {key.replace("_", "-"): value for key, value in metadata.items()}
        upload = self.account.drop(f"{self.checker}/{name}", file_of(*numbers), renamed)
        assert self.functions.submit(upload)
        return upload

    def check(self, numbers: list[str], name: str = "a.txt", **metadata: str) -> "Checked":
        """Drop a list of numbers, and collect its results."""
        upload = self.drop(numbers, name, **metadata)
        assert self.functions.check_status(upload)["next"] == "collect"
        assert self.functions.collect(upload)["next"] == "done"
        return self.checked(upload)

    def checked(self, upload: Upload) -> "Checked":
        (event,) = self.account.events()
        prefix = f"{upload.key}/{upload.job_id[:12]}/"
        stored = self.account.stored()
        files = {key.removeprefix(prefix): stored[key] for key in stored if key.startswith(prefix)}
        return Checked(job_of(self.account, upload), event["detail"], files)

    def learn(self, numbers: list[str], *, days_ago: int = 0, word: str = "yes") -> None:
        """Remember numbers as if an upload had been checked some days ago."""
        memory = connect_memory(MemorySettings.from_env())
        words: list[str | None] = [word] * len(numbers)
        memory.learn(self.checker, f"{days_ago}{word}", TODAY - timedelta(days=days_ago), [(numbers, words)])

    def forget_answers(self, upload: Upload) -> None:
        """Delete what was recalled for an upload."""
        key = job_of(self.account, upload).recalled
        assert key
        boto3.client("s3").delete_object(Bucket="memory", Key=key)

    @property
    def charged_rows(self) -> list[int]:
        return [charge.rows for charge in self.simulator.charges]


@dataclass
class Checked:
    """A completed job, its event and its files."""

    job: Job
    event: dict[str, Any]
    files: dict[str, bytes]

    @property
    def rows(self) -> list[dict[str, str]]:
        return rows_of(self.files["results.csv"])

    def column(self, name: str) -> dict[str, str]:
        return {row["number"]: row[name] for row in self.rows}


@pytest.fixture
def stack(
    account: Account, functions: Functions, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Stack:
    for name, value in account.variables_of_memory().items():
        monkeypatch.setenv(name, value)
    for user in (Recaller, Rememberer):
        monkeypatch.setattr(user, "pauses", (0, 0))
    return Stack(account, functions, simulator)


# What is sent


def test_only_new_numbers_are_sent(stack: Stack) -> None:
    stack.check(LIST[:120])
    second = stack.check(LIST[40:240], "b.txt")
    assert stack.charged_rows == [120, 120]
    assert (second.job.counts.submitted, second.job.counts.remembered) == (120, 80)
    assert list(second.column("number")) == LIST[40:240]
    assert second.column("verdict") == {number: verdict(number) for number in LIST[40:240]}
    assert {row["status"] for row in second.rows} == {"resolved"}
    sources = second.column("source")
    assert {sources[number] for number in LIST[40:120]} == {"remembered"}
    assert {sources[number] for number in LIST[120:240]} == {"fresh"}


def test_two_uploads_at_once_both_pay_for_a_new_number(stack: Stack) -> None:
    uploads = [stack.drop(LIST[:120], name) for name in ("a.txt", "b.txt")]
    for upload in uploads:
        assert stack.functions.collect(upload)["next"] == "done"
        checked = stack.checked(upload)
        assert checked.column("verdict") == {number: verdict(number) for number in LIST[:120]}
    assert stack.charged_rows == [120, 120]
    assert stack.check(LIST[:120], "c.txt").job.counts.remembered == 120
    assert stack.charged_rows == [120, 120]


def test_a_remembered_list_is_answered_without_the_vendor(stack: Stack) -> None:
    stack.check(LIST[:200])
    calls = dict(stack.simulator.calls)
    second = stack.check(LIST[:200], "b.txt")
    assert (stack.charged_rows, dict(stack.simulator.calls)) == ([200], calls)
    assert second.job.state is State.COMPLETED
    assert (second.event["charged"], second.event["task_id"], second.event["tasks"]) == (False, None, [])
    assert second.event["results"]["export_key"] is None
    assert not [name for name in second.files if name.startswith("export")]
    assert {"results.csv", "manifest.json", "report.html", "yes.txt", "no.txt"} <= second.files.keys()
    assert second.column("verdict") == {number: verdict(number) for number in LIST[:200]}
    assert set(second.column("band").values()) == {""}
    assert stack.account.fence(second.job.upload) is None


def test_a_repeated_event_of_an_answered_upload_is_harmless(stack: Stack) -> None:
    stack.check(LIST[:200])
    second = stack.check(LIST[:200], "b.txt")
    for _ in range(2):
        stack.functions.submit(second.job.upload)
        stack.functions.collect(second.job.upload)
    assert (stack.account.events(), stack.charged_rows) == ([], [200])


def test_an_answer_is_in_doubt_if_a_charge_is_forgotten(stack: Stack) -> None:
    """A table that was restored has forgotten the job, and the memory knows what the vendor answered."""
    first = stack.check(LIST[:200])
    stack.account.forget_job(first.job.upload)
    stack.functions.submit(first.job.upload)
    ending = ending_of(stack.account, first.job.upload)
    assert ending == (State.IN_DOUBT, ReasonCode.SUBMISSION_IN_DOUBT, None)
    assert stack.charged_rows == [200]


def test_the_dates_are_those_of_the_checks(stack: Stack) -> None:
    stack.learn(LIST[:100], days_ago=20)
    checked = stack.check(LIST[:220])
    dates = checked.column("checked_on")
    assert {dates[number] for number in LIST[:100]} == {(TODAY - timedelta(days=20)).isoformat()}
    assert {dates[number] for number in LIST[100:220]} == {TODAY.isoformat()}


def test_the_columns_come_last(stack: Stack) -> None:
    header = stack.check(LIST[:120]).files["results.csv"].decode().splitlines()[0]
    assert header == "line,number,status,verdict,band,source,checked_on"


def test_an_old_verdict_is_bought_again(stack: Stack) -> None:
    stack.learn(LIST[:50], days_ago=31, word="no")
    stack.learn(LIST[50:150], days_ago=31, word="yes")
    assert stack.check(LIST[:300]).job.counts.submitted == 200


@pytest.mark.parametrize(("age", "sent"), [("20", 300), ("21", 200), ("0", 300), ("", 200), ("soon", 300)])
def test_an_upload_may_limit_the_age(stack: Stack, age: str, sent: int) -> None:
    stack.learn(LIST[:100], days_ago=20)
    assert stack.check(LIST[:300], max_age_days=age).job.counts.submitted == sent


def test_a_fresh_check_is_remembered(stack: Stack) -> None:
    stack.learn(LIST[:200], days_ago=59)
    stack.check(LIST[:200], max_age_days="0")
    answered = stack.check(LIST[:200], "b.txt")
    assert set(answered.column("checked_on").values()) == {TODAY.isoformat()}
    assert stack.charged_rows == [200]


def test_an_entry_is_remembered_however_it_is_written(stack: Stack) -> None:
    stack.check(LIST[:200])
    spelt = [f"0044 {number[3:7]} {number[7:]}" for number in LIST[:200]]
    assert stack.check(spelt, "b.txt").event["charged"] is False


def test_the_memory_of_another_checker_is_not_used(stack: Stack) -> None:
    stack.check(LIST[:200])
    stack.checker = "amazon"
    assert job_of(stack.account, stack.drop(LIST[:200])).counts.remembered == 0


# The ceiling


def test_only_what_is_sent_counts_for_the_ceiling(stack: Stack) -> None:
    stack.learn(LIST[:90])
    upload = stack.drop(LIST[:100], max_usd="0.001")
    assert (job_of(stack.account, upload).state, stack.charged_rows) == (State.SUBMITTED, [10])


def test_what_is_remembered_has_no_price(stack: Stack) -> None:
    stack.learn(LIST[:100])
    upload = stack.drop(LIST[:100], max_usd="0")
    assert (job_of(stack.account, upload).state, stack.charged_rows) == (State.ANSWERED, [])


# The smallest batch


@pytest.fixture
def strict(stack: Stack) -> Stack:
    """Return the stack for a checker that takes 100 rows or more."""
    stack.checker = "amazon"
    assert checkers()[stack.checker].min_rows == 100
    return stack


def test_a_small_rest_is_filled_up_with_the_oldest(strict: Stack) -> None:
    strict.learn(LIST[:150], days_ago=5)
    strict.learn(LIST[150:200], days_ago=20)
    checked = strict.check(LIST[:230])
    counts = checked.job.counts
    assert (counts.submitted, counts.remembered, counts.refreshed) == (110, 120, 80)
    sources = checked.column("source")
    assert {sources[number] for number in LIST[150:230]} == {"fresh"}
    assert list(sources.values()).count("fresh") == 110


def test_a_rest_is_never_filled_up_with_other_numbers(strict: Stack) -> None:
    strict.learn(LIST[100:400])
    upload = strict.drop(LIST[:60])
    assert ending_of(strict.account, upload) == (State.FAILED, ReasonCode.TOO_SMALL, False)


def test_a_fresh_answer_replaces_the_remembered_one(strict: Stack) -> None:
    """The learnt verdicts are wrong on purpose."""
    for word, wrong in {"yes": "no", "no": "yes"}.items():
        strict.learn([number for number in LIST[:120] if verdict(number) == word], days_ago=1, word=wrong)
    checked = strict.check(LIST[:121])
    fresh = [number for number, source in checked.column("source").items() if source == "fresh"]
    assert len(fresh) == 110
    assert {number: checked.column("verdict")[number] for number in fresh} == {n: verdict(n) for n in fresh}
    assert set(checked.column("status").values()) == {"resolved"}


# Failures


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("operation", ["objects", "write"])
def test_everything_is_sent_if_the_memory_fails(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    stack.check(LIST[:120])
    error = {"objects": MemoryUnreadableError("SlowDown"), "write": MemoryUnwritableError("SlowDown")}
    with monkeypatch.context() as patch:
        patch.setattr(MemoryBucket, operation, failing(error[operation]))
        upload = stack.drop(LIST[:240], "b.txt")
    assert '"MemoryUnreadable":[1.0]' in capsys.readouterr().out
    job = job_of(stack.account, upload)
    assert (stack.charged_rows, job.recalled, job.counts.remembered) == ([120, 240], None, 0)
    stack.functions.collect(upload)
    assert set(stack.checked(upload).column("source").values()) == {"fresh"}


def test_an_unreadable_secret_costs_money_only(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMORY_KEY_SECRET", "no-such-secret")
    assert stack.check(LIST[:120]).event["charged"] is True


def test_a_lost_answer_is_unresolved_and_never_no(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.check(LIST[:120])
    upload = stack.drop(LIST[:240], "b.txt")
    stack.forget_answers(upload)
    stack.functions.collect(upload)
    assert '"RememberedAnswersLost":[1.0]' in capsys.readouterr().out
    checked = stack.checked(upload)
    rows = [row for row in checked.rows if row["number"] in LIST[:120]]
    assert {(row["status"], row["verdict"], row["source"]) for row in rows} == {("unresolved", "", "")}
    assert (checked.job.counts.resolved, checked.job.counts.unresolved) == (120, 120)


@pytest.mark.parametrize(("count", "variable"), [(120, "KEY"), (240, "KEY"), (240, "DAYS")])
def test_a_changed_key_or_switch_is_reported_as_lost_answers(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    count: int,
    variable: str,
) -> None:
    stack.check(LIST[:120])
    upload = stack.drop(LIST[:count], "b.txt")
    if variable == "KEY":
        boto3.client("secretsmanager").put_secret_value(SecretId="memory-key", SecretString="another")
    else:
        monkeypatch.setenv("RETENTION_DAYS", "0")
    stack.functions.start_cold()
    assert stack.functions.collect(upload)["next"] == "done"
    assert '"RememberedAnswersLost":[1.0]' in capsys.readouterr().out
    assert stack.checked(upload).job.counts.unresolved == 120


def test_lost_answers_of_an_answered_job_are_unresolved(stack: Stack) -> None:
    stack.check(LIST[:120])
    upload = stack.drop(LIST[:120], "b.txt")
    stack.forget_answers(upload)
    assert stack.functions.collect(upload)["next"] == "done"
    assert set(stack.checked(upload).column("status").values()) == {"unresolved"}


def test_an_unreadable_memory_delays_an_answered_job(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.check(LIST[:120])
    upload = stack.drop(LIST[:120], "b.txt")
    with monkeypatch.context() as patch:
        patch.setattr(MemoryBucket, "read", failing(MemoryUnreadableError("SlowDown")))
        with pytest.raises(MemoryUnreadableError):
            stack.functions.collect(upload)
    assert stack.functions.collect(upload)["next"] == "done"
    assert set(stack.checked(upload).column("source").values()) == {"remembered"}


def test_a_paid_job_waits_for_an_unreadable_memory(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.check(LIST[:120])
    upload = stack.drop(LIST[:240], "b.txt")
    with monkeypatch.context() as patch:
        patch.setattr(MemoryBucket, "read", failing(MemoryUnreadableError("SlowDown")))
        first = stack.functions.collect(upload)
        again = stack.functions.collect(upload, first["seen"])
    assert [decision["next"] for decision in (first, again)] == ["wait", "wait"]
    assert first["seen"]["memory_unreadable_since"] == again["seen"]["memory_unreadable_since"] is not None
    assert stack.functions.collect(upload, again["seen"])["next"] == "done"
    assert stack.checked(upload).job.counts.unresolved == 0


@pytest.mark.parametrize("too_long", ["unreadable", "deadline"])
def test_an_unreadable_memory_does_not_hold_up_a_paid_job(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, too_long: str
) -> None:
    stack.check(LIST[:120])
    upload = stack.drop(LIST[:240], "b.txt")
    seen = {"memory_unreadable_since": LONG_AGO} if too_long == "unreadable" else {}
    if too_long == "deadline":
        stack.account.expire_deadline(upload)
    with monkeypatch.context() as patch:
        patch.setattr(MemoryBucket, "read", failing(MemoryUnreadableError("SlowDown")))
        assert stack.functions.collect(upload, seen)["next"] == "done"
    counts = stack.checked(upload).job.counts
    assert (counts.resolved, counts.unresolved) == (120, 120)


def test_a_failed_write_does_not_hold_up_a_paid_job(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(MemoryBucket, "write", failing(MemoryUnwritableError("SlowDown")))
    assert stack.check(LIST[:120]).job.state is State.COMPLETED
    assert '"MemoryUnwritable":[1.0]' in capsys.readouterr().out


def test_an_upload_that_is_gone_cannot_be_answered(stack: Stack) -> None:
    stack.check(LIST[:120])
    upload = stack.drop(LIST[:120], "b.txt")
    stack.account.delete(upload)
    decision = stack.functions.collect(upload)
    assert (decision["next"], decision["reason"]["code"]) == ("fail", "UPLOAD_GONE")


# What is remembered


def runs() -> dict[str, bytes]:
    bucket = boto3.resource("s3").Bucket("memory")
    return {item.key: item.get()["Body"].read() for item in bucket.objects.filter(Prefix="runs/")}


def test_a_second_collection_writes_the_same_object(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = stack.drop(LIST[:120])
    with monkeypatch.context() as patch:
        patch.setattr("numberdrop.aws.ledger.Ledger.move", failing(ConnectionError()))
        with pytest.raises(ConnectionError):
            stack.functions.collect(upload)
    before = runs()
    assert stack.functions.collect(upload)["next"] == "done"
    assert runs() == before != {}


def test_the_stamp_is_the_day_of_the_submission(stack: Stack) -> None:
    upload = stack.drop(LIST[:120])
    long_ago = datetime.now(UTC) - timedelta(days=25)
    stack.account.put(replace(job_of(stack.account, upload), submitted_at=long_ago))
    stack.functions.collect(upload)
    stack.checked(upload)
    answered = stack.check(LIST[:120], "b.txt")
    assert set(answered.column("checked_on").values()) == {long_ago.date().isoformat()}


def operations(account: Account) -> Operations:
    dynamodb = boto3.client("dynamodb")
    ledger = Ledger(dynamodb, account.jobs_table)
    return Operations(
        ledger=ledger,
        task_ids=TaskIds.beside(ledger),
        fences=Fences(boto3.client("s3"), account.results_bucket),
        jobs=JobsTable(dynamodb, account.jobs_table),
        executions=Executions(boto3.client("stepfunctions"), account.state_machine),
        queue=UploadQueue(boto3.client("sqs"), account.upload_queue),
        job_timeout=timedelta(hours=24),
    )


def test_a_charge_found_late_does_not_bring_numbers_back(stack: Stack) -> None:
    """The numbers were erased after the vendor had checked them, and before a person found the task."""
    stack.simulator.inject_fault("submit", "reset_after_work")
    upload = stack.account.drop("band/a.txt", file_of(*LIST[:120]))
    stack.functions.submit(upload)
    in_doubt = job_of(stack.account, upload)
    assert (in_doubt.state, len(stack.account.events())) == (State.IN_DOUBT, 1)
    long_ago = datetime.now(UTC) - timedelta(days=25)
    in_doubt = replace(in_doubt, finished_at=long_ago)
    stack.account.put(in_doubt)
    memory = connect_memory(MemorySettings.from_env())
    memory.forget("band", "erasure", TODAY - timedelta(days=20), LIST[:100])
    (charge,) = stack.simulator.charges
    assert operations(stack.account).mark_charged(in_doubt, charge.task_id) is None
    stack.account.end_pause()
    stack.functions.collect(upload)
    dates = stack.checked(upload).column("checked_on")
    assert set(dates.values()) == {long_ago.date().isoformat()}
    second = stack.drop(LIST[:240], "b.txt")
    assert job_of(stack.account, second).counts.remembered == 20


def test_remembered_answers_are_not_learnt_again(stack: Stack) -> None:
    stack.learn(LIST[:120], days_ago=20)
    stack.check(LIST[:240])
    stack.check(LIST[:240], "b.txt")
    stack.check(LIST[:240], "c.txt")
    dates = stack.check(LIST[:120], "d.txt").column("checked_on")
    assert set(dates.values()) == {(TODAY - timedelta(days=20)).isoformat()}


@pytest.mark.parametrize("checker", ["wa-deep", "ws_avatar"])
def test_a_sensitive_checker_is_never_remembered(stack: Stack, checker: str) -> None:
    numbers = [f"+44770090{n:04d}" for n in range(1200)]
    for name in ("a.txt", "b.txt"):
        upload = stack.account.drop(f"{checker}/{name}", file_of(*numbers))
        stack.functions.submit(upload)
        stack.functions.collect(upload)
        assert job_of(stack.account, upload).counts.submitted == 1200
    assert runs() == {}


@pytest.mark.parametrize("fault", ["no_verdict_column"])
def test_an_export_without_verdicts_is_not_learnt(stack: Stack, fault: str) -> None:
    stack.simulator.inject_fault("download", fault)
    stack.check(LIST[:120])
    assert runs() == {}


def test_no_number_is_in_the_memory(stack: Stack) -> None:
    stack.check(LIST[:120])
    stack.check(LIST[:240], "b.txt")
    bucket = boto3.resource("s3").Bucket("memory")
    for item in bucket.objects.all():
        assert b"7700900" not in item.get()["Body"].read()
        assert "7700900" not in item.key


# The memory is off


def test_nothing_changes_while_the_memory_is_off(account: Account, functions: Functions) -> None:
    upload = account.drop("band/a.txt", file_of(*LIST[:120]))
    functions.submit(upload)
    functions.collect(upload)
    header = files_of(account, upload)["results.csv"].decode().splitlines()[0]
    assert header == "line,number,status,verdict,band"
    (event,) = account.events()
    assert not {"remembered", "refreshed"} & event["detail"]["counts"].keys()
