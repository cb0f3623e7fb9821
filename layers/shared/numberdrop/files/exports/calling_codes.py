"""Read the country of a number from a column of its own: a calling code, an ISO code or a name."""

import re
from collections.abc import Sequence
from functools import cache

from numberdrop.files.exports.matching import digits_of
from numberdrop.files.uploads.country_cells import region_of

_NAMES = {
    *("country_code", "countrycode", "calling_code", "dial_code", "dialing_code", "area_code", "prefix"),
    *("code", "cc", "country", "country_name", "iso", "iso2", "iso3", "iso_code", "country_iso", "region"),
    *("国家代码", "国家码", "区号", "国际区号", "国家", "国家名称", "国家地区", "地区"),
}

_CODE = re.compile(r"0{0,2}([1-9][0-9]{0,3})")


@cache
def calling_code(country: str) -> str:
    """Return the digits of the calling code that a cell stands for, or nothing.

    >>> [calling_code(cell) for cell in ("+41", "0041", "CH", "Switzerland", "N/A")]
    ['41', '41', '41', '41', '']
    """
    if digits := digits_of(country):
        code = _CODE.fullmatch(digits)
        return code[1] if code else ""
    region = region_of(country)
    if not region:
        return ""
    # The library takes long to import, and few exports need it.
    from phonenumbers import country_code_for_region  # noqa: PLC0415

    return str(country_code_for_region(region) or "")


def code_indexes(names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    """Return the indexes of the columns that may have the countries of the numbers.

    >>> code_indexes(["country", "number"], [["DE", "Germany"], ["30123456", "30123457"]])
    [0]

    Args:
        names: the names of the columns.
        cells: the filled cells of each column.
    """
    return [
        index
        for index, name in enumerate(names)
        if name in _NAMES and 2 * sum(bool(calling_code(cell)) for cell in cells[index]) > len(cells[index])
    ]
