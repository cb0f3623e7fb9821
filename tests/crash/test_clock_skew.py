"""Workers whose clocks differ by up to 20 minutes still send one file at a time behind the open breaker."""

from datetime import datetime, timedelta
from random import Random

import pytest

from numberdrop.steps.gatekeeper import Gatekeeper
from tests.support.crash.invariants import violations
from tests.support.crash.schedules import single_faults
from tests.support.crash.seam import Mode
from tests.support.crash.wiring import Wiring

SKEWS = [timedelta(minutes=minutes) for minutes in (-10, 0, 10)]


class _SkewedGatekeeper(Gatekeeper):
    """Reads another clock each time."""

    def __post_init__(self) -> None:
        clock, draw = self.now, Random(1)

        def skewed() -> datetime:
            return clock() + draw.choice(SKEWS)

        object.__setattr__(self, "now", skewed)


class SkewedClocks(Wiring):
    gatekeeper_class = _SkewedGatekeeper


@pytest.mark.parametrize("scenario", ["an_outage", "an_outage_of_submissions_only"])
def test_clocks_do_not_decide_who_sends(scenario: str) -> None:
    schedules = [schedule for _, schedule in single_faults(scenario)]
    late = [schedule for schedule in schedules if schedule.faults[0].mode is Mode.LATE]
    tried = [*late, *schedules[::4]]
    print(f"{scenario}: {len(tried)} schedules")
    found = ((schedule, violations(schedule.run(SkewedClocks))) for schedule in tried)
    assert not [(schedule, problems) for schedule, problems in found if problems]
