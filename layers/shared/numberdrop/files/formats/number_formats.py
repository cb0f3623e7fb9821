"""Show the numbers of a workbook's cells as a spreadsheet shows them, where that matters.

Number formats are described in ECMA-376, part 1, sections 18.8.30 and 18.8.31.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

NumberFormat = Callable[[float], str | None]
"""Shows a number, or returns None to have it written plainly."""

_DATE_IDS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
"""Built-in formats of dates and times."""

_DURATION_IDS = {46}

_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
"""Text in quotes, escaped characters, widths, fillers, and colours, languages and conditions in brackets."""

_DURATION = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_DATE_LETTER = re.compile(r"[dmyhs]", re.IGNORECASE)

_DIGITS_PART = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$-[0-9A-F]+\]|_.|(?P<bare>[+\-() \xa0])|(?P<digit>[0#?])',
    re.IGNORECASE,
)
"""A part of a format that shows whole numbers as phone numbers or codes."""

_PHONE_LITERALS = re.compile(r"[0-9+\-() /.\xa0]*")
_PLACEHOLDERS = {"0", "#", "?"}
_LITERAL_ZERO = "\0"
"""Stands for a zero that is not a placeholder."""

_PLUS_OR_ZERO = re.compile(r"[( \xa0]*[+0]")

_EPOCHS = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001 - sheets have no time zones
"""The day 0 of workbooks, by whether they count from 1904 (section 18.17.4.1)."""

_LAST_DAY_BEFORE_LEAP_DAY = 60
"""Excel counts 29 February 1900, which did not exist, as day 60."""


def number_format(format_id: int, code: str | None, *, from_1904: bool) -> NumberFormat | None:
    """Return how cells of a format are shown, or None if their plain number says the same.

    >>> show = number_format(164, '"+"0', from_1904=False)
    >>> show(447700900123)
    '+447700900123'
    >>> number_format(165, "0000 000 000", from_1904=False)(412345678)
    '0412 345 678'

    Args:
        format_id: the id of a built-in format, or one of the workbook.
        code: the code of a format of the workbook, such as ``"+"0``; None for a built-in format.
        from_1904: whether the workbook counts days from 1904.
    """
    if code is None:
        if format_id in _DURATION_IDS:
            return _duration
        return _date_format(_EPOCHS[from_1904]) if format_id in _DATE_IDS else None
    positive = _first_section(code)
    bare = _LITERALS.sub("", positive)
    if _DURATION.search(bare):
        return _duration
    if _DATE_LETTER.search(bare):
        return _date_format(_EPOCHS[from_1904])
    return _digits_format(positive)


def _first_section(code: str) -> str:
    """Return the section of a code that is for positive numbers."""
    end = re.match(r'(?:"[^"]*"|\\.|[^;"\\])*', code)
    return end[0] if end else code


def _date_format(epoch: datetime) -> NumberFormat:
    return lambda number: _date(number, epoch)


def _date(number: float, epoch: datetime) -> str:
    days, fraction = divmod(number, 1)
    rest = timedelta(milliseconds=round(fraction * 86_400_000))
    if 0 <= number < 1 and not rest.days:
        return str((_EPOCHS[False] + rest).time())
    if 0 < number < _LAST_DAY_BEFORE_LEAP_DAY and epoch == _EPOCHS[False]:
        days += 1
    try:
        return str(epoch + timedelta(days=days) + rest)
    except (OverflowError, ValueError):
        return "#VALUE!"


def _duration(number: float) -> str:
    try:
        return str(timedelta(milliseconds=round(number * 86_400_000)))
    except (OverflowError, ValueError):
        return "#VALUE!"


def _digits_format(section: str) -> NumberFormat | None:
    """Return a format of literals and placeholders for digits, or None if it has anything else."""
    parts: list[str] = []
    position = 0
    while position < len(section):
        part = _DIGITS_PART.match(section, position)
        literal = "".join(filter(None, part.group("quoted", "escaped", "bare"))) if part else ""
        if not part or not _PHONE_LITERALS.fullmatch(literal):
            return None
        # Behind a zero, every place shows a digit.
        digit = "0" if part["digit"] and "0" in parts else part["digit"]
        parts += [digit] if digit else literal.replace("0", _LITERAL_ZERO)
        position = part.end()
    if not any(part in _PLACEHOLDERS for part in parts) or parts == ["0"]:
        return None
    return partial(_digits, parts)


def _digits(parts: list[str], number: float) -> str | None:
    """Return a whole number as a format shows it, if that adds a plus sign or a zero in front."""
    if number < 0 or number != int(number):
        return None
    digits = str(int(number)).lstrip("0")
    left = sum(part in _PLACEHOLDERS for part in parts)
    shown: list[str] = []
    for part in reversed(parts):
        if part in _PLACEHOLDERS:
            left -= 1
            split = len(digits) - 1 if left else 0
            digits, filled = digits[: max(split, 0)], digits[max(split, 0) :]
            shown.append(filled or part.strip("#?"))
        else:
            shown.append(part.replace(_LITERAL_ZERO, "0"))
    text = "".join(reversed(shown)).strip()
    return text if _PLUS_OR_ZERO.match(text) else None
