"""A clock that tests can move: one source for durations, dates and task ids."""

import base64
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

NANOSECONDS = 1_000_000_000


class Clock:
    """Seconds from a monotonic source, and their dates."""

    def __init__(self, source: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._ahead = 0.0
        self._epoch_nanoseconds = time.time_ns() - int(source() * NANOSECONDS)

    def now(self) -> float:
        """Return the seconds of the source, plus those that the clock was advanced by."""
        return self._source() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the clock forward, and with it every task, link and date."""
        self._ahead += seconds

    def unix_second(self, moment: float) -> int:
        """Return the Unix time of a value of ``now``, in whole seconds."""
        return self._nanoseconds(moment) // NANOSECONDS

    def timestamp(self, moment: float) -> str:
        """Format a value of ``now`` as the vendor does: UTC, nine fractional digits, ``Z``."""
        second, nanosecond = divmod(self._nanoseconds(moment), NANOSECONDS)
        return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{nanosecond:09d}Z"

    def _nanoseconds(self, moment: float) -> int:
        return self._epoch_nanoseconds + int(moment * NANOSECONDS)


def new_task_id(unix_second: int) -> str:
    """Return a new xid: 20 characters of [0-9a-v], whose first 32 bits are the Unix second."""
    raw = unix_second.to_bytes(4, "big") + secrets.token_bytes(8)
    return base64.b32hexencode(raw).decode("ascii").rstrip("=").lower()
