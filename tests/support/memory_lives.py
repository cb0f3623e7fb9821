"""Random lives of a verdict memory, compared with a dict.

A life learns (also late), erases, clears, merges, lets days pass, crashes before or after writes, and merges
while it is read. After each question the answers must be those of a dict of the newest stamps.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO
from random import Random
from typing import Any
from unittest.mock import patch

from numberdrop.memory import lookup, merging, reading, run_format
from numberdrop.memory.memory import VerdictMemory, clear, topped_up
from numberdrop.memory.merging import Merger
from numberdrop.memory.stamps import ERASED, MARKS, day_number, stamp_of
from tests.support.memory_store import CrashError, InMemoryStore

CHECKER = "band"

ACTS = ("learn",) * 4 + ("erase", "clear", "merge", "merge", "pass_days", "pass_days") + ("ask",) * 4


@dataclass
class Life:
    """One life.

    Attributes:
        memory_class: the memory; a mutant takes its place.
        merger_class: the merger; a mutant takes its place.
        compared: how many answers were compared so far.
        problems: the first answers that differ from the dict's.
    """

    seed: int
    memory_class: type[VerdictMemory] = VerdictMemory
    merger_class: type[Merger] = Merger
    compared: int = 0
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.store = InMemoryStore()
        lives = {"yes": self.random.choice([5, 30, 90]), "no": self.random.choice([1, 5, 30])}
        self.lives = {MARKS[word]: life for word, life in lives.items()}
        self.memory = self.memory_class(self.store, b"key", yes_days=lives["yes"], no_days=lives["no"])
        self.merger = self.merger_class(self.store, max(lives.values()))
        self.people = [f"+4477{number:08}" for number in range(self.random.choice([5, 60, 600]))]
        self.newest: dict[str, int] = {}
        self.cleared = date.min
        self.jobs = 0

    @property
    def today(self) -> date:
        return self.store.now.date()

    def run(self) -> "Life":
        """Live until the end, or until an answer is wrong."""
        sizes: dict[tuple[Any, str], int] = {
            (run_format, "_PAGE"): self.random.choice([1, 4, 1024]),
            (reading, "SMALL_RUN"): self.random.choice([0, 256 * 1024]),
            (reading, "_MERGE_READ"): self.random.choice([100, 1024 * 1024]),
            (lookup, "_GAP"): self.random.choice([0, 64, 128 * 1024]),
            (lookup, "LONGEST_READ"): self.random.choice([40, 4 * 1024 * 1024]),
        }
        with replaced(sizes):
            for _ in range(self.random.randint(10, 60)):
                getattr(self, f"_{self.random.choice(ACTS)}")()
                if self.problems:
                    break
        return self

    def _some(self, most: int) -> list[str]:
        return self.random.sample(self.people, self.random.randint(1, min(most, len(self.people))))

    def _learn(self) -> None:
        day = self.today - timedelta(days=self.random.choice([0, 0, 0, 3, 20, 40]))
        answers = {entry: self.random.choice(["yes", "no", "unknown", None]) for entry in self._some(600)}
        self.jobs += 1
        name, blocks = f"job{self.jobs}", list(self._blocks(list(answers)))

        def learn() -> None:
            self.memory.learn(
                CHECKER, name, day, [(block, [answers[entry] for entry in block]) for block in blocks]
            )

        self._with_crash(learn)
        for entry, word in answers.items():
            if word in MARKS:
                self.newest[entry] = max(self.newest.get(entry, 0), stamp_of(day, MARKS[word]))

    def _erase(self) -> None:
        entries = self._some(5)
        self.jobs += 1
        name = f"erasure{self.jobs}"
        self._with_crash(lambda: self.memory.forget(CHECKER, name, self.today, entries))
        for entry in entries:
            self.newest[entry] = max(self.newest.get(entry, 0), stamp_of(self.today, ERASED))

    def _clear(self) -> None:
        if self.random.random() < 0.2:
            self._with_crash(lambda: clear(self.store, CHECKER, self.today))
            self.cleared = self.today

    def _merge(self) -> None:
        self._set_fuse()
        with suppress(CrashError):
            self._merge_now()
        self.store.fuse = None

    def _merge_now(self) -> None:
        """Merge all runs, or as many as are due."""
        with replaced({(merging, "MOST_RUNS"): self.random.choice([1, 4])}):
            self.merger.merge(CHECKER, self.store.now)

    def _pass_days(self) -> None:
        self.store.now += timedelta(days=self.random.choice([1, 2, 10, 30]))

    def _ask(self) -> None:
        entries = self._some(600) + [f"+1{self.random.randint(10**9, 10**10)}" for _ in range(3)]
        self.random.shuffle(entries)
        numbers, rest = BytesIO("".join(f"{entry}\n" for entry in entries).encode()), BytesIO()
        min_rows = self.random.choice([0, self.random.randint(0, len(entries) + 3)])
        if self.random.random() < 0.3:
            self.store.on_read = self._merge_now
        found = self.memory.recall(CHECKER, numbers, rest, today=self.today, min_rows=min_rows)
        self.store.on_read = None
        expected = {entry: self._expected(entry) for entry in entries}
        self._compare_rest(rest.getvalue().decode().split(), entries, expected, min_rows)
        self.jobs += 1
        key = self.memory.freeze(found, f"job{self.jobs}-a")
        self._let_another_attempt_freeze(entries)
        frozen = self.memory.recalled(key).stamps(entries) if key else [0] * len(entries)
        if frozen != list(expected.values()):
            self.problems.append(f"seed {self.seed}: the stored answers are not those of a dict")
        self.compared += len(entries)

    def _let_another_attempt_freeze(self, entries: list[str]) -> None:
        """Let another worker take the job over after a newer answer for one of the entries was learnt."""
        entry = self.random.choice(entries)
        word = self.random.choice(["yes", "no"])
        self.memory.learn(CHECKER, f"other{self.jobs}", self.today, [([entry], [word])])
        self.newest[entry] = max(self.newest.get(entry, 0), stamp_of(self.today, MARKS[word]))
        numbers = BytesIO("".join(f"{entry}\n" for entry in entries).encode())
        again = self.memory.recall(CHECKER, numbers, BytesIO(), today=self.today, min_rows=0)
        self.memory.freeze(again, f"job{self.jobs}-b")

    def _expected(self, entry: str) -> int:
        stamp = self.newest.get(entry, 0)
        age = day_number(self.today) - (stamp >> 2)
        is_hidden = self.cleared != date.min and stamp >> 2 <= day_number(self.cleared)
        return stamp if age < self.lives.get(stamp & 3, -1) and not is_hidden else 0

    def _compare_rest(
        self, sent: list[str], entries: list[str], expected: dict[str, int], min_rows: int
    ) -> None:
        fresh = [entry for entry in entries if not expected[entry]]
        least = topped_up(min_rows) if fresh else 0
        more = max(0, min(least, len(entries)) - len(fresh))
        oldest = sorted(filter(None, expected.values()))[:more]
        refreshed = sorted(expected[entry] for entry in sent if expected[entry])
        in_order = [entry for entry in entries if entry in set(sent)] == sent
        if not in_order or not set(fresh) <= set(sent) or refreshed != oldest:
            self.problems.append(f"seed {self.seed}: the entries to send are not those that a dict lacks")

    def _blocks(self, entries: list[str]) -> Iterator[list[str]]:
        while entries:
            size = self.random.randint(1, 200)
            yield entries[:size]
            entries = entries[size:]

    def _set_fuse(self) -> None:
        self.store.fuse = self.random.choice([None, 0, 1, 2, 3])
        self.store.is_done_before_crash = self.random.random() < 0.5

    def _with_crash(self, step: Any) -> None:
        """Do a step that is repeated if it crashes."""
        self._set_fuse()
        try:
            step()
        except CrashError:
            self.store.fuse = None
            step()
        self.store.fuse = None


@contextmanager
def replaced(values: Mapping[tuple[Any, str], Any]) -> Iterator[None]:
    """Replace attributes, each given as its object and its name, until the context ends."""
    with ExitStack() as stack:
        for (target, name), value in values.items():
            stack.enter_context(patch.object(target, name, value))
        yield
