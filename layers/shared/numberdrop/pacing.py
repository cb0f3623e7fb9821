"""How long to wait before the vendor is asked again."""

from datetime import timedelta

SHORTEST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=5)


def next_wait(elapsed: timedelta) -> timedelta:
    """A fifth of the time that the task has already taken, between 10 seconds and 5 minutes."""
    return min(max(elapsed / 5, SHORTEST_WAIT), LONGEST_WAIT)
