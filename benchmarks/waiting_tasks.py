"""Tasks of a simulated vendor: how long each takes, and what it says of itself meanwhile."""

import math
import random
from dataclasses import dataclass
from enum import StrEnum

from numberdrop.vendor.outcomes import TaskStatus

MEDIANS = (30.0, 300.0, 3600.0)
"""Seconds; the vendor's own samples and users' notes lie between."""

SHORTEST, LONGEST = 10.0, 24 * 3600.0
"""Seconds; the longest is the time-out of a job, where nothing else is set."""

SIZE_SPREAD, OTHER_SPREAD = 0.7, 0.7
"""Of a duration, as sigma of its logarithm: from the size, and from elsewhere; about 1 together."""

STRAGGLERS = 0.05
"""The share of tasks that take a multiple of their time."""

WITHOUT_MEMORY = 0.25
"""The share of tasks of a checker that was never used before."""


class Shape(StrEnum):
    """How a task's counts grow."""

    LINEAR = "linear"
    QUEUED = "queued"
    NOISY = "noisy"
    STALLED = "stalled"
    JUMPING = "jumping"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Task:
    """A task as the vendor works on it.

    Attributes:
        median: of the durations of its checker, in seconds.
        seconds: from the acceptance of the file to the export.
        numbers: rows of the file.
        shape: how its counts grow.
        begin: the share of its time after which the first row is done.
        end: the share after which the last row is, and only the export is missing.
        pause: where a stalled task stops, and for how long, as shares of the work.
        step: the share of the work that jumping counts go up by.
        is_first: whether its checker was never used before.
        seed: of its noise.
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
        """What the vendor says so many seconds after it accepted the file."""
        if age >= self.seconds:
            return TaskStatus("exported", self.numbers, self.numbers, 0, "https://exports.invalid/file")
        passed = age / self.seconds
        if passed < self.begin:
            return TaskStatus("pending", self.numbers, 0, 0, None)
        if self.shape is Shape.NONE:
            return TaskStatus("processing", 0, 0, 0, None)
        if passed >= self.end:
            return TaskStatus("completed", self.numbers, self.numbers, 0, None)
        done = round(self.numbers * self._work((passed - self.begin) / (self.end - self.begin), age))
        return TaskStatus("processing", self.numbers, done, 0, None)

    def _work(self, passed: float, age: float) -> float:
        """The share of the rows that is said to be done after a share of the time for work."""
        match self.shape:
            case Shape.NOISY:
                noise = random.Random(f"{self.seed} {age:.1f}").gauss(0, 0.05)  # noqa: S311
                return max(0.0, passed * (1 + noise))
            case Shape.STALLED:
                start, length = self.pause
                working = min(passed, start) + max(0.0, passed - start - length)
                return working / (1 - length)
            case Shape.JUMPING:
                return math.floor(passed / self.step) * self.step
            case _:
                return passed


def mix(seed: int, *, of_each: int) -> list[Task]:
    """As many tasks of each shape for each median."""
    chance = random.Random(seed)  # noqa: S311
    return [_task(chance, median, shape) for median in MEDIANS for shape in Shape for _ in range(of_each)]


def duration_and_size(chance: random.Random, median: float) -> tuple[float, int]:
    """Log-normal both, the one growing with the other, and some stragglers."""
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
        is_first=chance.random() < WITHOUT_MEMORY,
        seed=chance.getrandbits(32),
    )
