"""How submit and collect use the verdict memory: they connect at the first use, and retry.

Import this only if the memory is on: it loads the memory's code.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

from numberdrop.aws.memory_bucket import connect_memory
from numberdrop.memory.memory import VerdictMemory
from numberdrop.settings import MemorySettings


@dataclass(frozen=True)
class MemoryUser:
    """Connects to the verdict memory, and pauses before each try to use it.

    Attributes:
        pauses: seconds to pause before each try to use the memory.
        connect: returns the memory. It may raise a ``VerdictMemoryError``.
        sleep: sleeps for some seconds between two tries.
    """

    pauses: ClassVar[Sequence[int]]

    connect: Callable[[], VerdictMemory]
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def from_settings(cls, settings: MemorySettings) -> Self:
        """Return the user of the memory with these settings."""
        return cls(lambda: connect_memory(settings))

    @cached_property
    def memory(self) -> VerdictMemory:
        """The memory. A failed connection is tried again."""
        return self.connect()

    def tries(self) -> Iterator[int]:
        """Pause before each try; yield how many tries follow it."""
        for number, pause in enumerate(self.pauses, start=1):
            if pause:
                self.sleep(pause)
            yield len(self.pauses) - number
