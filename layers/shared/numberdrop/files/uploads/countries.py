"""Read the country of each number from a column of its own: an ISO code, a name, or a calling code."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.resources import files

from numberdrop.files.uploads.entries import EntryRule, entry_rule
from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.files.uploads.headers import is_phone_word, name_key, tokens, words
from numberdrop.files.uploads.notation import without_punctuation
from numberdrop.jobs.checkers import InputKind

SEPARATOR = "\x1f"
"""Stands between a number and its country in the text of an entry. No entry holds this character."""

_ENOUGH = 0.8
"""The share of filled cells that must name countries."""

_MAX_READ = 200
"""Most cells of a column that are read."""

_CALLING_CODE = re.compile(r"(?:\+|00)?([1-9][0-9]{0,2})(?:\.0+)?")
_INTERNATIONAL = re.compile(r"\W*(?:\+|\uff0b|00[1-9])")


def region_of(country: str) -> str | None:
    """Return the region that a text names, ISO 3166 alpha-2, or None.

    ``N/A`` is not Namibia.

    >>> region_of("Deutschland"), region_of("GBR"), region_of("uk"), region_of("Narnia")
    ('DE', 'GB', 'GB', None)
    """
    return None if "/" in country else _regions().get(name_key(country))


def regions_of_code(code: str) -> tuple[str, ...]:
    """Return the regions that share a calling code, the main one first.

    >>> regions_of_code("+44")
    ('GB', 'GG', 'IM', 'JE')
    """
    # The library is slow to import, and most uploads do not need it.
    from phonenumbers import region_codes_for_country_code  # noqa: PLC0415

    digits = _CALLING_CODE.fullmatch(code.strip())
    return tuple(region_codes_for_country_code(int(digits[1]))) if digits else ()


def country_column(header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> int | None:
    """Return the index of the column that says to which country each number belongs, or None.

    Its header says so, and most of its filled cells name countries or calling codes. In a table without a
    header, only names of countries in full are trusted: ``DE`` may be a language.

    >>> country_column(["Name", "Land", "Telefon"], [["Anna", "Schweiz", "044 668 18 00"]])
    1
    """
    width = max(map(len, rows), default=0)
    found = []
    for index in range(width):
        name = header[index] if header and index < len(header) else ""
        cells = [row[index].strip() for row in rows if index < len(row) and row[index].strip()][:_MAX_READ]
        reader = _reader_for(name) if header else _is_full_name
        if reader and cells and sum(bool(reader(cell)) for cell in cells) >= _ENOUGH * len(cells):
            found.append((not any(map(is_phone_word, tokens(name))), index))
    return min(found)[1] if found else None


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
    return replace(rule, read=partial(_read, _Readers(rule)))


def shown(text: str) -> str:
    """Return the text of an entry as people read it.

    >>> shown(with_country("044 668 18 00", "Narnia"))
    '044 668 18 00 (Narnia)'
    """
    number, separator, country = text.partition(SEPARATOR)
    return f"{number} ({country})" if separator else text


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
    region = region_of(country)
    regions = [region] if region else [region for region in regions_of_code(country) if region.isalpha()]
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
    raise first_error or EntryRejectedError("not a phone number of the country in its row: check the digits")


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


def _reader_for(header: str) -> Callable[[str], object] | None:
    """Return the function that reads a country below a header, or None if the header names something else."""
    named = tokens(header)
    joined = "".join(named)
    if not set(named).isdisjoint(words("not of the number")):
        return None
    says_country = not set(named).isdisjoint(words("country")) or joined in words("country")
    says_code = not set(named).isdisjoint(words("calling code")) or joined in words("calling code")
    if says_country or (says_code and any(map(is_phone_word, named))):
        return lambda cell: region_of(cell) or regions_of_code(cell)
    return regions_of_code if says_code else None


def _is_full_name(cell: str) -> bool:
    return len(cell) > len("AAA") and region_of(cell) is not None


@cache
def _regions() -> Mapping[str, str]:
    names = json.loads(files(__package__).joinpath("country_names.json").read_text("utf-8"))["names"]
    by_name = {name: region for region, some in names.items() for name in some.split()}
    return by_name | {region.casefold(): region for region in names}
