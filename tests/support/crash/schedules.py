"""Schedules: a scenario with faults at some of its calls."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from numberdrop.jobs.transitions import State
from tests.support.crash.invariants import ENDED, violations
from tests.support.crash.scenarios import SCENARIOS
from tests.support.crash.seam import READ, Call, Fault, Invocation, Mode
from tests.support.crash.wiring import Wiring
from tests.support.crash.world import World

SAMPLED = {
    "an_account_that_stays_empty": 3,
    "an_empty_account": 2,
    "an_upload_claimed_before_a_long_open_breaker": 8,
    "a_refused_key_for_hours": 8,
    "a_checker_beyond_the_plan": 4,
    "a_checker_that_stays_refused": 32,
    "an_outage_that_outlasts_every_deadline": 2,
    "an_outage_that_ends_with_a_refusal": 2,
    "messages_lost_in_an_outage": 2,
    "a_restored_table_that_is_compared": 4,
    "overlapping_uploads": 2,
    "an_upload_collected_on_the_next_day": 2,
    "a_remembered_upload_in_an_outage": 2,
}
"""Long scenarios, of which the tests try only every n-th single fault. `make torture` tries all of them."""

TORTURE_SECONDS = float(os.environ.get("NUMBERDROP_TORTURE_SECONDS", "0"))
"""How long to try faults from new seeds; 0 in the usual tests."""

OUTAGES = {
    "an_outage",
    "an_outage_that_outlasts_every_deadline",
    "an_outage_of_submissions_only",
    "an_outage_that_ends_with_a_refusal",
    "messages_lost_in_an_outage",
    "a_remembered_upload_in_an_outage",
}
"""Scenarios in which a fault may change which upload meets the outage, but not how many do."""

MAY_TIME_OUT = {"a_table_restored_after_the_deadline", "a_table_restored_to_before_a_rejection"}
"""Scenarios in which an upload ends free of charge if a fault keeps it from being sent in time."""

Outcome = tuple[State, str | None]
CallPath = tuple[str, ...]


@dataclass(frozen=True)
class Schedule:
    """A scenario with faults; it runs the same each time."""

    scenario: str
    faults: tuple[Fault, ...] = ()

    def run(self, wiring: type[Wiring] = Wiring) -> World:
        world = World({fault.call_number: fault.mode for fault in self.faults}, wiring)
        SCENARIOS[self.scenario](world)
        return world

    def problems(self, wiring: type[Wiring] = Wiring) -> list[str]:
        """Run it; return violated invariants, and outcomes that differ from those without faults."""
        world = self.run(wiring)
        problems = violations(world)
        if all(fault.mode is not Mode.LATE for fault in self.faults):
            problems += _changed_outcomes(world, self)
        return problems


def _changed_outcomes(world: World, schedule: Schedule) -> Iterator[str]:
    """Report outcomes that faults changed; only a crash around the POST may leave a doubt."""
    expected = _outcomes_without_faults(schedule.scenario)
    if any(outcome is None or outcome[0] not in ENDED for outcome in expected):
        return  # The scenario ends before its jobs do.
    may_raise_doubt = any(_is_around_a_post(world.seam.calls, fault) for fault in schedule.faults)
    if schedule.scenario in OUTAGES:
        yield from _excess_doubts(world, expected, allowed=may_raise_doubt)
        return
    for number, outcome in enumerate(_outcomes(world)):
        is_too_late = outcome == (State.FAILED, "TIMED_OUT") and not world.vendor.tasks_of(number)
        if is_too_late and schedule.scenario in MAY_TIME_OUT:
            continue
        in_doubt = outcome is not None and outcome[0] is State.IN_DOUBT
        if outcome != expected[number] and not (in_doubt and may_raise_doubt):
            yield f"upload {number} ends as {outcome} instead of {expected[number]}"


def _excess_doubts(world: World, expected: tuple[Outcome | None, ...], *, allowed: int) -> Iterator[str]:
    """Report more doubts than an outage must cost, and jobs that are neither in doubt nor completed."""
    states = Counter(outcome[0] if outcome else None for outcome in _outcomes(world))
    doubts = sum(outcome is not None and outcome[0] is State.IN_DOUBT for outcome in expected)
    if states[State.IN_DOUBT] > doubts + allowed:
        yield f"{states[State.IN_DOUBT]} uploads are in doubt instead of {doubts}"
    if states.keys() - {State.IN_DOUBT, State.COMPLETED}:
        yield f"uploads end as {dict(states)}"


def _outcomes(world: World) -> tuple[Outcome | None, ...]:
    jobs = [world.job(upload) for upload in world.uploads]
    return tuple((job.state, str(job.reason.code) if job.reason else None) if job else None for job in jobs)


@cache
def _outcomes_without_faults(scenario: str) -> tuple[Outcome | None, ...]:
    return _outcomes(Schedule(scenario).run())


def _is_around_a_post(calls: list[Call], fault: Fault) -> bool:
    """Tell whether a fault is between the write that arms and the write that records the answer."""
    if fault.call_number >= len(calls):
        return False
    broken = calls[fault.call_number]
    if fault.mode is Mode.TWICE and Mode.TWICE in broken.kind.modes:
        return False  # Retries by the SDK must not leave a doubt.
    invocation = broken.invocation
    writes = [call for call in calls if call.invocation == invocation and call.name == "dynamodb.update_item"]
    armed = [index for index, call in enumerate(writes) if call.number <= fault.call_number and _arms(call)]
    if not armed:
        return False
    record = writes[armed[-1] + 1 : armed[-1] + 2]
    return not record or fault.call_number <= record[0].number


def _arms(call: Call) -> bool:
    values = call.arguments.get("ExpressionAttributeValues", {})
    return bool(values.get(":state") == {"S": str(State.SUBMITTING)})


def single_faults(scenario: str) -> tuple[tuple[Call, Schedule], ...]:
    """Return the single faults of a scenario that the tests try: all, or every n-th of a long one."""
    step = 1 if TORTURE_SECONDS else SAMPLED.get(scenario, 1)
    return all_single_faults(scenario)[::step]


@cache
def all_single_faults(scenario: str) -> tuple[tuple[Call, Schedule], ...]:
    """Return every fault of each call of a scenario that can make a difference.

    If several invocations of a function reach a call by the same path, only the first two count: most runs
    of reconcile are alike. Of consecutive reads of the same thing, such as the shards of the index, only
    the first and the last count. Of deaths that leave the same, only the first counts.
    """
    calls = Schedule(scenario).run().seam.calls
    path_of = defaultdict[Invocation, CallPath](tuple)
    paths = Counter[tuple[str, CallPath]]()
    faults: dict[Fault, None] = {}
    for call in calls:
        path_of[call.invocation] += (call.name,)
        path = call.invocation.function, path_of[call.invocation]
        paths[path] += 1
        if paths[path] <= 2 and not _is_inner_repeat(call, calls):
            found = (same_death(Fault(call.number, mode), calls) for mode in call.kind.modes)
            faults |= dict.fromkeys(found)
    return tuple((calls[fault.call_number], Schedule(scenario, (fault,))) for fault in faults)


def same_death(fault: Fault, calls: list[Call]) -> Fault:
    """Return the earliest fault that leaves the same as this one.

    A process that dies leaves what its calls did, and nothing else. So its death before a call is the same
    as after the call before it; and if that one only read, the same as before it.
    """
    call = calls[fault.call_number]
    if fault.mode is not Mode.DIES_BEFORE or not call.follows:
        return fault
    before = calls[call.number - 1]
    if Mode.DIES_AFTER in before.kind.modes:
        return Fault(before.number, Mode.DIES_AFTER)
    return same_death(Fault(before.number, Mode.DIES_BEFORE), calls)


def _is_inner_repeat(call: Call, calls: list[Call]) -> bool:
    around = calls[call.number - 1 : call.number + 2]
    same = [other for other in around if (other.invocation, other.name) == (call.invocation, call.name)]
    return call.kind is READ and len(same) == 3
