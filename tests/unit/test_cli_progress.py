"""Command line: how far a job is, the time left, and how a terminal shows both."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from numberdrop.jobs.job import Counts, Job
from numberdrop.jobs.transitions import State
from numberdrop_cli.following import JobSnapshot
from numberdrop_cli.notices import JobProgress, Notice
from numberdrop_cli.views import BarView
from tests.support.jobs import NOON, a_job


def submitted(**changes: Any) -> Job:
    return a_job(State.SUBMITTED, counts=Counts(submitted=1000), submitted_at=NOON, **changes)


@pytest.mark.parametrize(
    ("snapshot", "minutes", "text"),
    [
        (JobSnapshot(), 0, "waiting to be picked up"),
        (JobSnapshot(submitted()), 1, "the vendor is checking"),
        (JobSnapshot(submitted(expected_seconds=1200)), 1, "the vendor is checking, about 19 min left"),
        (
            JobSnapshot(submitted(), 250, NOON + timedelta(minutes=4)),
            4,
            "250 of 1,000 checked, about 12 min left",
        ),
        (
            JobSnapshot(submitted(), 250, NOON + timedelta(minutes=4)),
            9,
            "250 of 1,000 checked, about 7 min left",
        ),
        (
            JobSnapshot(submitted(), 250, NOON + timedelta(minutes=4)),
            15.5,
            "250 of 1,000 checked, less than a minute left",
        ),
        (JobSnapshot(submitted(), 250, NOON + timedelta(minutes=4)), 17, "250 of 1,000 checked"),
        (
            JobSnapshot(submitted(), 50, NOON + timedelta(minutes=8)),
            8,
            "50 of 1,000 checked, about 2 h 32 min left",
        ),
        (JobSnapshot(submitted(), 5, NOON + timedelta(minutes=4)), 4, "5 of 1,000 checked"),
        (JobSnapshot(submitted(), 0, NOON + timedelta(minutes=4)), 4, "0 of 1,000 checked"),
        (
            JobSnapshot(submitted(), 1000, NOON + timedelta(minutes=4)),
            4,
            "all 1,000 checked, the results come next",
        ),
        (
            JobSnapshot(submitted(), 1010, NOON + timedelta(minutes=4)),
            4,
            "all 1,000 checked, the results come next",
        ),
    ],
)
def test_the_time_left_is_estimated_from_the_speed_so_far(
    snapshot: JobSnapshot, minutes: float, text: str
) -> None:
    assert snapshot.progress(NOON + timedelta(minutes=minutes)).text == text


def test_a_terminal_gets_bars_below_the_notices() -> None:
    screen = Console(file=StringIO(), force_terminal=True, width=120, color_system=None)
    with BarView(screen) as bars:
        transferred = bars.transfer("[bold]leads.txt", "sending", 4_000_000)
        transferred(4_000_000)
        bars.show(Notice("[bold]leads.txt", "sent", "sent"))
        bars.update("[bold]leads.txt", JobProgress())
        bars.update("[bold]leads.txt", JobProgress("submitted", 73, 120, 720))
        screen.file.write("HERE")
        bars.show(Notice("[bold]leads.txt", "stopped", "completed"))
    assert isinstance(screen.file, StringIO)
    before, _, after = screen.file.getvalue().partition("HERE")
    assert "[bold]leads.txt: sent" in before
    assert "73 of 120 checked, about 12 min left" in before
    assert "[bold]leads.txt: completed" in after
    assert "73 of 120" not in after
