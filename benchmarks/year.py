"""A year of weekly uploads: what is paid with and without the verdict memory; simulated.

The memory is the real one, in a folder, and is merged every day as the compact function does it. The vendor
and the calendar are simulated: a list is uploaded every week, some of its numbers are new each week, and a
fixed share of all answers is "yes". Every answer that is recalled is compared with the vendor's. ``NUMBERS``
in the environment chooses the length of the list; ``SIZE=full`` adds other shares of new numbers.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import FULL
from benchmarks.remembering import FolderStore
from numberdrop.files.formats.entries_file import split_lines
from numberdrop.memory.memory import VerdictMemory
from numberdrop.memory.merging import Merger
from numberdrop.memory.stamps import verdict_of

NUMBERS = int(os.environ.get("NUMBERS", "20000"))
WEEKS = 52
NEW_PERCENT = (1, 5, 20) if FULL else (5,)
LIVES = ((90, 30), (30, 7), (180, 90))
"""Days for which a "yes" and a "no" count."""

YES_PERCENT = 30
FIRST_DAY = datetime(2026, 1, 5, tzinfo=UTC)
CHECKER, MIN_ROWS = "band", 0

BLOCK, LEAST_BILLED = 100, 500
"""Rows. One user of the vendor measured that it bills whole blocks, and at least this many rows."""


def billed(rows: int) -> int:
    """Return the rows that the vendor bills for a file.

    >>> billed(0), billed(3), billed(1_001)
    (0, 500, 1100)
    """
    return max(LEAST_BILLED, -(-rows // BLOCK) * BLOCK) if rows else 0


def verdict(number: str) -> str:
    """Return the vendor's verdict, which stays the same all year."""
    return "yes" if blake2b(number.encode(), digest_size=2).digest()[0] % 100 < YES_PERCENT else "no"


@dataclass
class Year:
    """A list that is uploaded every week.

    Attributes:
        new: numbers that are replaced by new ones each week.
        sent: numbers that were sent with the memory.
        paid: rows that were billed with the memory.
        paid_without: rows that would have been billed without it.
        most_runs: the most objects that the memory had.
    """

    folder: Path
    lives: tuple[int, int]
    new: int
    sent: int = 0
    paid: int = 0
    paid_without: int = 0
    most_runs: int = 0
    now: datetime = FIRST_DAY
    numbers: list[str] = field(default_factory=list)

    def run(self) -> "Year":
        """Live through the year."""
        store = FolderStore(self.folder, lambda: self.now)
        memory = VerdictMemory(store, b"key", *self.lives)
        self.numbers = [_number(index) for index in range(NUMBERS)]
        for week in range(WEEKS):
            self.now = FIRST_DAY + timedelta(weeks=week)
            if week:
                first = NUMBERS + (week - 1) * self.new
                self.numbers = self.numbers[self.new :] + [
                    _number(first + index) for index in range(self.new)
                ]
            self._upload(memory, self.now.date(), f"week{week}")
            self.most_runs = max(self.most_runs, sum(1 for _ in store.objects("runs/")))
            for _ in range(7):
                Merger(store, max(self.lives)).merge(CHECKER, self.now)
                self.now += timedelta(days=1)
        return self

    def _upload(self, memory: VerdictMemory, today: date, name: str) -> None:
        numbers, rest = BytesIO(_lines(self.numbers)), BytesIO()
        found = memory.recall(CHECKER, numbers, rest, today=today, min_rows=MIN_ROWS)
        key = memory.freeze(found, f"{name}-token")
        if key:
            stamps = memory.recalled(key).stamps(self.numbers)
            recalled = ((number, stamp) for number, stamp in zip(self.numbers, stamps, strict=True) if stamp)
            assert all(verdict_of(stamp) == verdict(number) for number, stamp in recalled)
        sent = split_lines(rest.getvalue().decode())
        answers: list[str | None] = [verdict(number) for number in sent]
        memory.learn(CHECKER, name, today, [(sent, answers)])
        self.sent += found.sent
        self.paid += billed(found.sent)
        self.paid_without += billed(len(self.numbers))


def main() -> None:
    """Simulate and print the table."""
    table = Table(title=f"{WEEKS} weekly uploads of {NUMBERS:,} numbers", title_justify="left")
    for heading in ("new each week", "yes, no days", "paid without", "paid with", "share", "most objects"):
        table.add_column(heading, justify="right", no_wrap=True)
    for percent in NEW_PERCENT:
        for lives in LIVES:
            with TemporaryDirectory() as folder:
                year = Year(Path(folder), lives, new=NUMBERS * percent // 100).run()
            table.add_row(
                f"{percent} %",
                f"{lives[0]}, {lives[1]}",
                f"{year.paid_without:,}",
                f"{year.paid:,}",
                f"{100 * year.paid / year.paid_without:.1f} %",
                str(year.most_runs),
            )
    Console(highlight=False).print(table)


def _number(index: int) -> str:
    return f"+10{index:09}"


def _lines(numbers: Iterable[str]) -> bytes:
    return "".join(f"{number}\n" for number in numbers).encode()
