"""How long to wait before the vendor is asked again.

Two bounds hold for every wait, whatever is known, believed or said of the task.

How late: a task that ends just after a look is noticed at the next, so what bounds the wait bounds the
delay. No wait is longer than ``longest_wait``, or than a 300th of the task's age once that is more. Below
this ceiling a wait is at most half the age where the vendor shows progress, and elsewhere at most a quarter
of the age or a tenth of what was expected: the delay is in proportion, and a wrong expectation adds no more
than a tenth of itself.

How many: no wait is shorter than 3 seconds, or than a 100th of the age up to the ceiling. Waits of at least
a share s of the age multiply it by 1 + s each, so there are about ln(T / t) / s of them between the ages t
and T. A vendor that says "nearly done" for a week is asked some 1,200 times where ``longest_wait`` is 900
seconds, and some 2,000 times where it is 30. An execution's history, which ends at 25,000 events, holds
them; if the ceiling did not grow, it would not.
"""

from dataclasses import dataclass

SHORTEST_WAIT = 3.0
"""Seconds; the vendor's own examples ask every five."""

DEFAULT_FIRST_WAIT = 10.0
"""Seconds before the first look where nothing is expected; the vendor's shortest tasks take longer."""

LONGEST_FIRST_WAIT = 30.0
"""Seconds; not above the least ``longest_wait`` that can be set."""

FIRST_SHARE = 0.3
"""Of the expected duration, waited before the first look: few tasks are done by then."""

SHORTEST_WAIT_FOR_EXPORT = 60.0
"""Seconds."""

LONGEST_SLEEP = 20.0
"""Seconds that cost less slept through in the function than in a Wait state.

Three transitions cost 0.000075 USD (AWS Step Functions pricing), as much as 22 seconds of 256 MB (AWS Lambda
pricing, arm64).
"""

JITTER = 0.1
"""The share by which chance shortens a wait, so that uploads of one moment do not stay in step."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known after a look at a task. Counts are information only: any of them may be nonsense.

    Attributes:
        age: seconds since the vendor took the file; negative where a clock runs behind.
        done: rows that the vendor has dealt with.
        total: rows in all; 0 where nobody knows.
        processed: whether the vendor says that only the export is missing.
    """

    age: float
    done: int = 0
    total: int = 0
    processed: bool = False


@dataclass(frozen=True, slots=True)
class PollingPolicy:
    """Chooses waits. ``benchmarks/waiting.py`` tells what other shares would have cost.

    Attributes:
        longest_wait: seconds that no wait passes while the task is young, see the module.
        ceiling_share: of the age; an old task may be waited for so long.
        floor_share: of the age; no wait is shorter.
        blind_share: of the age, waited where no progress shows.
        expected_share: of the expected duration, likewise.
        rest_share: of the time that is estimated to be left, waited where progress shows.
        trust_share: of the age; no estimate is trusted further.
    """

    longest_wait: float
    ceiling_share: float = 1 / 300
    floor_share: float = 1 / 100
    blind_share: float = 1 / 4
    expected_share: float = 1 / 10
    rest_share: float = 1 / 2
    trust_share: float = 1 / 2

    def next_wait(
        self, look: Progress, before: Progress | None = None, expected: float | None = None
    ) -> float:
        """Seconds until the next look, within the module's bounds.

        Args:
            look: what is known now.
            before: the look at which the count that stood until now was first seen.
            expected: seconds that such a task is expected to take in all.
        """
        age = max(look.age, 0.0)
        rest = _rest(look, before)
        if rest is None:
            wait = max(age * self.blind_share, (expected or 0.0) * self.expected_share)
        else:
            wait = min(rest * self.rest_share, age * self.trust_share)
        return min(max(wait, self.shortest(age)), self.longest(age))

    def shortest(self, age: float) -> float:
        """The floor of a wait at an age, where the ceiling is not below it."""
        return max(SHORTEST_WAIT, age * self.floor_share)

    def longest(self, age: float) -> float:
        """The ceiling of a wait at an age."""
        return max(self.longest_wait, age * self.ceiling_share)


def first_wait(expected: float | None) -> float:
    """Seconds from the start of an execution to its first look."""
    if expected is None:
        return DEFAULT_FIRST_WAIT
    return min(max(expected * FIRST_SHARE, SHORTEST_WAIT), LONGEST_FIRST_WAIT)


def wait_for_export(age: float) -> float:
    """Seconds until the export is asked for again, when the vendor could not give it after all."""
    return max(SHORTEST_WAIT_FOR_EXPORT, age / 100)


def jittered(wait: float, chance: float) -> float:
    """The wait, shortened by up to a tenth; ``chance`` is from 0 to 1."""
    return wait * (1 - JITTER * chance)


def _rest(look: Progress, before: Progress | None) -> float | None:
    """Seconds that are left if the vendor goes on as it did, or None where no progress shows.

    Its pace is that of the whole task or that since the count last changed, whichever is the higher: a task
    that stood in the vendor's queue goes faster afterwards than its age tells.
    """
    if look.processed:
        return 0.0
    if look.done <= 0 or look.total <= 0 or look.age <= 0:
        return None
    pace = look.done / look.age
    if before and look.age > before.age:
        pace = max(pace, (look.done - before.done) / (look.age - before.age))
    return max(look.total - look.done, 0) / pace
