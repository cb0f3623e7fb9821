"""Mutants of the verdict memory, each with one mistake that random lives must find."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any

from numberdrop.memory import lookup, memory, merging, run_format
from numberdrop.memory.errors import ObjectGoneError
from numberdrop.memory.hashing import KeysOf, unchanged
from numberdrop.memory.memory import Recollection, VerdictMemory
from numberdrop.memory.merging import Merger
from numberdrop.memory.reading import RunReader
from numberdrop.memory.run_format import Run
from numberdrop.memory.stamps import ALL_STAMPS, ERASED, NO, kept, living
from numberdrop.memory.store import MemoryStore
from tests.support.memory_lives import Life, replaced
from tests.support.memory_store import InMemoryStore


@dataclass(frozen=True)
class Mutant:
    """A mistake.

    Attributes:
        name: what the mistake does.
        replaced: functions that take the place of others: module, name, function.
        memory_class: the memory, if it makes the mistake.
        merger_class: the merger, if it makes the mistake.
    """

    name: str
    replaced: tuple[tuple[Any, str, Callable[..., Any]], ...] = ()
    memory_class: type[VerdictMemory] = VerdictMemory
    merger_class: type[Merger] = Merger

    def live(self, seed: int) -> Life:
        """Live one life with the mistake."""
        with replaced({(target, name): function for target, name, function in self.replaced}):
            return Life(seed, self.memory_class, self.merger_class).run()


def _oldest_of(records: Sequence[tuple[Sequence[int], Sequence[int]]]) -> dict[int, int]:
    oldest: dict[int, int] = {}
    for hashes, stamps in records:
        for entry_hash, stamp in zip(hashes, stamps, strict=True):
            oldest[entry_hash] = min(stamp, oldest.get(entry_hash, ALL_STAMPS))
    return oldest


def _find_oldest(
    asked: Any, known: Any, place: tuple[int, int], hashes: memoryview, stamps: memoryview
) -> None:
    of_hash = dict(zip(hashes, stamps, strict=True))
    for index in range(*place):
        stamp = of_hash.get(asked[index])
        if stamp:
            known[index] = min(stamp, known[index] or stamp)


def _find_last_read(
    asked: Any, known: Any, place: tuple[int, int], hashes: memoryview, stamps: memoryview
) -> None:
    of_hash = dict(zip(hashes, stamps, strict=True))
    for index in range(*place):
        known[index] = of_hash.get(asked[index], known[index])


def _kept_for_its_own_life(longest_life: int, today: date, cleared: date | None = None) -> bytearray:
    keeps, short = kept(longest_life, today, cleared), kept(1, today, cleared)
    return bytearray(short[stamp] if stamp & 3 == NO else keeps[stamp] for stamp in range(ALL_STAMPS))


def _kept_without_erasures(longest_life: int, today: date, cleared: date | None = None) -> bytearray:
    keeps = kept(longest_life, today, cleared)
    return bytearray(keeps[stamp] if stamp & 3 != ERASED else 0 for stamp in range(ALL_STAMPS))


def _living_despite_clearing(lives: Any, today: date, cleared: date | None = None) -> Any:
    return living(lives, today)


def _living_one_day_longer(lives: Any, today: date, cleared: date | None = None) -> Any:
    return living({mark: life + 1 for mark, life in lives.items()}, today, cleared)


def _one_record_too_far(hashes: Any, first_hash: int, start: int) -> int:
    return min(bisect_left(hashes, first_hash, start) + 1, len(hashes))


class _NamesRecalledByJob(VerdictMemory):
    def freeze(self, recollection: Recollection, name: str) -> str | None:
        return super().freeze(recollection, name.partition("-")[0])


def _today(part: Any) -> date:
    today: date = part.store.now.date()
    return today


class _StampsTheDayOfCollecting(VerdictMemory):
    def learn(self, checker: str, name: str, day: date, *args: Any, **kwargs: Any) -> int:
        return super().learn(checker, name, _today(self), *args, **kwargs)


class _LearnsOnlyYes(VerdictMemory):
    def learn(self, checker: str, name: str, day: date, answers: Any, keys_of: KeysOf = unchanged) -> int:
        only = [(entries, [word if word == "yes" else None for word in words]) for entries, words in answers]
        return super().learn(checker, name, day, only, keys_of)


@dataclass(frozen=True, slots=True)
class _DeletesFirst(Merger):
    def _replace(self, checker: str, runs: list[Run], keeps: bytearray) -> list[Run]:
        store: Any = self.store
        before = InMemoryStore(dict(store.contents), dict(store.written_at), store.now)
        for run in runs:
            store.delete(run.key)
        result = Merger(before, self.longest_life)._replace(checker, runs, keeps)
        for run in result:
            store.write(run.key, BytesIO(before.contents[run.key]))
        return result


@dataclass(frozen=True, slots=True)
class _DropsInEveryMerge(Merger):
    """Drops what its own life ended, in a merge of some of the runs."""

    def _replace(self, checker: str, runs: list[Run], keeps: bytearray) -> list[Run]:
        return Merger._replace(self, checker, runs, _kept_for_its_own_life(self.longest_life, _today(self)))


class _SkipsGoneRuns(RunReader):
    @classmethod
    def open(cls, store: MemoryStore, run: Run, *, whole: bool = False) -> Any:
        try:
            return RunReader.open(store, run, whole=whole)
        except ObjectGoneError:
            file = BytesIO()
            writer = run_format.RunWriter(file, 0)
            for _ in range(run_format.SLICES):
                writer.add_slice({})
            empty = writer.finish("", "empty")
            return RunReader.open(InMemoryStore({empty.key: file.getvalue()}), empty, whole=True)


MUTANTS = (
    Mutant("the oldest stamp wins in a merge", ((merging, "newest_of", _oldest_of),)),
    Mutant("the oldest stamp wins in a question", ((lookup, "_find", _find_oldest),)),
    Mutant("the last run wins in a question", ((lookup, "_find", _find_last_read),)),
    Mutant("a full merge drops by a verdict's own life", ((merging, "kept", _kept_for_its_own_life),)),
    Mutant("every merge drops by a verdict's own life", merger_class=_DropsInEveryMerge),
    Mutant("a merge forgets erasures", ((merging, "kept", _kept_without_erasures),)),
    Mutant("recalled answers are named by the job alone", memory_class=_NamesRecalledByJob),
    Mutant("the stamp has the day of collecting", memory_class=_StampsTheDayOfCollecting),
    Mutant("only yes is learnt", memory_class=_LearnsOnlyYes),
    Mutant("a page has one record too many", ((run_format, "bisect_left", _one_record_too_far),)),
    Mutant("runs are deleted before the merged one is stored", merger_class=_DeletesFirst),
    Mutant("runs that are gone are skipped", ((lookup, "RunReader", _SkipsGoneRuns),)),
    Mutant("clearing hides nothing", ((memory, "living", _living_despite_clearing),)),
    Mutant("a verdict counts one day too long", ((memory, "living", _living_one_day_longer),)),
)
