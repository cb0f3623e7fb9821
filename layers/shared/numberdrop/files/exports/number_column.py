"""Read the number of a row of an export, whose country may have a column of its own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from numberdrop.files.exports.calling_codes import calling_code
from numberdrop.files.exports.matching import digits_of
from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.files.uploads.numbering_plans import possible_number

_IS_INTERNATIONAL = re.compile(r"\s*(?:\+|00)")


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """Where a row has its number.

    Attributes:
        index: the column of the number.
        code_index: the column of its country, as ``calling_code`` reads it, or None if the number has it.
        has_trunk_zero: whether a leading zero has to be dropped behind the country code, where the country
            does not keep it.
    """

    index: int
    code_index: int | None = None
    has_trunk_zero: bool = False

    def number_in(self, row: Sequence[str]) -> str:
        """Return the number of a row; empty if the row ends before it, or if its country is not known.

        >>> NumberColumn(1, code_index=0, has_trunk_zero=True).number_in(["DE", "030 12345678"])
        '+4930 12345678'
        """
        number = row[self.index] if self.index < len(row) else ""
        if self.code_index is None or _IS_INTERNATIONAL.match(number):
            return number
        code = self.code_in(row)
        if not number or not code:
            return ""
        return f"+{code}{_without_trunk_zero(code, number) if self.has_trunk_zero else number}"

    def code_in(self, row: Sequence[str]) -> str:
        """Return the digits of the calling code of a row's country; empty if the row does not name any."""
        index = self.code_index
        return calling_code(row[index]) if index is not None and index < len(row) else ""


def _without_trunk_zero(code: str, number: str) -> str:
    """Return a national number without its first zero, unless its country writes the zero abroad, too.

    >>> _without_trunk_zero("44", "020 79460123"), _without_trunk_zero("39", "06 12345678")
    ('20 79460123', '06 12345678')
    """
    try:
        is_kept = possible_number(code + digits_of(number)).startswith(f"+{code}0")
    except EntryRejectedError:
        is_kept = False
    return number if is_kept else number.removeprefix("0")
