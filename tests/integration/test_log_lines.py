"""The log lines that the runbook needs are written at the default level, whatever fails afterwards."""

from collections.abc import Callable
from typing import Any

import pytest

from numberdrop.aws.executions import Executions
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.task_ids import TaskIds
from numberdrop.jobs.transitions import ACCEPT, Transition
from numberdrop.steps.submission import Submitter
from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions, LogLines

LINE = "the vendor made a task"


def fail(*_: Any, **__: Any) -> Any:
    raise ConnectionError("AWS cannot be reached")


def nothing_fails(_: pytest.MonkeyPatch) -> None:
    pass


def the_ledger_refuses_the_task(patch: pytest.MonkeyPatch) -> None:
    move = Ledger.move

    def refuse(ledger: Ledger, job: Any, transition: Transition, **changes: Any) -> Any:
        return fail() if transition is ACCEPT else move(ledger, job, transition, **changes)

    patch.setattr(Ledger, "move", refuse)


def the_task_id_cannot_be_assigned(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TaskIds, "assign", fail)


def another_job_has_the_task(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TaskIds, "assign", lambda *_: False)


def the_execution_cannot_be_started(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Executions, "start", fail)


def everything_after_the_answer_fails(patch: pytest.MonkeyPatch) -> None:
    for name in ("_accept", "_end"):
        patch.setattr(Submitter, name, fail)


@pytest.mark.parametrize(
    "fault",
    [
        nothing_fails,
        the_ledger_refuses_the_task,
        the_task_id_cannot_be_assigned,
        another_job_has_the_task,
        the_execution_cannot_be_started,
        everything_after_the_answer_fails,
    ],
)
def test_the_task_is_logged_whatever_fails_afterwards(
    account: Account,
    functions: Functions,
    logged: LogLines,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[pytest.MonkeyPatch], None],
) -> None:
    for name in ("POWERTOOLS_LOG_LEVEL", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    fault(monkeypatch)
    upload = account.drop("band/leads.txt", file_of())
    functions.submit(upload)
    (line,) = [line for line in logged.lines if line["message"] == LINE]
    assert (line["level"], line["job_id"]) == ("INFO", upload.job_id)
    assert line["task_id"]
