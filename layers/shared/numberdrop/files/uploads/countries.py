"""Read the country of each number from a column of its own: an ISO code, a name, or a calling code."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from numberdrop.files.uploads.country_cells import names_nothing, region_of, regions_of_cell, regions_of_code
from numberdrop.files.uploads.entries import EntryRule, entry_rule
from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.files.uploads.headers import is_number_word, is_phone_word, tokens, words
from numberdrop.files.uploads.notation import MOVED, without_punctuation
from numberdrop.files.uploads.numbering_plans import calling_code
from numberdrop.jobs.checkers import InputKind

SEPARATOR = "\x1f"
"""Stands between a number and its country in the text of an entry. No entry holds this character."""

_ENOUGH = 0.8
"""The share of filled cells that must name countries."""

_SOME = 0.2
"""The share that is enough if they are names in full: then the other cells are unknown countries."""

_MAX_READ = 200
"""Most cells of a column that are read."""

_INTERNATIONAL = re.compile(r"\W*(?:\+|\uff0b|00[1-9])")
_WITH_PLUS = re.compile(r"[^+]*\+.*|\W*00.*")


@dataclass(frozen=True, slots=True)
class CountryColumns:
    """The columns of a table that say to which country a number belongs.

    Attributes:
        indexes: the indexes of the columns, the likeliest first.
        header: the names of all columns, or None.
    """

    indexes: tuple[int, ...]
    header: Sequence[str] | None

    def of(self, entry_column: int) -> int | None:
        """Return the index of the column for the numbers of another column, or None.

        The country of the delivery belongs to the phone of the delivery.
        """
        others = [index for index in self.indexes if index != entry_column]
        if len(others) < _SEVERAL or not self.header:
            return others[0] if others else None
        own = _distinctive_words(self.header, entry_column)
        return max(others, key=lambda index: len(own & _distinctive_words(self.header or (), index)))


_SEVERAL = 2


def country_columns(header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> CountryColumns:
    """Return the columns that say to which country each number belongs.

    Their headers say so, and most of their filled cells name countries or calling codes. In a table without a
    header, only names of countries in full are trusted: ``DE`` may be a language.

    >>> country_columns(["Name", "Land", "Telefon"], [["Anna", "Schweiz", "044 668 18 00"]]).of(2)
    1
    """
    width = max(map(len, rows), default=0)
    found = []
    for index in range(width):
        name = header[index] if header and index < len(header) else ""
        cells = [row[index].strip() for row in rows if index < len(row) and row[index].strip()]
        cells = [cell for cell in cells[:_MAX_READ] if not names_nothing(cell)]
        reader = _reader_for(name) if header else _is_only_a_name
        if reader and cells and _are_countries(cells, reader, has_header=bool(header)):
            named = tokens(name)
            is_code = _says(named, "country code") or _says(named, "calling code")
            rank = (
                _says(named, "of the delivery"),
                not any(map(is_phone_word, named)),
                not is_code,
                len(named),
            )
            found.append((rank, index))
    return CountryColumns(tuple(index for _, index in sorted(found)), header)


def _are_countries(cells: Sequence[str], reader: "_Reader", *, has_header: bool) -> bool:
    """Return whether enough cells name countries."""
    if sum(bool(reader(cell)) for cell in cells) >= _ENOUGH * len(cells):
        return True
    return has_header and sum(_is_full_name(cell) and bool(reader(cell)) for cell in cells) >= _SOME * len(
        cells
    )


def with_country(number: str, country: str) -> str:
    """Return the text of an entry whose number belongs to a country, for the rule of ``by_country``.

    A number that begins with a plus or ``00`` names its own country.

    >>> with_country("+41446681800", "CH"), with_country("044 668 18 00", "")
    ('+41446681800', '044 668 18 00')
    """
    number, country = (text.strip().replace(SEPARATOR, "") for text in (number, country))
    if not number or not country or _INTERNATIONAL.match(number):
        return number
    return f"{number}{SEPARATOR}{country}"


def by_country(rule: EntryRule) -> EntryRule:
    """Return a rule that reads each number in the country that its row names.

    >>> by_country(entry_rule(InputKind.PHONE, "DE")).read(with_country("044 668 18 00", "Schweiz"))
    '+41446681800'

    Args:
        rule: the rule for rows that name no country.
    """
    further = rule.further
    return replace(
        rule,
        read=partial(_read, _Readers(rule)),
        further=further and (lambda text: further(text.partition(SEPARATOR)[0])),
    )


def shown(text: str) -> str:
    """Return the text of an entry as people read it.

    >>> shown(with_country("044 668 18 00", "Narnia"))
    '044 668 18 00 (Narnia)'
    """
    number, separator, country = text.replace(MOVED, "").partition(SEPARATOR)
    return f"{number} ({country})" if separator else number


@dataclass(frozen=True, slots=True)
class _Readers:
    rule: EntryRule
    by_region: dict[str, Callable[[str], str]] = field(default_factory=dict)

    def of(self, region: str) -> Callable[[str], str]:
        if region not in self.by_region:
            self.by_region[region] = partial(_read_in, region, entry_rule(InputKind.PHONE, region).read)
        return self.by_region[region]


def _read(readers: _Readers, text: str) -> str:
    number, separator, country = text.partition(SEPARATOR)
    if not separator:
        return readers.rule.read(text)
    if names_nothing(country):
        return readers.rule.read(number)
    regions = regions_of_cell(country)
    if not regions:
        raise EntryRejectedError(
            "unknown country in its row: write its ISO code there, or the number as +<country><number>"
        )
    first_error: EntryRejectedError | None = None
    for candidate in regions:
        try:
            return readers.of(candidate)(number)
        except EntryRejectedError as error:
            first_error = first_error or error
    with suppress(EntryRejectedError):
        # Digits with their country code are usual where the default region is "international".
        default = readers.rule.read(number)
        if _is_of(default, regions):
            return default
    raise first_error or EntryRejectedError("not a phone number of the country in its row: check the digits")


def _is_of(number: str, regions: Sequence[str]) -> bool:
    """Return whether a number has the calling code of one of the regions."""
    # The library is slow to import, and most uploads do not need it.
    from phonenumbers import country_code_for_region  # noqa: PLC0415

    return calling_code(number.removeprefix("+")) in {
        str(country_code_for_region(region)) for region in regions
    }


def _read_in(region: str, read: Callable[[str], str], number: str) -> str:
    """Return a number of a region. That another country has the same digits does not matter here."""
    try:
        return read(number)
    except EntryRejectedError:
        # The library is slow to import, and most uploads do not need it.
        from phonenumbers import country_code_for_region  # noqa: PLC0415

        from numberdrop.files.uploads.national_numbers import e164_as_dialled  # noqa: PLC0415

        digits = without_punctuation(number)
        if not digits.isascii() or not digits.isdigit():
            raise
        if digits.startswith(("00", str(country_code_for_region(region)))):
            raise
        with suppress(EntryRejectedError):
            return e164_as_dialled(digits, region)
        raise


_Reader = Callable[[str], object]


def _reader_for(header: str) -> _Reader | None:
    """Return the function that reads a country below a header, or None if the header names something else."""
    named = tokens(header)
    other_parts = words("not of the number, as part of a word")
    if _says(named, "not of the number") or any(part in word for word in named for part in other_parts):
        return None
    if _says(named, "country") or (_says(named, "calling code") and any(map(is_phone_word, named))):
        return regions_of_cell
    if _says(named, "country code"):
        return regions_of_cell
    return _regions_of_code_with_plus if _says(named, "calling code") else None


def _says(named: Sequence[str], subject: str) -> bool:
    """Return whether one of the words of a header, or all of them joined, are of a subject."""
    return not {*named, "".join(named)}.isdisjoint(words(subject))


def _distinctive_words(header: Sequence[str], index: int) -> set[str]:
    """Return the words of a header that say neither phone nor number nor country."""
    named = tokens(header[index]) if index < len(header) else []
    general = {*words("country"), *words("calling code"), *words("country code")}
    return {
        word for word in named if word not in general and not is_phone_word(word) and not is_number_word(word)
    }


def _regions_of_code_with_plus(cell: str) -> tuple[str, ...]:
    """Return the regions of a calling code below a header that may also name area codes or other codes."""
    return regions_of_cell(cell) if _WITH_PLUS.fullmatch(cell) else ()


def _is_full_name(cell: str) -> bool:
    return not _is_code(cell) and bool(regions_of_cell(cell)) and not regions_of_code(cell)


def _is_only_a_name(cell: str) -> bool:
    return not _is_code(cell) and region_of(cell) is not None


def _is_code(cell: str) -> bool:
    return cell.isascii() and len(cell) <= len("AAA")
