"""Every side effect of every scenario fails once, in every way that it can."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from numberdrop.jobs.job import Job
from tests.support.crash.scenarios import SCENARIOS
from tests.support.crash.schedules import TORTURE_SECONDS, Schedule, same_death, single_faults
from tests.support.crash.seam import Fault, Mode


@pytest.mark.timeout(TORTURE_SECONDS + 120)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_single_fault_charges_twice_or_loses_a_job(
    scenario: str, record_property: Callable[[str, object], None]
) -> None:
    assert Schedule(scenario).problems() == []

    schedules = single_faults(scenario)
    record_property("schedules", len(schedules))
    print(f"{scenario}: {len(schedules)} schedules")
    found = ((call, schedule, schedule.problems()) for call, schedule in schedules)
    bad = [f"{call} {schedule.faults[0].mode}: {problems}" for call, schedule, problems in found if problems]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("scenario", ["one_upload", "an_answered_upload_that_is_announced_again"])
def test_deaths_that_leave_the_same_end_the_same(scenario: str) -> None:
    calls = Schedule(scenario).run().seam.calls
    deaths = [Fault(call.number, Mode.DIES_BEFORE) for call in calls if call.follows]
    assert len(deaths) > len(calls) / 4
    for death in deaths:
        assert _what_follows(scenario, death) == _what_follows(scenario, same_death(death, calls))


def _what_follows(scenario: str, death: Fault) -> tuple[object, ...]:
    """Return everything that happens after a death, and what is left in the end."""
    world = Schedule(scenario, (death,)).run()
    calls = world.seam.calls[death.call_number + 1 :]
    return (
        [(call.invocation.function, call.name) for call in calls],
        world.timeline,
        [_without_random_names(job) for upload in world.uploads if (job := world.job(upload))],
        world.vendor.tasks,
        [message.body for message in world.queue.dead_letters],
    )


def _without_random_names(job: Job) -> Job:
    recalled = job.recalled and job.recalled.rpartition("-")[0]
    return replace(job, token="", last_write="", fence_tokens=frozenset(), recalled=recalled)


def test_one_upload_is_broken_at_every_call_in_every_mode() -> None:
    calls = Schedule("one_upload").run().seam.calls
    broken = {schedule.faults[0] for _, schedule in single_faults("one_upload")}
    every = {Fault(call.number, mode) for call in calls for mode in call.kind.modes}
    assert broken == {same_death(fault, calls) for fault in every}
    assert {fault.mode for fault in broken} == set(Mode)
    assert {call.name.partition(".")[0] for call in calls} == {
        "dynamodb",
        "s3",
        "sqs",
        "events",
        "stepfunctions",
        "secretsmanager",
        "vendor",
        "downloader",
    }
