"""Read a file with the pipeline's own code, and find out what would be sent. This sends nothing."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from itertools import islice
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from numberdrop.files.uploads.rows import UploadRows
from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.job import Counts
from numberdrop.jobs.price_ceiling import check_price
from numberdrop.jobs.reasons import JobFailedError, Reason
from numberdrop.steps.upload_rules import UploadRules, check_rows, check_size
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.order import LocalFile, Order

if TYPE_CHECKING:
    from numberdrop_cli.stack import Stack

MAX_REJECTED = 10
"""How many rejected lines are shown."""

BLOCK_ROWS, LEAST_BILLED_ROWS = 100, 500
"""The blocks in which one of the vendor's customers was billed. The vendor publishes nothing about them."""

_REJECTED_CHARACTERS = 20_000
"""More than the listing of so many lines takes, header included."""


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that would not be sent.

    Attributes:
        number: its number in the file, from 1 on.
        text: what it holds, perhaps cut. Only the user's own terminal may show it.
        reason: why it is rejected.
    """

    number: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the pipeline would do with a file.

    Attributes:
        file: the file.
        checker: the checker.
        counts: the rows; without numbers if the file cannot be read to its end.
        read: what was read of the file, as the manifest's ``read``; None if it cannot be opened.
        rejected: the first rejected lines.
        problems: why the file would fail; empty if it would be sent.
        doubts: why it would fail unless the verdict memory knows enough of its entries. Only the stack knows
            which it remembers.
        remembers: whether the stack has a verdict memory, so that fewer entries may be sent.
        max_usd: the most that it may cost in USD, or None.
    """

    file: LocalFile
    checker: Checker
    counts: Counts = field(default_factory=Counts)
    read: Mapping[str, Any] | None = None
    rejected: tuple[RejectedLine, ...] = ()
    problems: tuple[Reason, ...] = ()
    doubts: tuple[Reason, ...] = ()
    remembers: bool = False
    max_usd: Decimal | None = None

    @property
    def list_price(self) -> float | None:
        """The list price in USD; None if it or the number of entries is unknown."""
        return self.checker.list_price(self.counts.submitted)

    @property
    def price_in_blocks(self) -> float | None:
        """The list price in USD if the vendor bills this customer in blocks too; None if unknown."""
        rows = self.counts.submitted
        return self.checker.list_price(None if rows is None else billed_rows(rows))


def billed_rows(rows: int) -> int:
    """Return how many rows are billed for so many, if whole blocks are billed.

    >>> billed_rows(2), billed_rows(500), billed_rows(501)
    (500, 500, 600)
    """
    return max(-(-rows // BLOCK_ROWS) * BLOCK_ROWS, LEAST_BILLED_ROWS)


def total_price(inspections: Sequence[Inspection]) -> float | None:
    """Return the list price of all files in USD, or None if one is unknown."""
    prices = [inspection.list_price for inspection in inspections]
    return None if None in prices else round(sum(price or 0 for price in prices), 4)


def budget_problem(inspections: Sequence[Inspection], most: Decimal | None) -> str | None:
    """Return why all files together cost too much, a sentence, or None if they do not.

    Args:
        inspections: the files. Each of them alone costs less than the limit.
        most: the most that they may cost in USD, or None.
    """
    total = total_price(inspections)
    if most is None or total is None or Decimal(str(total)) <= most:
        return None
    return f"All files together cost {total:,.4f} USD at list price, and --max-usd allows {most:,f} USD."


def rules_of(stack: "Stack | None") -> UploadRules:
    """Return what a stack accepts. Without a stack, everything is accepted.

    This computer may be slower than the function, so the time for reading is not limited.
    """

    def stopped_clock() -> datetime:
        return datetime(2000, 1, 1, tzinfo=UTC)

    if stack is None:
        return UploadRules(allow_sensitive=True, has_user_id=True, now=stopped_clock)
    return UploadRules(
        allow_sensitive=stack.allow_sensitive,
        has_user_id=stack.has_user_id,
        allowed_task_types=stack.allowed_task_types,
        default_region=stack.default_region,
        max_usd=stack.max_usd,
        now=stopped_clock,
    )


def inspect(file: LocalFile, order: Order, rules: UploadRules, *, remembers: bool = False) -> Inspection:
    """Read a file as a stack with these rules would.

    Args:
        file: the file.
        order: what the user wants.
        rules: what the stack accepts.
        remembers: whether the stack has a verdict memory, which answers some entries free of charge.

    Raises:
        RefusedError: the operating system does not let it be read.
    """
    rejected = _Beginning()
    found: dict[str, Any] = {}
    problems = tuple(_problems_of_checker(order, rules))
    remembers = remembers and order.max_age != 0
    result = Inspection(file, order.checker, problems=problems, remembers=remembers)

    def keep_reading(rows: UploadRows) -> None:
        found["read"] = rows.reading().facts()

    try:
        with file.path.open("rb") as source, TemporaryFile() as entries:
            check_size(file.path.stat().st_size)
            prepared = rules.read(
                source, order.checker, order.metadata, file=entries, rejected=rejected, on_open=keep_reading
            )
        result = _judged(replace(result, counts=prepared.counts, max_usd=prepared.max_usd))
    except JobFailedError as failure:
        result = replace(result, problems=(*result.problems, failure.reason))
    except OSError as error:
        raise RefusedError(f"It cannot be read ({error.strerror}).") from None
    return replace(result, read=found.get("read"), rejected=rejected.lines())


def _judged(inspection: Inspection) -> Inspection:
    """Return the inspection with what is wrong with the number of entries and their price."""
    rows = inspection.counts.submitted or 0
    try:
        check_rows(rows, inspection.checker)
        check_price(inspection.checker, rows, inspection.max_usd)
    except JobFailedError as failure:
        if inspection.remembers:
            return replace(inspection, doubts=(failure.reason,))
        return replace(inspection, problems=(*inspection.problems, failure.reason))
    return inspection


def _problems_of_checker(order: Order, rules: UploadRules) -> Iterator[Reason]:
    try:
        rules.checker(f"{order.folder}/")
    except JobFailedError as failure:
        yield failure.reason


class _Beginning(StringIO):
    """Keeps the first rejected lines of a listing that may have millions."""

    def write(self, text: str) -> int:
        """Keep the text if there is room."""
        return super().write(text) if self.tell() < _REJECTED_CHARACTERS else len(text)

    def lines(self) -> tuple[RejectedLine, ...]:
        """Return the first rejected lines."""
        rows = islice(csv.reader(StringIO(self.getvalue())), 1, MAX_REJECTED + 1)  # without the header
        return tuple(RejectedLine(int(number), text, reason) for number, text, reason in rows)
