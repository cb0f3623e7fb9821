"""Refuse a table with area codes in a column of their own: without them, its numbers are other numbers."""

import re
from collections.abc import Sequence
from itertools import pairwise

from numberdrop.files.uploads.errors import area_codes_apart
from numberdrop.files.uploads.headers import tokens, words
from numberdrop.files.uploads.notation import without_punctuation

_AREA_CODE = re.compile(r"\+?0{0,2}([1-9][0-9]{0,4})")
_ENOUGH = 0.8
"""The share of filled cells that must look like area codes."""

_LONGEST = 11
"""Digits of the longest usual national numbers, such as those of Brazil, China and Germany."""

_SHORTEST_WITH_CODE = 9
"""Fewest digits of numbers with an area code of one digit, as in Tokyo, Seoul and Sydney."""


def check_area_codes(
    header: Sequence[str] | None, rows: Sequence[Sequence[str]], entry_column: int, country_column: int | None
) -> None:
    """Refuse a table in which the area codes of most numbers are in a column of their own.

    >>> check_area_codes(["Vorwahl", "Tel"], [["030", "23125001"]], 1, None)
    Traceback (most recent call last):
    numberdrop.jobs.reasons.JobFailedError: NO_VALID_NUMBERS: The column "Vorwahl" holds area codes, ...

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``.
    """
    for index, name in enumerate(header or ()):
        if index in {entry_column, country_column} or not _says_area_code(name):
            continue
        pairs = [
            (without_punctuation(row[index].strip()), without_punctuation(row[entry_column].strip()))
            for row in rows
            if max(index, entry_column) < len(row) and row[index].strip() and row[entry_column].strip()
        ]
        codes = [(code[1], number) for area, number in pairs if (code := _AREA_CODE.fullmatch(area))]
        if len(codes) < max(_ENOUGH * len(pairs), 1):
            continue
        if sum(_lacks(code, number) for code, number in codes) > len(codes) / 2:
            raise area_codes_apart(name.strip(), "".join(header[entry_column:][:1]) if header else "")


def _says_area_code(name: str) -> bool:
    named = tokens(name)
    joined = (*map("".join, pairwise(named)), "".join(named))
    return not {*named, *joined}.isdisjoint(words("area code"))


def _lacks(code: str, number: str) -> bool:
    """Return whether digits are a number without its area code."""
    if not number.isascii() or not number.isdigit() or number.startswith("0"):
        return False
    # Numbers often begin with the same digit as an area code of one digit.
    has_code = number.startswith(code) and (len(code) > 1 or len(number) >= _SHORTEST_WITH_CODE)
    return not has_code and len(code) + len(number) <= _LONGEST
