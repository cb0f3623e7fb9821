"""Times contenders in separate processes, in turns, so that all see the same noise.

A contender is a function of a module. It imports what it needs, prepares, and returns the work to be timed.
The work returns the amount that it processed:

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
from time import perf_counter, process_time

from rich.console import Console
from rich.table import Table

FULL = os.environ.get("SIZE") == "full"
"""Whether the large sizes were requested."""

MIB = 1024 * 1024

Work = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Measurement:
    """The result of one contender: medians of several rounds.

    Attributes:
        rate: amount processed per second, without imports.
        peak: bytes of memory beyond those of the idle process after its imports.
        cpu: seconds of processor time, of all threads.
    """

    rate: float
    peak: float
    cpu: float


def measured(
    contenders: Mapping[str, Callable[..., Work]], *arguments: object, rounds: int
) -> dict[str, Measurement]:
    """Run each contender with the same arguments, in turns, ``rounds`` times.

    Raises:
        subprocess.CalledProcessError: a contender failed.
    """
    runs: dict[str, list[Measurement]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            runs[name].append(_run_in_a_process(contender, [str(argument) for argument in arguments]))
    return {
        name: Measurement(
            rate=median(run.rate for run in runs_of_name),
            peak=median(run.peak for run in runs_of_name),
            cpu=median(run.cpu for run in runs_of_name),
        )
        for name, runs_of_name in runs.items()
    }


def show(title: str, results: Mapping[str, Measurement], *, unit: str) -> None:
    """Print a table that compares the first contender, which is ours, with the others.

    Args:
        title: what was measured.
        results: measurements by contender.
        unit: unit of the amount that is processed, for instance ``MB``.
    """
    ours = next(iter(results.values()))
    table = Table(title=title, title_justify="left")
    table.add_column("contender", no_wrap=True)
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
    start, cpu_start = perf_counter(), process_time()
    amount = work()
    seconds, cpu = perf_counter() - start, process_time() - cpu_start
    print(json.dumps({"rate": amount / seconds, "peak": _peak() - idle, "cpu": cpu}))


def _peak() -> int:
    """Return this process's peak memory in bytes.

    On Linux ``ru_maxrss`` is inherited from the parent process, so /proc is read instead.
    """
    if sys.platform == "darwin":
        return getrusage(RUSAGE_SELF).ru_maxrss
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    _run(*sys.argv[1:])
