"""Count requests, in total and per second."""

import threading
import time
from collections import Counter, defaultdict


class Traffic:
    """Counts requests by operation and by real second. Thread-safe."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._lock = threading.Lock()

    def count(self, operation: str) -> None:
        """Count one request."""
        with self._lock:
            self._seconds[operation][int(time.monotonic())] += 1

    @property
    def totals(self) -> Counter[str]:
        """The number of requests by operation; 0 for any other."""
        with self._lock:
            return Counter({operation: seconds.total() for operation, seconds in self._seconds.items()})

    @property
    def by_second(self) -> dict[str, list[int]]:
        """The number of requests in each second from the first to the last, by operation."""
        with self._lock:
            return {
                operation: [seconds[second] for second in range(min(seconds), max(seconds) + 1)]
                for operation, seconds in self._seconds.items()
            }
