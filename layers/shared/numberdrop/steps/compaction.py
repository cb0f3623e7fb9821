"""Merging the verdict memory every hour: looking numbers up stays quick, and what was erased is deleted."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from aws_lambda_powertools import Logger

from numberdrop.aws.memory_bucket import connect_bucket
from numberdrop.clock import Clock, utc_now
from numberdrop.memory.errors import ObjectGoneError, VerdictMemoryError
from numberdrop.memory.merging import Merged, Merger
from numberdrop.memory.store import RUNS, MemoryStore
from numberdrop.settings import CompactSettings

TIME_TO_MERGE = 300
"""Seconds. With less time left, the next run merges."""

logger = Logger()


class CompactionFailedError(Exception):
    """The memory of some checkers could not be merged. The log names them and says why."""


@dataclass(frozen=True, slots=True)
class CompactionReport:
    """What a run did.

    Attributes:
        checkers: checkers with a memory.
        runs: runs that were replaced by merged ones.
        dropped: records that are gone: superseded, expired or erased ones.
    """

    checkers: int = 0
    runs: int = 0
    dropped: int = 0


@dataclass(frozen=True)
class Compactor:
    """Merges the runs of every checker. It has no key under which numbers are hashed.

    >>> import boto3
    >>> from numberdrop.aws.memory_bucket import MemoryBucket
    >>> s3 = boto3.client("s3")
    >>> _ = s3.create_bucket(Bucket="memory-to-merge")
    >>> Compactor(MemoryBucket(s3, "memory-to-merge"), 90).run(seconds=900)
    CompactionReport(checkers=0, runs=0, dropped=0)

    Attributes:
        store: the bucket.
        longest_life: the days for which any verdict counts.
    """

    store: MemoryStore
    longest_life: int
    now: Clock = utc_now

    @classmethod
    def from_env(cls) -> Self:
        """Return the compactor for the environment of the compact function."""
        settings = CompactSettings.from_env()
        return cls(connect_bucket(settings.memory_bucket), max(settings.lives))

    def run(self, *, seconds: float) -> CompactionReport:
        """Merge as much as is due and can be done within ``seconds``.

        Raises:
            CompactionFailedError: the memory of a checker could not be merged; the others were.
        """
        end = self.now() + timedelta(seconds=seconds)
        merger = Merger(self.store, self.longest_life)
        checkers = checkers_of(self.store)
        failed = runs = dropped = 0
        for checker in checkers:
            if (end - self.now()).total_seconds() < TIME_TO_MERGE:
                logger.warning("too little time is left to merge; the next run continues")
                break
            try:
                merged = merger.merge(checker, self.now())
            except ObjectGoneError:
                # Another run merges the same checker, or a person clears it.
                merged = Merged()
            except VerdictMemoryError as error:
                logger.exception("the memory of a checker was not merged", checker=checker, cause=error.cause)
                failed += 1
                continue
            runs += merged.runs
            dropped += merged.dropped
        report = CompactionReport(len(checkers), runs, dropped)
        logger.info(
            "the memory was merged", checkers=len(checkers), runs=runs, dropped=dropped, failed=failed
        )
        if failed:
            raise CompactionFailedError(f"The memory of {failed} of {len(checkers)} checkers was not merged.")
        return report


def checkers_of(store: MemoryStore) -> list[str]:
    """Return the checkers that have runs, those with the most first."""
    runs = Counter(item.key.removeprefix(RUNS).partition("/")[0] for item in store.objects(RUNS))
    return [checker for checker, _ in runs.most_common()]
