"""The most that one file may cost, at the vendor's list price."""

import re
from collections.abc import Mapping
from decimal import Decimal

from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

MAX_USD_METADATA = "max-usd"
"""The object's metadata with the most that the file may cost in USD. It only lowers the stack's ceiling."""

HOW_IT_IS_SET = f"the parameter MaxUsdPerUpload, or the object's metadata {MAX_USD_METADATA}"

_USD = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)


def usd(text: str) -> Decimal:
    """Return an amount in USD.

    >>> usd("12.50")
    Decimal('12.50')

    Raises:
        ValueError: the text is not a number of at most nine digits, perhaps with six decimal places.
    """
    if not _USD.fullmatch(text.strip()):
        raise ValueError("This is not an amount in USD. Write it like 12.50.")
    return Decimal(text.strip())


def ceiling(metadata: Mapping[str, str], *, stack: Decimal | None) -> Decimal | None:
    """Return the most that a file may cost in USD, or None for any amount.

    >>> ceiling({"max-usd": "5"}, stack=Decimal(20)), ceiling({"max-usd": "50"}, stack=Decimal(20))
    (Decimal('5'), Decimal('20'))

    Args:
        metadata: the object's metadata, with names in lower case.
        stack: the ceiling of all files, or None.

    Raises:
        JobFailedError: ``TOO_EXPENSIVE``: the metadata has no amount, so nobody knows what may be spent.
    """
    text = metadata.get(MAX_USD_METADATA, "")
    if not text.strip():
        return stack
    try:
        own = usd(text)
    except ValueError:
        raise JobFailedError(
            ReasonCode.TOO_EXPENSIVE,
            f"The object's metadata {MAX_USD_METADATA} is not an amount in USD. Write it like 12.50, and "
            "upload the file again.",
        ) from None
    return own if stack is None else min(own, stack)


def check_price(checker: Checker, rows: int, most: Decimal | None) -> None:
    """Check that rows may be sent, before anything is charged.

    >>> from numberdrop.jobs.checkers import checkers
    >>> check_price(checkers()["band"], 20_000, Decimal(2))

    Args:
        checker: the checker, whose list price counts.
        rows: how many rows would be sent.
        most: the most that they may cost in USD, or None for any amount.

    Raises:
        JobFailedError: ``TOO_EXPENSIVE``: they cost more, or the price is unknown.
    """
    if most is None:
        return
    if checker.usd_per_10k is None:
        raise JobFailedError(
            ReasonCode.TOO_EXPENSIVE,
            f"The list price of {checker.name} is unknown, and the file may cost at most {most:,f} USD. To "
            f"send it anyway, remove this ceiling ({HOW_IT_IS_SET}), and upload the file again.",
        )
    price = Decimal(str(checker.usd_per_10k)) * rows / 10_000
    if price > most:
        raise JobFailedError(
            ReasonCode.TOO_EXPENSIVE,
            f"At list price, {rows:,} entries for {checker.name} cost {price:,.4f} USD, and the file may "
            f"cost at most {most:,f} USD. Split the file, or raise this ceiling ({HOW_IT_IS_SET}), and "
            "upload it again.",
        )
