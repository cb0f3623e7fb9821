"""Virtual time: scheduled actions that run in the same order each time."""

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count


class VirtualClock:
    """A clock that jumps from one scheduled action to the next."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._actions: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = count()

    def now(self) -> datetime:
        return self._now

    def schedule(self, moment: datetime, action: Callable[[], None]) -> None:
        """Schedule an action; those of the same moment run in the order in which they were scheduled."""
        heapq.heappush(self._actions, (moment, next(self._order), action))

    def run_until(self, moment: datetime) -> None:
        """Run all actions up to a moment. An action may itself let time pass."""
        while self._actions and self._actions[0][0] <= moment:
            due, _, action = heapq.heappop(self._actions)
            self._now = max(self._now, due)
            action()
        self._now = max(self._now, moment)
