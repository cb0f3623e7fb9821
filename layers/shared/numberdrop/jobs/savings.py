"""The numbers that a job did not have to buy, and their list price."""

from dataclasses import dataclass
from typing import Self

from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.job import Counts


@dataclass(frozen=True, slots=True)
class Savings:
    """The numbers that were not sent although the upload has them; None means unknown.

    Attributes:
        numbers: all of them.
        usd: their list price in USD. The vendor bills in blocks, so the bill may differ by less or by more.
        duplicates: rows that repeat an entry of the upload.
        remembered: entries whose answers are remembered.
    """

    numbers: int | None
    usd: float | None
    duplicates: int | None
    remembered: int | None

    @classmethod
    def of(cls, counts: Counts, checker: Checker | None) -> Self:
        """Return the savings of a job.

        >>> from numberdrop.jobs.checkers import checkers
        >>> Savings.of(Counts(duplicates=20, remembered=80), checkers()["band"])
        Savings(numbers=100, usd=0.01, duplicates=20, remembered=80)

        Args:
            counts: the job's counts.
            checker: the job's checker; None if it is unknown.
        """
        numbers = None if counts.duplicates is None else counts.duplicates + (counts.remembered or 0)
        usd = checker.list_price(numbers) if checker else None
        return cls(numbers, usd, counts.duplicates, counts.remembered)
