"""Every side effect of every scenario fails once, in every way that it can."""

from collections.abc import Callable

import pytest

from tests.support.crash.scenarios import SCENARIOS
from tests.support.crash.schedules import TORTURE_SECONDS, Schedule, single_faults
from tests.support.crash.seam import Mode


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


def test_one_upload_is_broken_at_every_call_in_every_mode() -> None:
    calls = Schedule("one_upload").run().seam.calls
    broken = {(call.number, schedule.faults[0].mode) for call, schedule in single_faults("one_upload")}
    assert broken == {(call.number, mode) for call in calls for mode in call.kind.modes}
    assert {mode for _, mode in broken} == set(Mode)
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
