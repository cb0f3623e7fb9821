"""What would be sent of a file and what it would cost: in words for people, as facts for programs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numberdrop.files.uploads.reading import reading_in_words
from numberdrop.jobs.reasons import Reason
from numberdrop_cli.inspection import BLOCK_ROWS, LEAST_BILLED_ROWS, Inspection
from numberdrop_cli.printing import printable, safe_to_print

BLOCKS = f"in blocks of {BLOCK_ROWS} entries and for {LEAST_BILLED_ROWS} at least, as one customer was"
"""What is known of the vendor's billing blocks. The vendor publishes nothing about them."""


def summary(inspection: Inspection, *, shows_entries: bool) -> Iterator[str]:
    """Yield lines for people.

    Args:
        inspection: what the pipeline would do with the file.
        shows_entries: whether rejected entries may be shown: only on the user's own terminal.
    """
    counts, checker = inspection.counts, inspection.checker
    brand = f" ({checker.brand})" if checker.brand else ""
    price = inspection.list_price
    if counts.submitted is not None:
        cost = "list price unknown" if price is None else f"list price {dollars(price)}"
        yield f"for {checker.name}{brand}: {plural(counts.submitted, 'entry', 'entries')} to send; {cost}"
    in_blocks = inspection.price_in_blocks
    if price is not None and in_blocks is not None and dollars(in_blocks) != dollars(price):
        yield f"perhaps {dollars(in_blocks)}, if you are billed {BLOCKS}"
    if inspection.read:
        yield safe_to_print(" ".join(reading_in_words(inspection.read)))
    if counts.lines is not None:
        yield (
            f"{plural(counts.lines, 'line', 'lines')}: {counts.submitted:,} to send, "
            f"{plural(counts.duplicates or 0, 'duplicate', 'duplicates')}, {counts.rejected:,} rejected"
        )
    if counts.further:
        follow = plural(counts.further, "number follows", "numbers follow")
        yield f"{follow} another in the same cell, and would not be sent"
    yield from _rejected(inspection, shows_entries=shows_entries)
    yield _limits(inspection)
    if inspection.remembers and counts.submitted:
        yield "the stack's verdict memory may answer some of the entries, which are then not paid for"
    for doubt in inspection.doubts:
        yield f"would fail, unless enough is remembered. {doubt.code}: {safe_to_print(doubt.message)}"
    for problem in inspection.problems:
        yield f"would fail. {problem.code}: {safe_to_print(problem.message)}"


def document(inspection: Inspection) -> dict[str, Any]:
    """Return the same for programs. It never has an entry: programs' output ends up in logs."""
    counts, checker = inspection.counts, inspection.checker
    return {
        "checker": checker.name,
        "brand": checker.brand or None,
        "lines": counts.lines,
        "submitted": counts.submitted,
        "duplicates": counts.duplicates,
        "rejected": counts.rejected,
        "further": counts.further,
        "rejected_lines": [
            {"line": line.number, "reason": safe_to_print(line.reason)} for line in inspection.rejected
        ],
        "read": masked_reading(inspection.read) if inspection.read else None,
        "min_rows": checker.min_rows,
        "max_rows": checker.max_rows,
        "list_price_usd": inspection.list_price,
        "price_in_blocks_usd": inspection.price_in_blocks,
        "max_usd": None if inspection.max_usd is None else float(inspection.max_usd),
        "may_be_remembered": inspection.remembers,
        "problems": _documents(inspection.problems),
        "doubts": _documents(inspection.doubts),
    }


def _documents(reasons: Sequence[Reason]) -> list[dict[str, str]]:
    return [{"code": reason.code, "message": safe_to_print(reason.message)} for reason in reasons]


def masked_reading(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the member ``read`` of a manifest without numbers in the names of columns and sheets."""
    names = {name: safe_to_print(text) if isinstance(text, str) else text for name, text in facts.items()}
    others = {
        place: [{**other, "name": safe_to_print(other["name"])} for other in facts[place]]
        for place in ("other_columns", "other_sheets")
    }
    return {**names, **others}


def dollars(usd: float) -> str:
    """Return an amount for people.

    >>> dollars(0.0002), dollars(1234.5)
    ('less than 0.01 USD', '1,234.50 USD')
    """
    return "less than 0.01 USD" if 0 < usd < 0.01 else f"{usd:,.2f} USD"


def plural(number: int, one: str, many: str) -> str:
    """Return a number with its noun.

    >>> plural(1, "line", "lines"), plural(12_000, "line", "lines")
    ('1 line', '12,000 lines')
    """
    return f"{number:,} {one if number == 1 else many}"


def _rejected(inspection: Inspection, *, shows_entries: bool) -> Iterator[str]:
    """Yield a line for each of the first rejected lines."""
    for line in inspection.rejected:
        entry = f" {printable(line.text)!r}:" if shows_entries else ":"
        yield f"  line {line.number:,}{entry} {safe_to_print(line.reason)}"
    if (inspection.counts.rejected or 0) > len(inspection.rejected):
        yield f"  and {(inspection.counts.rejected or 0) - len(inspection.rejected):,} more"


def _limits(inspection: Inspection) -> str:
    checker = inspection.checker
    least = f"{checker.min_rows:,} to" if checker.min_rows else "up to"
    ceiling = "" if inspection.max_usd is None else f", and the file may cost {inspection.max_usd:,f} USD"
    return f"{checker.name} takes {least} {checker.max_rows:,} entries in a file{ceiling}"
