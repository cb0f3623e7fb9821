"""The ledger in DynamoDB: every transition applies from its source states only."""

from dataclasses import replace
from datetime import timedelta
from itertools import repeat
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from numberdrop.aws.ledger import SHARDS, Ledger, TransitionRefusedError
from numberdrop.jobs.job import Job, StoredResults
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import (
    ACCEPT,
    CLAIM,
    COMPLETE,
    FAIL,
    RECLAIM,
    TRANSITIONS,
    Guard,
    State,
    Transition,
)
from tests.support.account import Account
from tests.support.jobs import COUNTED, NOON, TASK_ID, TOKEN, a_job, an_upload

DAY = timedelta(days=1)
MOVES = [transition for transition in TRANSITIONS if transition is not CLAIM]
EVERY_CASE = [(transition, state) for transition in MOVES for state in State]
ALLOWED = [(transition, state) for transition, state in EVERY_CASE if state in transition.sources]
FORBIDDEN = [(transition, state) for transition, state in EVERY_CASE if state not in transition.sources]


def name(value: Transition | State) -> str:
    return value.name


@pytest.fixture
def ledger(account: Account) -> Ledger:
    return Ledger(boto3.client("dynamodb"), account.jobs_table, now=lambda: NOON)


def store(account: Account, state: State, **changes: Any) -> Job:
    """Store a job in the ledger, and return it."""
    job = a_job(state, **changes)
    account.put(job)
    return job


class AnswerLosingDynamoDB:
    """DynamoDB that loses the answer to a write, so that the SDK repeats the write."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.writes = 0

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._client, operation)

    def update_item(self, **request: Any) -> Any:
        self._client.update_item(**request)
        self.writes += 1
        return self._client.update_item(**request)


# Claiming


def test_a_job_is_claimed_when_first_seen(ledger: Ledger) -> None:
    upload = an_upload()
    claimed = ledger.claim(upload, lease_until=NOON, deadline=NOON + timedelta(hours=1))
    assert claimed == ledger.get(upload.job_id)
    assert (claimed.state, claimed.upload, claimed.created_at) == (State.CLAIMED, upload, NOON)
    assert (claimed.attempts, claimed.run, claimed.charged, claimed.announced) == (0, 1, False, frozenset())


@pytest.mark.parametrize("state", State)
def test_an_existing_job_is_not_claimed_again(account: Account, ledger: Ledger, state: State) -> None:
    existing = store(account, state)
    with pytest.raises(TransitionRefusedError) as refused:
        ledger.claim(existing.upload, lease_until=NOON, deadline=NOON)
    assert refused.value.current == existing == ledger.get(existing.job_id)


def test_every_claim_gets_its_own_token(ledger: Ledger) -> None:
    one = ledger.claim(an_upload("band/one.txt"), lease_until=NOON, deadline=NOON)
    other = ledger.claim(an_upload("band/other.txt"), lease_until=NOON, deadline=NOON)
    assert one.token != other.token


def test_a_job_that_was_never_claimed_is_none(ledger: Ledger) -> None:
    assert ledger.get("0" * 64) is None


# Every transition from every state


@pytest.mark.parametrize(("transition", "state"), ALLOWED, ids=name)
def test_a_transition_applies_from_its_sources(
    account: Account, ledger: Ledger, transition: Transition, state: State
) -> None:
    job = store(account, state, task_id=TASK_ID)
    moved = ledger.move(job, transition)
    assert moved.state is transition.target
    expected = replace(job, state=moved.state, last_write=moved.last_write)
    assert moved == ledger.get(job.job_id) == expected


@pytest.mark.parametrize(("transition", "state"), FORBIDDEN, ids=name)
def test_a_transition_is_refused_from_every_other_state(
    account: Account, ledger: Ledger, transition: Transition, state: State
) -> None:
    job = store(account, state)
    with pytest.raises(TransitionRefusedError) as refused:
        ledger.move(job, transition)
    assert refused.value.current == job == ledger.get(job.job_id)


@pytest.mark.parametrize("transition", MOVES, ids=name)
def test_a_transition_does_not_create_a_missing_job(ledger: Ledger, transition: Transition) -> None:
    with pytest.raises(TransitionRefusedError) as refused:
        ledger.move(a_job(), transition)
    assert refused.value.current is None
    assert ledger.get(a_job().job_id) is None


# Guards


@pytest.mark.parametrize(
    ("transition", "state"), [case for case in ALLOWED if case[0].guard is Guard.TOKEN], ids=name
)
def test_a_foreign_token_is_refused(
    account: Account, ledger: Ledger, transition: Transition, state: State
) -> None:
    job = store(account, state)
    with pytest.raises(TransitionRefusedError):
        ledger.move(replace(job, token="an older token"), transition)
    assert ledger.get(job.job_id) == job


@pytest.mark.parametrize(
    ("transition", "state"), [case for case in ALLOWED if case[0].guard is Guard.LEASE_OVER], ids=name
)
def test_a_valid_lease_is_respected(
    account: Account, ledger: Ledger, transition: Transition, state: State
) -> None:
    job = store(account, state, lease_until=NOON + timedelta(milliseconds=1))
    with pytest.raises(TransitionRefusedError):
        ledger.move(job, transition)
    assert ledger.get(job.job_id) == job


@pytest.mark.parametrize(
    ("transition", "state"), [case for case in ALLOWED if case[0].guard is Guard.READ], ids=name
)
def test_a_decision_on_an_outdated_job_is_refused(
    account: Account, ledger: Ledger, transition: Transition, state: State
) -> None:
    job = store(account, state)
    with pytest.raises(TransitionRefusedError):
        ledger.move(replace(job, last_write="an older write"), transition)
    assert ledger.get(job.job_id) == job


@pytest.mark.parametrize("transition", [COMPLETE, FAIL], ids=name)
def test_the_end_of_another_task_is_refused(account: Account, ledger: Ledger, transition: Transition) -> None:
    job = store(account, State.SUBMITTED)
    with pytest.raises(TransitionRefusedError):
        ledger.move(replace(job, task_id="an-older-task"), transition)
    assert ledger.get(job.job_id) == job


def test_only_one_of_two_reclaims_gets_the_job(account: Account, ledger: Ledger) -> None:
    job = store(account, State.CLAIMED)
    lease = NOON + timedelta(minutes=5)
    winner = ledger.reclaim(job, lease_until=lease, timeout=DAY)
    with pytest.raises(TransitionRefusedError) as refused:
        ledger.reclaim(job, lease_until=lease, timeout=DAY)
    assert winner.token != TOKEN
    assert refused.value.current == winner


# Lost answers


def test_a_claim_whose_answer_was_lost_is_recognised(account: Account) -> None:
    client: Any = AnswerLosingDynamoDB(boto3.client("dynamodb"))
    claimed = Ledger(client, account.jobs_table).claim(an_upload(), lease_until=NOON, deadline=NOON)
    assert (claimed.state, client.writes) == (State.CLAIMED, 1)


@pytest.mark.parametrize(("transition", "state"), ALLOWED, ids=name)
def test_a_transition_whose_answer_was_lost_is_recognised(
    account: Account, transition: Transition, state: State
) -> None:
    job = store(account, state, task_id=TASK_ID)
    client: Any = AnswerLosingDynamoDB(boto3.client("dynamodb"))
    moved = Ledger(client, account.jobs_table, now=lambda: NOON).move(job, transition)
    assert (moved.state, client.writes) == (transition.target, 1)


def test_a_reclaim_whose_answer_was_lost_keeps_its_token(account: Account) -> None:
    job = store(account, State.CLAIMED)
    lease = NOON + timedelta(minutes=5)
    ledger = Ledger(AnswerLosingDynamoDB(boto3.client("dynamodb")), account.jobs_table, now=lambda: NOON)  # type: ignore[arg-type]
    reclaimed = ledger.reclaim(job, lease_until=lease, timeout=DAY)
    assert reclaimed == ledger.get(job.job_id)


def test_other_errors_of_dynamodb_are_raised(account: Account) -> None:
    ledger = Ledger(boto3.client("dynamodb"), "no-such-table")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        ledger.claim(an_upload(), lease_until=NOON, deadline=NOON)


# What is stored


def test_the_fields_of_a_completed_job_are_stored(account: Account, ledger: Ledger) -> None:
    job = store(account, State.SUBMITTED)
    results = StoredResults("results", "a/export.zip", "a/results.csv", "a/manifest.json")
    moved = ledger.move(job, COMPLETE, results=results, counts=COUNTED, finished_at=NOON, reason=None)
    assert ledger.get(job.job_id) == moved
    assert (moved.results, moved.counts, moved.finished_at) == (results, COUNTED, NOON)


@pytest.mark.parametrize("state", State)
def test_a_job_is_read_as_it_was_written(account: Account, ledger: Ledger, state: State) -> None:
    job = store(account, state)
    assert ledger.get(job.job_id) == job


def test_a_reason_is_stored(account: Account, ledger: Ledger) -> None:
    reason = Reason(ReasonCode.TASK_FAILED, "The vendor says so. 🎈")
    assert ledger.move(store(account, State.SUBMITTED), FAIL, reason=reason).reason == reason


def test_a_misspelt_field_is_refused(account: Account, ledger: Ledger) -> None:
    job = store(account, State.SUBMITTING)
    misspelt: Any = {"task_idd": TASK_ID, "charged": True}
    with pytest.raises(TypeError, match=r"^The ledger cannot set task_idd\. Name a field of"):
        ledger.move(job, ACCEPT, **misspelt)
    assert ledger.get(job.job_id) == job


@pytest.mark.parametrize("field", ["job_id", "state", "last_write", "announced"])
def test_fields_that_only_the_ledger_sets_are_refused(account: Account, ledger: Ledger, field: str) -> None:
    job = store(account, State.SUBMITTING)
    with pytest.raises(TypeError, match=f"cannot set {field}"):
        ledger.move(job, ACCEPT, **{field: "x"})  # type: ignore[arg-type]
    assert ledger.get(job.job_id) == job


@pytest.mark.parametrize("key", ["band/ü 🎈+%20.txt", "band/../x", "band/" + "k" * 1019])
def test_jobs_with_odd_keys_are_stored(ledger: Ledger, key: str) -> None:
    claimed = ledger.claim(an_upload(key), lease_until=NOON, deadline=NOON)
    assert claimed.upload.key == key


@pytest.mark.parametrize("name", ["upload", "counts", "results"])
def test_nested_attributes_of_a_newer_version_are_ignored(
    account: Account, ledger: Ledger, name: str
) -> None:
    job = store(account, State.COMPLETED)
    ledger.client.update_item(
        TableName=account.jobs_table,
        Key={"job_id": {"S": job.job_id}},
        UpdateExpression="SET #name.newer = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": {"S": "x"}},
    )
    assert ledger.get(job.job_id) == job


def test_attributes_of_a_newer_version_are_ignored(account: Account, ledger: Ledger) -> None:
    job = store(account, State.SUBMITTED)
    boto3.resource("dynamodb").Table(account.jobs_table).update_item(
        Key={"job_id": job.job_id},
        UpdateExpression="SET newer = :value",
        ExpressionAttributeValues={":value": 1},
    )
    assert ledger.get(job.job_id) == job


# Announcements


def test_marking_an_ending_as_announced_can_be_repeated(account: Account, ledger: Ledger) -> None:
    job = store(account, State.COMPLETED)
    ledger.mark_announced(job)
    ledger.mark_announced(job)
    assert ledger.get(job.job_id) == replace(job, announced=frozenset({"completed"}))


def test_a_job_blocked_for_another_reason_is_marked_again(account: Account, ledger: Ledger) -> None:
    blocked = store(account, State.BLOCKED)
    ledger.mark_announced(blocked)
    ledger.mark_announced(replace(blocked, reason=Reason(ReasonCode.INSUFFICIENT_BALANCE, "Top it up.")))
    marked = ledger.get(blocked.job_id)
    assert marked
    assert marked.announced == {"blocked:BAD_API_KEY", "blocked:INSUFFICIENT_BALANCE"}


def test_marking_does_not_create_a_job(ledger: Ledger) -> None:
    ledger.mark_announced(a_job(State.COMPLETED))
    assert ledger.get(a_job().job_id) is None


def test_a_changed_job_is_not_marked(account: Account, ledger: Ledger) -> None:
    job = store(account, State.IN_DOUBT)
    moved = ledger.move(job, ACCEPT, task_id=TASK_ID)
    ledger.mark_announced(job)
    assert ledger.get(job.job_id) == moved


# Unsettled jobs


def test_every_transition_makes_a_job_unsettled(account: Account, ledger: Ledger) -> None:
    for transition, state in ALLOWED:
        job = store(account, state, task_id=TASK_ID)
        ledger.move(job, transition)
        assert [job_id for job_id, _ in ledger.unsettled()] == [job.job_id]


@pytest.mark.parametrize("state", State)
def test_only_an_announced_end_or_doubt_settles_a_job(account: Account, ledger: Ledger, state: State) -> None:
    job = store(account, state)
    ledger.mark_announced(job)
    ended = state in {State.COMPLETED, State.FAILED, State.ABANDONED, State.IN_DOUBT}
    assert [job_id for job_id, _ in ledger.unsettled()] == ([] if ended else [job.job_id])


def test_unsettled_jobs_are_found_in_every_shard(account: Account, ledger: Ledger) -> None:
    jobs = [store(account, State.CLAIMED, upload=an_upload(f"band/{n}.txt")) for n in range(100)]
    assert len({job.job_id[0] for job in jobs}) > 10
    assert sorted(job_id for job_id, _ in ledger.unsettled()) == sorted(job.job_id for job in jobs)


def test_every_shard_comes_first_once(account: Account, ledger: Ledger) -> None:
    for n in range(100):
        store(account, State.CLAIMED, upload=an_upload(f"band/{n}.txt"))
    moments = (NOON + timedelta(minutes=3 * n) for n in range(len(SHARDS)))
    runs = (replace(ledger, now=repeat(moment).__next__) for moment in moments)
    assert {next(run.unsettled())[0][0] for run in runs} == set(SHARDS)


def test_known_returns_only_ids_with_a_job(account: Account, ledger: Ledger) -> None:
    job = store(account, State.COMPLETED)
    assert ledger.known([job.job_id, "0" * 64]) == {job.job_id}


def test_a_lease_can_be_extended(account: Account, ledger: Ledger) -> None:
    job = store(account, State.SUBMITTED)
    ledger.extend_lease(job, NOON + DAY)
    assert ledger.get(job.job_id) == replace(job, lease_until=NOON + DAY)


def test_the_lease_of_a_changed_job_is_not_extended(account: Account, ledger: Ledger) -> None:
    job = store(account, State.SUBMITTED)
    moved = ledger.move(job, FAIL)
    ledger.extend_lease(job, NOON + DAY)
    assert ledger.get(job.job_id) == moved


# Deadlines


def test_reclaiming_a_blocked_job_resets_its_deadline(account: Account, ledger: Ledger) -> None:
    job = store(account, State.BLOCKED, deadline=NOON - DAY)
    assert ledger.reclaim(job, lease_until=NOON, timeout=DAY).deadline == NOON + DAY


def test_reclaiming_a_claimed_job_keeps_its_deadline(account: Account, ledger: Ledger) -> None:
    job = store(account, State.CLAIMED)
    assert ledger.reclaim(job, lease_until=NOON, timeout=DAY * 9).deadline == job.deadline


def test_a_refusal_names_only_the_transition_and_the_state(account: Account, ledger: Ledger) -> None:
    job = store(account, State.COMPLETED)
    with pytest.raises(TransitionRefusedError, match=r"^'reclaim' does not apply: the job is completed\.$"):
        ledger.move(job, RECLAIM)
