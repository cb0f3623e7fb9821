"""A bucket of the verdict memory in a dict, which can fail before or after any write."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from numberdrop.memory.errors import ObjectGoneError
from numberdrop.memory.store import StoredObject


class CrashError(Exception):
    """The process dies here."""


@dataclass
class InMemoryStore:
    """Stores runs in a dict.

    Attributes:
        contents: the objects by key.
        written_at: when each was written.
        now: the time at which objects are written.
        fuse: how many writes and deletions succeed before one crashes; None for all.
        is_done_before_crash: whether the write that crashes takes effect.
        on_read: called once, before the next read.
        reads: the requests that read an object so far: key and bytes.
    """

    contents: dict[str, bytes] = field(default_factory=dict)
    written_at: dict[str, datetime] = field(default_factory=dict)
    now: datetime = datetime(2026, 3, 4, tzinfo=UTC)
    fuse: int | None = None
    is_done_before_crash: bool = False
    on_read: Callable[[], object] | None = None
    reads: list[tuple[str, int]] = field(default_factory=list)

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        for key in sorted(self.contents):
            if key.startswith(prefix):
                yield StoredObject(key, len(self.contents[key]), self.written_at[key])

    def read(self, key: str, start: int, end: int) -> bytes:
        if self.on_read:
            hook, self.on_read = self.on_read, None
            hook()
        if key not in self.contents:
            raise ObjectGoneError
        self.reads.append((key, end - start))
        return self.contents[key][start:end]

    def write(self, key: str, file: BinaryIO) -> None:
        file.seek(0)
        content = file.read()

        def store() -> None:
            self.contents[key] = content
            self.written_at[key] = self.now

        self._effect(store)

    def delete(self, key: str) -> None:
        def remove() -> None:
            self.contents.pop(key, None)
            self.written_at.pop(key, None)

        self._effect(remove)

    def _effect(self, do: Callable[[], None]) -> None:
        if self.fuse == 0:
            self.fuse = None
            if self.is_done_before_crash:
                do()
            raise CrashError
        if self.fuse:
            self.fuse -= 1
        do()
