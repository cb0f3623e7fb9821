"""Delay and cost of polling policies, in simulated time.

``python -m benchmarks.waiting FILE.svg`` also draws the chart of ``docs/waiting.md``. With ``SIZE=full`` in
the environment, it also tries other shares of ``PollingPolicy``, on the seeds that ours were chosen on.
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

CHOSEN_ON = range(1, 4)
REPORTED_ON = range(101, 106)
"""Seeds. The reported tasks were not used to choose the shares."""

TASKS_PER_SHAPE = 60
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
"""Growing by half is the default of AWS Lambda's durable functions."""

DEFAULT = 300
"""Default of ``MaxWaitSeconds``."""

OURS: Mapping[str, Policy] = {
    f"numberdrop, {seconds} s": ours(PollingPolicy(seconds)) for seconds in (60, 120, DEFAULT, 900)
}
"""numberdrop with different values of ``MaxWaitSeconds``."""

NEIGHBOURS: Mapping[str, tuple[float, ...]] = {
    "rest_share": (0.3, 0.4, 0.6, 0.7),
    "trust_share": (0.25, 0.33, 1.0),
    "blind_share": (0.1, 0.15, 0.2, 0.33),
    "expected_share": (0.0, 0.05, 0.2),
    "floor_share": (0.005, 0.02, 0.03),
}


@dataclass(frozen=True, slots=True)
class Summary:
    """Means over all tasks, unless stated otherwise.

    Attributes:
        turns: turns of the state machine.
        calls: calls of the vendor.
        seconds: seconds that functions ran.
        delay: seconds until the end was noticed.
        late: 95th percentile of the delay.
        latest: longest delay.
        share: delay divided by the task's duration.
        short: delay of tasks under ten minutes that show progress.
        usd: USD per 1,000 jobs.
    """

    turns: float
    calls: float
    seconds: float
    delay: float
    late: float
    latest: float
    share: float
    short: float
    usd: float


def tasks_of(seeds: range, *, per_shape: int = TASKS_PER_SHAPE) -> list[Task]:
    """Return the tasks of several seeds."""
    return [task for seed in seeds for task in mix(seed, per_shape=per_shape)]


def summary(policy: Policy, tasks: list[Task]) -> Summary:
    """Return cost and delay of a policy over tasks."""
    outcomes = [policy(task) for task in tasks]
    delays = sorted(outcome.delay for outcome in outcomes)
    return Summary(
        turns=mean(outcome.turns for outcome in outcomes),
        calls=mean(outcome.calls for outcome in outcomes),
        seconds=mean(outcome.seconds for outcome in outcomes),
        delay=mean(delays),
        late=delays[len(delays) * 95 // 100],
        latest=delays[-1],
        share=mean(outcome.share for outcome in outcomes),
        short=mean(outcome.delay for outcome in outcomes if _is_short_with_progress(outcome)),
        usd=1000 * mean(outcome.usd for outcome in outcomes),
    )


def _is_short_with_progress(outcome: Outcome) -> bool:
    return outcome.task.seconds < 600 and outcome.task.shape is not Shape.NONE


def main() -> None:
    """Run the simulation and print the tables."""
    console = Console(highlight=False, width=120)
    tasks = tasks_of(REPORTED_ON)
    others = {name: summary(policy, tasks) for name, policy in OTHERS.items()}
    own = {name: summary(policy, tasks) for name, policy in OURS.items()}
    console.print(_table(f"{len(tasks)} tasks", others | own))
    if FULL:
        chosen_on = tasks_of(CHOSEN_ON)
        console.print(_table(f"Other shares, on {len(chosen_on)} other tasks", _neighbours(chosen_on)))
    if len(sys.argv) == 2 and sys.argv[1].endswith(".svg"):
        by_seconds = {name.removeprefix("numberdrop, "): result for name, result in own.items()}
        svg = chart(_points(others), _points(by_seconds))
        Path(sys.argv[1]).write_text(svg, encoding="utf-8")


def _neighbours(tasks: list[Task]) -> dict[str, Summary]:
    chosen = PollingPolicy(DEFAULT)
    policies = {"as chosen": chosen} | {
        f"{name} {share}": replace(chosen, **{name: share})
        for name, shares in NEIGHBOURS.items()
        for share in shares
    }
    return {name: summary(ours(policy), tasks) for name, policy in policies.items()}


def _points(results: Mapping[str, Summary]) -> dict[str, tuple[float, float]]:
    return {name: (result.usd, result.share) for name, result in results.items()}


def _table(title: str, results: Mapping[str, Summary]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("policy")
    for heading in (
        "turns",
        "calls",
        "function s",
        "delay s",
        "95%",
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
            f"{result.short:.1f}",
            f"{result.usd:.2f}",
        )
    return table


if __name__ == "__main__":
    main()
