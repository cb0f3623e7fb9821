"""How soon the end of a task is noticed and for how much, in simulated time.

``python -m benchmarks.waiting FILE.svg`` also draws the picture of ``docs/waiting.md``. With ``SIZE=full``
in the environment, it also tries neighbours of the shares in ``PollingPolicy``, on the seeds that these were
chosen from.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import FULL
from benchmarks.waiting_chart import chart
from benchmarks.waiting_policies import Outcome, Policy, fixed, growing, inside, ours
from benchmarks.waiting_tasks import Shape, Task, mix
from numberdrop.jobs.polling import PollingPolicy

CHOSEN_FROM = range(1, 4)
REPORTED_ON = range(101, 106)
"""Seeds: what is reported was not seen when the shares were chosen."""

OF_EACH = 60
"""Tasks of each shape for each median and seed."""

OTHERS: Mapping[str, Policy] = {
    "every 5 s": fixed(5),
    "every 10 s": fixed(10),
    "every 30 s": fixed(30),
    "every 60 s": fixed(60),
    "doubling, 5 s to 60 s": growing(5, 2, 60),
    "growing by half, 5 s to 5 min": growing(5, 1.5, 300),
    "inside functions, every 5 s": inside(5),
}
"""The last but one is what AWS Lambda's durable functions do if they are not told otherwise."""

USUAL = 300
"""``MaxWaitSeconds`` where nothing else is set."""

OURS: Mapping[str, Policy] = {
    f"numberdrop, {seconds} s": ours(PollingPolicy(seconds)) for seconds in (60, 120, USUAL, 900)
}
"""By ``MaxWaitSeconds``."""

NEIGHBOURS: Mapping[str, tuple[float, ...]] = {
    "rest_share": (0.3, 0.4, 0.6, 0.7),
    "trust_share": (0.25, 0.33, 1.0),
    "blind_share": (0.1, 0.15, 0.2, 0.33),
    "expected_share": (0.0, 0.05, 0.2),
    "floor_share": (0.005, 0.02, 0.03),
}


@dataclass(frozen=True, slots=True)
class Summary:
    """Means over tasks, unless said otherwise.

    Attributes:
        turns: of the state machine.
        calls: of the vendor.
        seconds: that functions ran.
        delay: seconds until the end was noticed.
        late: the delay that one task in twenty exceeds.
        latest: the longest delay.
        share: the delay over the task's duration.
        soon: the delay of tasks under ten minutes that show progress.
        usd: for 1,000 jobs.
    """

    turns: float
    calls: float
    seconds: float
    delay: float
    late: float
    latest: float
    share: float
    soon: float
    usd: float


def tasks_of(seeds: range, *, of_each: int = OF_EACH) -> list[Task]:
    """The mixes of several seeds together."""
    return [task for seed in seeds for task in mix(seed, of_each=of_each)]


def summary(way: Policy, tasks: list[Task]) -> Summary:
    """What a way to wait costs, and how soon it notices the end."""
    followed = [way(task) for task in tasks]
    delays = sorted(each.delay for each in followed)
    return Summary(
        turns=mean(each.turns for each in followed),
        calls=mean(each.calls for each in followed),
        seconds=mean(each.seconds for each in followed),
        delay=mean(delays),
        late=delays[len(delays) * 95 // 100],
        latest=delays[-1],
        share=mean(each.share for each in followed),
        soon=mean(each.delay for each in followed if _is_short_and_shows_progress(each)),
        usd=1000 * mean(each.usd for each in followed),
    )


def _is_short_and_shows_progress(followed: Outcome) -> bool:
    return followed.task.seconds < 600 and followed.task.shape is not Shape.NONE


def main() -> None:
    """Simulates and prints."""
    console = Console(highlight=False, width=120)
    tasks = tasks_of(REPORTED_ON)
    others = {name: summary(way, tasks) for name, way in OTHERS.items()}
    our_own = {name: summary(way, tasks) for name, way in OURS.items()}
    console.print(_table(f"{len(tasks)} tasks", others | our_own))
    if FULL:
        chosen_from = tasks_of(CHOSEN_FROM)
        console.print(_table(f"Other shares, on {len(chosen_from)} other tasks", _neighbours(chosen_from)))
    if len(sys.argv) == 2 and sys.argv[1].endswith(".svg"):
        by_seconds = {name.removeprefix("numberdrop, "): result for name, result in our_own.items()}
        drawn = chart(_points(others), _points(by_seconds))
        Path(sys.argv[1]).write_text(drawn, encoding="utf-8")


def _neighbours(tasks: list[Task]) -> dict[str, Summary]:
    chosen = PollingPolicy(USUAL)
    policies = {"as chosen": chosen} | {
        f"{name} {share}": replace(chosen, **{name: share})
        for name, shares in NEIGHBOURS.items()
        for share in shares
    }
    return {name: summary(ours(polling), tasks) for name, polling in policies.items()}


def _points(results: Mapping[str, Summary]) -> dict[str, tuple[float, float]]:
    return {name: (result.usd, result.share) for name, result in results.items()}


def _table(title: str, results: Mapping[str, Summary]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("way")
    for heading in (
        "turns",
        "calls",
        "function s",
        "delay s",
        "1 in 20",
        "latest",
        "share",
        "short",
        "USD",
    ):
        table.add_column(heading, justify="right")
    for name, result in results.items():
        table.add_row(
            name,
            f"{result.turns:.1f}",
            f"{result.calls:.1f}",
            f"{result.seconds:.0f}",
            f"{result.delay:.1f}",
            f"{result.late:.0f}",
            f"{result.latest:.0f}",
            f"{result.share:.1%}",
            f"{result.soon:.1f}",
            f"{result.usd:.2f}",
        )
    return table


if __name__ == "__main__":
    main()
