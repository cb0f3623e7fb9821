"""Read which country a cell names, as forms and exports write it: by a name, a code, a flag, or several."""

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

from numberdrop.files.uploads.headers import name_key

_CALLING_CODE = re.compile(r"(?:\+|00|011)?([1-9][0-9]{0,2})(?:\.0+)?|\+?(1)[-.]?[2-9][0-9]{2}")
"""A calling code, or that of North America with the area code of an island (``+1-242``)."""
_AROUND_CODE = re.compile(r"[\s()\[\]'\"]+")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_FIRST_FLAG_LETTER = 0x1F1E6
_LOCALE = re.compile(r"[a-z]{2,3}[-_]([A-Z]{2})")
_BETWEEN_PARTS = re.compile(
    r"\s*[()\[\],;|]\s*|\s+[-\u2010-\u2015:]\s+|\s*(?=\+)|(?<=[0-9])\s+(?=[^\W\d])|(?<=[^\W\d])\s+(?=[0-9])"
)
_LONGEST = 100
"""Characters of a cell that may name a country. Nobody writes longer ones, except as a note."""
_LETTERS_OF_ISO = 2
_BELONGS_TO = {"HK": "CN", "MO": "CN", "TW": "CN", "PR": "US", "GU": "US", "VI": "US", "FO": "DK", "GL": "DK"}
"""Regions with numbering plans of their own, and the countries that forms write behind their names."""
_NOTHING = {"n/a", "#n/a", "null", "none", "nil", "nan", "blank", "(blank)"}
_ON_CARS = dict(
    zip("ABDEFHILNPS", ("AT", "BE", "DE", "ES", "FR", "HU", "IT", "LU", "NO", "PT", "SE"), strict=True)
)
"""Distinguishing signs of vehicles with one letter (United Nations, Convention on Road Traffic), as address
lists of Western Europe have them."""


@lru_cache(maxsize=4096)
def regions_of_cell(cell: str) -> tuple[str, ...]:
    """Return the regions that a cell may name, the likeliest first. Empty if it names none, or several.

    >>> regions_of_cell("Germany (+49)"), regions_of_cell("🇨🇭"), regions_of_cell("de-AT")
    (('DE',), ('CH',), ('AT',))
    >>> regions_of_cell("+7"), regions_of_cell("Kazakhstan +7"), regions_of_cell("Germany (+33)")
    (('RU', 'KZ'), ('KZ',), ())
    """
    cell = cell.strip()
    if len(cell) > _LONGEST:
        return ()
    locale = _LOCALE.fullmatch(cell)
    region = region_of(cell) or _ON_CARS.get(cell) or (region_of(locale[1]) if locale else None)
    if region:
        return (region,)
    return regions_of_code(cell) or _common_regions(cell)


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
    digits = _CALLING_CODE.fullmatch(_AROUND_CODE.sub("", code))
    if not digits:
        return ()
    # The library is slow to import, and most uploads do not need it.
    from phonenumbers import region_codes_for_country_code  # noqa: PLC0415

    regions = region_codes_for_country_code(int(digits[digits.lastindex or 0]))
    return tuple(region for region in regions if region.isalpha())


def names_nothing(cell: str) -> bool:
    """Return whether a cell holds a word or a sign for nothing.

    >>> names_nothing("N/A"), names_nothing("-"), names_nothing("Narnia")
    (True, True, False)
    """
    text = cell.strip().casefold()
    return text in _NOTHING or not (any(map(str.isalnum, text)) or _FLAG.search(text))


def _common_regions(cell: str) -> tuple[str, ...]:
    """Return the regions that all parts of a cell may name, such as a name and a calling code.

    A name may follow something else ("Berlin, Germany"). What follows a name may change it ("Korea, North").
    """
    if "/" in cell:
        return ()
    known = [_of_flag(flag) for flag in _FLAG.findall(cell)]
    parts = [part for part in _BETWEEN_PARTS.split(_FLAG.sub(" ", cell)) if part.strip()]
    if len(parts) > 1 and (turned := region_of(" ".join(reversed(parts)))):
        return (turned,)
    is_named = False
    for part in parts:
        # Behind a comma, two letters may be a state: CA is California and Canada.
        region = None if "," in cell and len(part.strip()) <= _LETTERS_OF_ISO else region_of(part)
        regions = (region,) if region else regions_of_code(part)
        if regions:
            known.append(regions)
        elif is_named:
            return ()
        is_named = is_named or region is not None
    named = {some[0] for some in known if len(some) == 1}
    whole = {_BELONGS_TO[region] for region in named if region in _BELONGS_TO}
    known = [some for some in known if len(known) == 1 or not whole.issuperset(some)]
    return tuple(region for region in known[0] if all(region in some for some in known)) if known else ()


def _of_flag(flag: str) -> tuple[str, ...]:
    """Return the region of a flag, whose two characters stand for the letters of its code."""
    region = region_of("".join(chr(ord(letter) - _FIRST_FLAG_LETTER + ord("A")) for letter in flag))
    return (region,) if region else ()


@cache
def _regions() -> Mapping[str, str]:
    names = json.loads(files(__package__).joinpath("country_names.json").read_text("utf-8"))["names"]
    by_name = {name: region for region, some in names.items() for name in some.split()}
    return by_name | {region.casefold(): region for region in names}
