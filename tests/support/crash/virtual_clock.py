"""Virtual time: what is to happen when, in an order that is the same each time."""

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count


class VirtualClock:
    """A clock that jumps from one appointment to the next."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return self._now

    def schedule(self, moment: datetime, action: Callable[[], None]) -> None:
        """Makes an appointment; those of one moment are kept in the order in which they were made."""
        heapq.heappush(self._events, (moment, next(self._order), action))

    def run_until(self, moment: datetime) -> None:
        """Keeps all appointments up to a moment. An appointment may itself let time pass."""
        while self._events and self._events[0][0] <= moment:
            due, _, action = heapq.heappop(self._events)
            self._now = max(self._now, due)
            action()
        self._now = max(self._now, moment)
