"""Events: emitted first, then marked in the ledger; at least once, and not again once marked."""

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest

from numberdrop.aws.bus import Announcer, NotAnnouncedError
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.events import detail
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.jobs import a_job
from tests.support.refusals import RefusingEventBridge

ANNOUNCED = [State.COMPLETED, State.FAILED, State.IN_DOUBT, State.BLOCKED, State.ABANDONED]


class UnreachableLedger:
    """A ledger that cannot be reached when the job is to be marked."""

    def mark_announced(self, _job: object) -> None:
        raise ConnectionError


@pytest.mark.parametrize("state", ANNOUNCED)
def test_an_event_is_emitted_and_the_job_is_marked(
    account: Account, ledger: Ledger, announcer: Announcer, state: State
) -> None:
    job = a_job(state)
    account.put(job)
    announcer.announce(job)
    (event,) = account.events()
    assert event["source"] == "numberdrop"
    assert event["detail"] == json.loads(json.dumps(detail(job)))
    marked = ledger.get(job.job_id)
    assert marked
    assert marked.announced == {job.ending}


@pytest.mark.parametrize("version", ["1", "2"])
def test_functions_announce_in_the_configured_version(
    account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("EVENT_SCHEMA_VERSION", version)
    functions.submit(account.drop("no-such-checker/a.txt", file_of()))
    (event,) = account.events()
    assert event["detail"]["schema_version"] == version


def test_a_marked_event_is_not_emitted_again(account: Account, ledger: Ledger, announcer: Announcer) -> None:
    account.put(a_job(State.COMPLETED))
    announcer.announce(a_job(State.COMPLETED))
    marked = ledger.get(a_job().job_id)
    assert marked
    announcer.announce(marked)
    assert len(account.events()) == 1


def test_a_job_blocked_for_another_reason_is_announced_again(
    account: Account, ledger: Ledger, announcer: Announcer
) -> None:
    reason = Reason(ReasonCode.INSUFFICIENT_BALANCE, "Top it up.")
    job = a_job(State.BLOCKED, announced=frozenset({"blocked:BAD_API_KEY"}), reason=reason)
    account.put(job)
    announcer.announce(job)
    assert [event["detail"]["reason"]["code"] for event in account.events()] == ["INSUFFICIENT_BALANCE"]


@pytest.mark.parametrize("state", [State.CLAIMED, State.SUBMITTING, State.SUBMITTED, State.ANSWERED])
def test_a_running_job_is_not_announced(account: Account, announcer: Announcer, state: State) -> None:
    account.put(a_job(state))
    announcer.announce(a_job(state))
    assert account.events() == []


def test_a_rejected_event_raises_an_error_and_sets_no_mark(account: Account, ledger: Ledger) -> None:
    account.put(a_job(State.COMPLETED))
    refusing: Any = RefusingEventBridge()
    announcer = replace(account.announcer(ledger), client=refusing)
    with pytest.raises(NotAnnouncedError, match="ThrottlingException") as caught:
        announcer.announce(a_job(State.COMPLETED))
    assert "447946" not in str(caught.value)
    unmarked = ledger.get(a_job().job_id)
    assert unmarked
    assert unmarked.announced == frozenset()


def test_the_event_is_emitted_before_the_job_is_marked(account: Account) -> None:
    announcer = account.announcer(UnreachableLedger())  # type: ignore[arg-type]
    with pytest.raises(ConnectionError):
        announcer.announce(a_job(State.COMPLETED))
    assert len(account.events()) == 1


def test_events_go_to_the_configured_bus(account: Account, ledger: Ledger) -> None:
    boto3.client("events").create_event_bus(Name="another")
    account.put(a_job(State.COMPLETED))
    replace(account.announcer(ledger), bus="another").announce(a_job(State.COMPLETED))
    assert account.events() == []
