"""Times contenders side by side: each run in a process of its own, in turns, so that all meet the same noise.

A contender is a function of a module. It imports what it needs, prepares, and returns the work to be timed,
which says how much it went through:

    def with_requests(url: str, path: str) -> Work:
        import requests

        def work() -> float:
            requests.post(...)
            return megabytes

        return work
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

FULL = os.environ.get("SIZE") == "full"
"""Whether the large sizes were asked for."""

MIB = 1024 * 1024

Work = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Measurement:
    """How one way of doing it went: medians of several rounds.

    Attributes:
        rate: how much it went through in a second, imports not counted.
        peak: bytes of memory beyond the process that has its imports done and idles.
    """

    rate: float
    peak: float


def measured(
    contenders: Mapping[str, Callable[..., Work]], *arguments: object, rounds: int
) -> dict[str, Measurement]:
    """Lets each contender do its work with the same arguments, in turns, ``rounds`` times.

    Raises:
        subprocess.CalledProcessError: one of them failed.
    """
    runs: dict[str, list[Measurement]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            runs[name].append(_run_in_a_process(contender, [str(argument) for argument in arguments]))
    return {
        name: Measurement(median(run.rate for run in of_name), median(run.peak for run in of_name))
        for name, of_name in runs.items()
    }


def show(title: str, results: Mapping[str, Measurement], *, unit: str) -> None:
    """Prints a table; the first way is ours, and the others are held against it.

    Args:
        title: what was done.
        results: by the name of each way.
        unit: what the work goes through: ``MB`` or the like.
    """
    ours = next(iter(results.values()))
    table = Table(title=title, title_justify="left")
    table.add_column("way", no_wrap=True)
    for heading in (f"{unit}/s", "ours is", "peak MiB"):
        table.add_column(heading, justify="right")
    for name, result in results.items():
        table.add_row(
            name,
            f"{result.rate:,.{0 if result.rate >= 100 else 2}f}",
            "" if result is ours else f"{ours.rate / result.rate:.2f} x as fast",
            f"{result.peak / MIB:,.0f}",
        )
    Console(highlight=False).print(table)


def _run_in_a_process(contender: Callable[..., Work], arguments: list[str]) -> Measurement:
    command = [sys.executable, "-m", __name__, contender.__module__, contender.__name__, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return Measurement(**json.loads(done.stdout))


def _run(module: str, contender: str, *arguments: str) -> None:
    work = getattr(import_module(module), contender)(*arguments)
    idle = _peak()
    start = perf_counter()
    amount = work()
    seconds = perf_counter() - start
    print(json.dumps({"rate": amount / seconds, "peak": _peak() - idle}))


def _peak() -> int:
    """The most bytes that this process has held so far.

    Linux hands ``ru_maxrss`` down from the process that started this one, so there it is asked elsewhere.
    """
    if sys.platform == "darwin":
        return getrusage(RUSAGE_SELF).ru_maxrss
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    _run(*sys.argv[1:])
