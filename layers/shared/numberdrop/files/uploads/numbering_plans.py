"""Read numbers with a country code as libphonenumber reads them, from tables made of its metadata.

libphonenumber takes 385 µs for a number, these tables take 1.5 µs, and the pattern of usual numbers takes
0.1 µs. ``local/numbering_plans.py`` makes the tables.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from numberdrop.files.uploads.errors import EntryRejectedError

_MAX_CALLING_CODE_LENGTH = 3


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the national numbers of one calling code are written.

    Attributes:
        lengths: how many digits a number may have, in ascending order.
        local_lengths: how many digits a number may have without its area code.
        numbers: matches all texts that may be a national number.
        trunk_prefix: matches the prefix of domestic calls. None if there is none.
        replacement: what replaces a prefix whose last group matched. None removes it.
    """

    lengths: tuple[int, ...]
    local_lengths: tuple[int, ...]
    numbers: re.Pattern[str]
    trunk_prefix: re.Pattern[str] | None
    replacement: str | None

    def without_trunk_prefix(self, national: str, trunk_prefix: re.Pattern[str]) -> str:
        """Return a national number without the prefix that is dialled only inside the country.

        Follows ``parse`` of libphonenumber: the prefix stays if the number is valid only with it.
        """
        prefix = trunk_prefix.match(national)
        if not prefix or not prefix.end():
            return national
        replaces = self.replacement is not None and prefix[prefix.re.groups] is not None
        start = prefix.expand(self.replacement) if replaces and self.replacement else ""
        number = start + national[prefix.end() :]
        if self.numbers.fullmatch(national) and not self.numbers.fullmatch(number):
            return national
        is_complete = len(number) in self.lengths and len(number) not in self.local_lengths
        return number if is_complete or len(number) > self.lengths[-1] else national


def possible_number(digits: str) -> str:
    """Return the E.164 form of the digits after a ``+``.

    A trunk prefix after the country code is removed, where the country has one.

    >>> possible_number("4401614960101")
    '+441614960101'
    >>> possible_number("390236618300")
    '+390236618300'

    Args:
        digits: the country code and the number.

    Raises:
        EntryRejectedError: there is no such country code, or it has no numbers of this length. Whether a
            number of a possible length exists is not checked: the vendor may know newer ranges.
    """
    code = calling_code(digits)
    if not code:
        raise EntryRejectedError("unknown country code: check the first digits")
    plan = _plan(code)
    national = digits[len(code) :]
    if plan.trunk_prefix:
        national = plan.without_trunk_prefix(national, plan.trunk_prefix)
    length = len(national)
    if length in plan.lengths:
        return f"+{code}{national}"
    if length < plan.lengths[0]:
        raise EntryRejectedError("too short for a phone number of its country: check the digits")
    if length > plan.lengths[-1]:
        raise EntryRejectedError("too long for a phone number of its country: check the digits")
    raise EntryRejectedError("its country has no phone numbers of this length: check the digits")


def planned_number(digits: str) -> str | None:
    """Return the possible number of digits that begin with a country code, or None if its plan lacks it.

    Stricter than ``possible_number``, because digits may begin with a country code by chance. Ranges that are
    not assigned yet are in the plan.

    >>> planned_number("442079460123"), planned_number("440000000000")
    ('+442079460123', None)
    """
    try:
        number = possible_number(digits)
    except EntryRejectedError:
        return None
    code = calling_code(digits) or ""
    return number if _plan(code).numbers.fullmatch(number[len(code) + 1 :]) else None


def calling_code(digits: str) -> str | None:
    """Return the calling code that starts the digits, or None if they start with none.

    >>> calling_code("442079460123")
    '44'
    """
    codes = _calling_codes()
    for length in range(1, _MAX_CALLING_CODE_LENGTH + 1):
        if digits[:length] in codes:
            return digits[:length]
    return None


def main_region(code: str) -> str:
    """Return the main region of a calling code, ISO 3166 alpha-2, or ``001`` for services such as +800.

    >>> main_region("44"), main_region("800")
    ('GB', '001')
    """
    return str(_tables()["plans"][code]["region"])


@cache
def lines_of_usual_numbers() -> re.Pattern[str]:
    r"""Return a pattern of lines that hold only numbers in E.164 form, each ended by a line feed.

    ``possible_number`` returns these numbers unchanged. The pattern misses some of them, for instance those
    of a few countries whose numbers may start like a trunk prefix.

    >>> lines_of_usual_numbers().match("+442079460123\n+12025550101\nhello\n").end()
    27
    """
    # Compiling takes 20 ms, so only the functions that read uploads should pay for it.
    return re.compile(rf"(?:\+{_tables()['usual']}\n)*+")


@cache
def _tables() -> Any:
    return json.loads(files(__package__).joinpath("numbering_plans.json").read_text("utf-8"))


@cache
def _calling_codes() -> frozenset[str]:
    return frozenset(_tables()["plans"])


@cache
def _plan(code: str) -> _Plan:
    plan = _tables()["plans"][code]
    prefix = plan["trunk_prefix"]
    return _Plan(
        lengths=tuple(plan["lengths"]),
        local_lengths=tuple(plan["local_lengths"]),
        numbers=re.compile(plan["numbers"]),
        trunk_prefix=re.compile(prefix) if prefix else None,
        replacement=plan["replacement"],
    )
