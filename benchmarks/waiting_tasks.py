"""Simulated tasks: how long each takes, and which progress it reports."""

import math
import random
from dataclasses import dataclass
from enum import StrEnum

from numberdrop.vendor.outcomes import TaskStatus

MEDIANS = (30.0, 300.0, 3600.0)
"""Median durations in seconds; the vendor's samples and users' notes are in this range."""

SHORTEST, LONGEST = 10.0, 24 * 3600.0
"""Seconds; the longest is the default time-out of a job."""

SIZE_SPREAD, OTHER_SPREAD = 0.7, 0.7
"""Standard deviations of a duration's logarithm, by file size and by other causes; about 1 in total."""

STRAGGLERS = 0.05
"""Share of tasks that take several times as long."""

FIRST_USE = 0.25
"""Share of tasks whose checker was never used before."""


class Shape(StrEnum):
    """How a task's counts grow over time."""

    LINEAR = "linear"
    QUEUED = "queued"
    NOISY = "noisy"
    STALLED = "stalled"
    JUMPING = "jumping"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Task:
    """A task at the simulated vendor.

    Attributes:
        median: median duration of its checker's tasks, in seconds.
        seconds: seconds from the acceptance of the file to the export.
        numbers: rows of the file.
        shape: how its counts grow.
        begin: share of its duration after which the first row is done.
        end: share of its duration after which all rows are done and only the export is missing.
        pause: when a stalled task stops and for how long, as shares of the work.
        step: share of the work that jumping counts increase by.
        is_first: whether its checker was never used before.
        seed: seed of its noise.
    """

    median: float
    seconds: float
    numbers: int
    shape: Shape
    begin: float
    end: float
    pause: tuple[float, float]
    step: float
    is_first: bool
    seed: int

    def status(self, age: float) -> TaskStatus:
        """Return the vendor's answer ``age`` seconds after it accepted the file."""
        if age >= self.seconds:
            return TaskStatus("exported", self.numbers, self.numbers, 0, "https://exports.invalid/file")
        elapsed = age / self.seconds
        if elapsed < self.begin:
            return TaskStatus("pending", self.numbers, 0, 0, None)
        if self.shape is Shape.NONE:
            return TaskStatus("processing", 0, 0, 0, None)
        if elapsed >= self.end:
            return TaskStatus("completed", self.numbers, self.numbers, 0, None)
        done = round(self.numbers * self._work((elapsed - self.begin) / (self.end - self.begin), age))
        return TaskStatus("processing", self.numbers, done, 0, None)

    def _work(self, elapsed: float, age: float) -> float:
        """Return the reported share of rows that are done after a share of the working time."""
        match self.shape:
            case Shape.NOISY:
                noise = random.Random(f"{self.seed} {age:.1f}").gauss(0, 0.05)  # noqa: S311
                return max(0.0, elapsed * (1 + noise))
            case Shape.STALLED:
                start, length = self.pause
                working = min(elapsed, start) + max(0.0, elapsed - start - length)
                return working / (1 - length)
            case Shape.JUMPING:
                return math.floor(elapsed / self.step) * self.step
            case _:
                return elapsed


def mix(seed: int, *, per_shape: int) -> list[Task]:
    """Return ``per_shape`` tasks of each shape for each median."""
    chance = random.Random(seed)  # noqa: S311
    return [_task(chance, median, shape) for median in MEDIANS for shape in Shape for _ in range(per_shape)]


def duration_and_size(chance: random.Random, median: float) -> tuple[float, int]:
    """Return a log-normal duration in seconds and a correlated number of rows; some tasks are stragglers."""
    size = chance.gauss(0, 1)
    seconds = median * math.exp(SIZE_SPREAD * size + OTHER_SPREAD * chance.gauss(0, 1))
    if chance.random() < STRAGGLERS:
        seconds *= 1 + chance.paretovariate(1.5)
    return min(max(seconds, SHORTEST), LONGEST), max(100, round(5000 * math.exp(1.2 * size)))


def _task(chance: random.Random, median: float, shape: Shape) -> Task:
    seconds, numbers = duration_and_size(chance, median)
    return Task(
        median=median,
        seconds=seconds,
        numbers=numbers,
        shape=shape,
        begin=chance.uniform(0.3, 0.7) if shape is Shape.QUEUED else chance.uniform(0.02, 0.15),
        end=chance.uniform(0.9, 1.0),
        pause=(chance.uniform(0.2, 0.6), chance.uniform(0.1, 0.4)),
        step=chance.choice([0.1, 0.2, 0.34]),
        is_first=chance.random() < FIRST_USE,
        seed=chance.getrandbits(32),
    )
