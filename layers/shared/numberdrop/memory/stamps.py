"""Stamps: 16 bits that say what is known of an entry, and since which day.

A stamp is the day since 2020-01-01 (14 bits, up to 2064) and a mark (2 bits). Of two stamps the greater one
is the newer one. On one day, an erasure outranks every verdict. 0 is the stamp of an entry of which nothing
is known.
"""

from array import array
from collections.abc import Mapping
from datetime import date, timedelta

FIRST_DAY = date(2020, 1, 1)

NO, YES, ERASED = 1, 2, 3
"""The marks."""

MARKS: Mapping[str | None, int] = {"no": NO, "yes": YES}
"""The marks of the verdicts that are remembered."""

_VERDICTS = {NO: "no", YES: "yes"}

ALL_STAMPS = 1 << 16

ERASURE_LIFE = 400
"""Days for which an erasure is kept. A verdict lives at most 365 days, so no older one can come back."""

_SKEW = 1
"""Days by which a stamp may be ahead of today, because clocks differ."""


def day_number(day: date) -> int:
    """Return the number of a day in stamps.

    >>> day_number(date(2020, 1, 3))
    2
    """
    return (day - FIRST_DAY).days


def stamp_of(day: date, mark: int) -> int:
    """Return the stamp of a mark that was made on a day.

    >>> stamp_of(date(2026, 3, 4), YES) > stamp_of(date(2026, 3, 3), NO)
    True
    """
    return day_number(day) << 2 | mark


def verdict_of(stamp: int) -> str:
    """Return the verdict of a stamp.

    >>> verdict_of(stamp_of(date(2026, 3, 4), YES))
    'yes'
    """
    return _VERDICTS[stamp & 3]


def checked_on(stamp: int) -> date:
    """Return the day of a stamp.

    >>> checked_on(stamp_of(date(2026, 3, 4), YES)).isoformat()
    '2026-03-04'
    """
    return FIRST_DAY + timedelta(days=stamp >> 2)


def living(lives: Mapping[int, int], today: date, cleared: date | None = None) -> "array[int]":
    """Return a table of all stamps: each stamp itself while it counts, else 0.

    >>> table = living({YES: 30, NO: 0}, date(2026, 3, 4))
    >>> [table[stamp_of(date(2026, 3, 1), mark)] > 0 for mark in (YES, NO, ERASED)]
    [True, False, False]

    Args:
        lives: the days for which each mark counts.
        today: the current day.
        cleared: the day on which everything was erased, if it was.
    """
    newest = day_number(today) + _SKEW
    oldest = 0 if cleared is None else day_number(cleared) + 1
    table = array("H", bytes(2 * ALL_STAMPS))
    for mark, life in lives.items():
        for day in range(max(oldest, day_number(today) - life + 1), newest + 1 if life else 0):
            table[day << 2 | mark] = day << 2 | mark
    return table


def kept(longest_life: int, today: date, cleared: date | None = None) -> bytearray:
    """Return a table of all stamps: 1 if a full merge keeps the stamp, else 0.

    All verdicts are kept for the longest life, whatever their own: an older "yes" in a run that is stored
    late must not outlive a newer "no".
    """
    number = day_number(today)
    oldest_verdict = max(number - longest_life + 1, 0 if cleared is None else day_number(cleared) + 1)
    oldest_erasure = number - ERASURE_LIFE + 1
    return bytearray(
        stamp >> 2 >= (oldest_erasure if stamp & 3 == ERASED else oldest_verdict)
        for stamp in range(ALL_STAMPS)
    )


def first_stamps(counts: Mapping[int, int], least: int) -> tuple[int, int]:
    """Return which stamps to take, oldest first, to have at least ``least`` entries.

    >>> first_stamps({0: 2, 3: 5}, 4)
    (3, 2)

    Args:
        counts: the number of entries by stamp.
        least: how many entries are needed.

    Returns:
        ``(below, more)``: take every entry whose stamp is less than ``below``, and ``more`` of those that
        have this very stamp.
    """
    taken = 0
    for stamp in sorted(counts):
        if taken + counts[stamp] >= least:
            return stamp, least - taken
        taken += counts[stamp]
    return ALL_STAMPS, 0
