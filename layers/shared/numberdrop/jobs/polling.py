"""How long to wait before asking the vendor about a task again.

Every wait stays within two bounds, whatever the vendor reports and whatever duration was expected:

- At most ``longest_wait``, or a 300th of the task's age if that is more. Below that ceiling, at most half the
  age if the vendor reports progress; otherwise at most a quarter of the age or a tenth of the expected
  duration, whichever is more.
- At least 3 seconds, or a 100th of the age if that is more, but never above the ceiling.

Why an upper bound: a task that ends just after a check is noticed at the next one, so the longest wait is the
longest delay. The delay is in proportion to the age, and a wrong expectation adds at most a tenth of itself.

Why a lower bound: it limits the number of checks. If every wait is at least a share s of the age, the age
grows by a factor of at least 1 + s per check, so there are about ln(T / t) / s checks between the ages t and
T. A task that stays "nearly done" for 30 days is checked about 1,100 times if ``longest_wait`` is 900
seconds, and about 1,800 times if it is 30. Both fit into the 25,000 events of an execution's history; they
would not fit if the ceiling did not grow with the age. From ``AGED`` on, every wait is a 100th of the age.
"""

from dataclasses import dataclass

SHORTEST_WAIT = 3.0
"""Seconds between two checks; the vendor's own examples poll every five."""

DEFAULT_FIRST_WAIT = 10.0
"""Seconds before the first check if no duration is expected; the vendor's shortest tasks take longer."""

LONGEST_FIRST_WAIT = 30.0
"""Seconds; not more than the smallest ``longest_wait`` that can be configured."""

FIRST_SHARE = 0.3
"""Share of the expected duration to wait before the first check; few tasks end sooner."""

SHORTEST_WAIT_FOR_EXPORT = 60.0
"""Seconds before the vendor is asked again for an export that could not be fetched."""

AGED = 75 * 3600.0
"""Age in seconds from which a task is checked rarely: 300 times 900 seconds, the highest ``longest_wait``."""

LONGEST_SLEEP = 20.0
"""Longest wait, in seconds, that is cheaper to sleep through in the function than in a Wait state.

Three transitions cost 0.000075 USD (AWS Step Functions pricing), as much as 22 seconds of 256 MB (AWS Lambda
pricing, arm64).
"""

JITTER = 0.1
"""Largest random reduction of a wait, as a share, so that simultaneous uploads are not checked in step."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What the vendor reported about a task at one check. Any count may be wrong.

    Attributes:
        age: seconds since the vendor accepted the file; negative if a clock is slow.
        done: rows that the vendor has processed.
        total: rows of the whole task; 0 if unknown.
        processed: whether all rows are processed and only the export is missing.
    """

    age: float
    done: int = 0
    total: int = 0
    processed: bool = False


@dataclass(frozen=True, slots=True)
class PollingPolicy:
    """Chooses the wait between two checks.

    ``benchmarks/waiting.py`` compares these shares with others.

    >>> policy = PollingPolicy(longest_wait=300)
    >>> policy.next_wait(Progress(age=480))  # no progress: a quarter of the age
    120.0
    >>> policy.next_wait(Progress(age=360, done=75, total=100))  # half of the remaining two minutes
    60.0

    Attributes:
        longest_wait: ceiling in seconds for a task younger than 300 times that.
        ceiling_share: share of the age that is the ceiling for older tasks.
        aged_share: the same from ``AGED`` on.
        floor_share: share of the age that every wait reaches.
        blind_share: share of the age to wait if the task shows no progress.
        expected_share: share of the expected duration to wait in that case, if it is more.
        rest_share: share of the estimated remaining time to wait if there is progress.
        trust_share: share of the age up to which that estimate is trusted.
    """

    longest_wait: float
    ceiling_share: float = 1 / 300
    aged_share: float = 1 / 100
    floor_share: float = 1 / 100
    blind_share: float = 1 / 4
    expected_share: float = 1 / 10
    rest_share: float = 1 / 2
    trust_share: float = 1 / 2

    def next_wait(
        self, progress: Progress, earlier: Progress | None = None, expected: float | None = None
    ) -> float:
        """Return the seconds until the next check, within the bounds that the module describes.

        Args:
            progress: what the vendor reports now.
            earlier: the count that the previous check found, with the age at which it was first reported.
            expected: expected duration of the whole task in seconds.
        """
        age = max(progress.age, 0.0)
        remaining = _remaining(progress, earlier)
        if remaining is None:
            wait = max(age * self.blind_share, (expected or 0.0) * self.expected_share)
        else:
            wait = min(remaining * self.rest_share, age * self.trust_share)
        return min(max(wait, self.shortest(age)), self.longest(age))

    def shortest(self, age: float) -> float:
        """Return the floor of a wait at an age, in seconds; the ceiling applies if it is lower."""
        return max(SHORTEST_WAIT, age * self.floor_share)

    def longest(self, age: float) -> float:
        """Return the ceiling of a wait at an age, in seconds."""
        return max(self.longest_wait, age * (self.aged_share if age >= AGED else self.ceiling_share))


def first_wait(expected: float | None) -> float:
    """Return the seconds from the start of an execution to its first check.

    >>> first_wait(None), first_wait(60), first_wait(3600)
    (10.0, 18.0, 30.0)
    """
    if expected is None:
        return DEFAULT_FIRST_WAIT
    return min(max(expected * FIRST_SHARE, SHORTEST_WAIT), LONGEST_FIRST_WAIT)


def wait_for_export(age: float) -> float:
    """Return the seconds until the vendor is asked again for an export that it could not provide."""
    return max(SHORTEST_WAIT_FOR_EXPORT, age / (50 if age >= AGED else 100))


def jittered(wait: float, chance: float) -> float:
    """Return the wait, shortened by up to a tenth; ``chance`` is a random number from 0 to 1."""
    return wait * (1 - JITTER * chance)


def _remaining(progress: Progress, earlier: Progress | None) -> float | None:
    """Return the estimated seconds until all rows are processed, or None if the task shows no progress.

    The estimate uses the speed of the whole task or the speed since the earlier check, whichever is higher: a
    task that was queued at the vendor first is faster afterwards than its age suggests.
    """
    if progress.processed:
        return 0.0
    if progress.done <= 0 or progress.total <= 0 or progress.age <= 0:
        return None
    rows_per_second = progress.done / progress.age
    if earlier and progress.age > earlier.age:
        recent = (progress.done - earlier.done) / (progress.age - earlier.age)
        rows_per_second = max(rows_per_second, recent)
    return max(progress.total - progress.done, 0) / rows_per_second
