"""The current time as a dependency that tests can replace."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current time, with a time zone."""


def utc_now() -> datetime:
    """Return the current time in UTC.

    >>> utc_now().tzinfo
    datetime.timezone.utc
    """
    return datetime.now(UTC)
