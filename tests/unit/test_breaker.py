"""The rules of the open circuit breaker: who has the next turn, and when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from numberdrop.jobs.breaker import IDLE_AFTER, MESSAGE_PAUSE, Cause, OpenBreaker
from tests.support.jobs import NOON, an_upload

MINUTE = timedelta(minutes=1)
FIRST = an_upload("band/first.txt", size=1000)
SAME = an_upload("Band/same.txt", size=1000)
SMALLER = an_upload("band/smaller.txt", size=999)
OTHER = an_upload("phoneCheck/other.txt", size=5000)
REFUSALS = [Cause.KEY, Cause.BALANCE]


def pauses(breaker: OpenBreaker, count: int) -> list[float]:
    """Return the pauses in minutes before the next probes, each of which fails at once."""
    found = []
    for _ in range(count):
        assert breaker.due_at
        now = breaker.due_at
        breaker = breaker.with_turn(OTHER, now).after_failure(now)
        assert breaker.due_at
        found.append((breaker.due_at - now) / MINUTE)
    return found


def test_pauses_grow_up_to_a_limit() -> None:
    assert pauses(OpenBreaker.opened(FIRST, Cause.OUTAGE, NOON), 4) == [2, 4, 5, 5]
    assert pauses(OpenBreaker.opened(FIRST, Cause.BALANCE, NOON), 4) == [2, 4, 5, 5]
    assert pauses(OpenBreaker.opened(FIRST, Cause.KEY, NOON), 6) == [2, 4, 8, 16, 30, 30]


def test_pauses_stay_limited_forever() -> None:
    long_open = replace(OpenBreaker.opened(FIRST, Cause.OUTAGE, NOON), failures=10**6)
    assert pauses(long_open, 1) == [5]


@pytest.mark.parametrize("cause", REFUSALS)
def test_another_checker_goes_before_the_refused_file(cause: Cause) -> None:
    breaker = OpenBreaker.opened(FIRST, cause, NOON)
    assert breaker.due_for(OTHER) == NOON + MINUTE
    assert breaker.due_for(FIRST) == breaker.due_for(SAME) == NOON + MINUTE + MESSAGE_PAUSE


def test_a_smaller_file_may_fit_the_balance() -> None:
    assert OpenBreaker.opened(FIRST, Cause.BALANCE, NOON).due_for(SMALLER) == NOON + MINUTE
    assert OpenBreaker.opened(FIRST, Cause.KEY, NOON).due_for(SMALLER) == NOON + MINUTE + MESSAGE_PAUSE


def test_a_refused_probe_goes_behind_the_others() -> None:
    breaker = OpenBreaker.opened(FIRST, Cause.BALANCE, NOON).with_turn(SMALLER, NOON)
    refused = breaker.after_refusal(SMALLER, NOON)
    assert refused.prober is None
    assert refused.due_for(an_upload("band/tiny.txt", size=1)) == refused.due_for(OTHER) == NOON + 2 * MINUTE
    assert refused.due_for(SMALLER) == refused.due_for(FIRST) == NOON + 2 * MINUTE + MESSAGE_PAUSE
    assert (refused.holder, refused.smallest_refused) == (FIRST.job_id, 999)


@pytest.mark.parametrize("upload", [SAME, SMALLER, OTHER])
def test_any_upload_may_end_an_outage(upload: object) -> None:
    assert OpenBreaker.opened(FIRST, Cause.OUTAGE, NOON).due_for(upload) == NOON + MINUTE  # type: ignore[arg-type]


def test_each_doubt_of_a_probe_makes_the_pause_longer() -> None:
    breaker, waits = OpenBreaker.opened(FIRST, Cause.OUTAGE, NOON), []
    for _ in range(6):
        breaker = breaker.with_turn(OTHER, NOON).after_doubt(OTHER, NOON)
        assert breaker.due_at
        waits.append((breaker.due_at - NOON) / MINUTE)
    assert waits == [15, 30, 60, 120, 240, 360]
    assert (breaker.holder, breaker.cause, breaker.since) == (OTHER.job_id, Cause.OUTAGE, NOON)


def test_a_turn_in_which_nothing_was_learned_is_passed_on() -> None:
    breaker = OpenBreaker.opened(FIRST, Cause.OUTAGE, NOON).with_turn(OTHER, NOON)
    passed = breaker.passed_on(NOON)
    assert (passed.prober, passed.failures, passed.due_for(SAME)) == (None, 0, NOON)


def test_a_breaker_is_idle_if_nobody_asks_for_a_turn() -> None:
    breaker = OpenBreaker.opened(FIRST, Cause.OUTAGE, NOON)
    late = NOON + MINUTE + IDLE_AFTER
    assert not breaker.is_idle(late)
    assert breaker.is_idle(late + MINUTE)
    assert not breaker.with_turn(OTHER, late).is_idle(late + MINUTE)
    assert not OpenBreaker.opened(FIRST, Cause.KEY, NOON).is_idle(late + MINUTE)


def test_an_item_holds_no_empty_attributes() -> None:
    """DynamoDB refuses empty sets."""
    item = OpenBreaker.opened(FIRST, Cause.OUTAGE, NOON).as_item()
    assert set(item) == {"holder", "cause", "since", "due_at", "failures", "doubts"}
    assert OpenBreaker.from_item(item) == OpenBreaker.opened(FIRST, Cause.OUTAGE, NOON)
