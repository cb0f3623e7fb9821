"""Find the country of an international phone number by its calling code."""

from collections.abc import Iterable
from functools import cache

from numberdrop.files.uploads.numbering_plans import calling_code, main_region

UNASSIGNED = "unassigned"

_NO_REGION = "001"
"""The region of calling codes of services, such as +800."""


@cache
def country_of(digits: str) -> str:
    """Return the calling code and its region, such as ``+41 CH``, or ``unassigned``.

    Regions that share a calling code are counted under the largest: ``+1 US``, ``+7 RU``, ``+44 GB``.

    >>> country_of("417"), country_of("800"), country_of("999")
    ('+41 CH', '+800', 'unassigned')

    Args:
        digits: the first three digits of a number in E.164 form, without the ``+``.
    """
    code = calling_code(digits)
    return f"+{code} {main_region(code)}".removesuffix(f" {_NO_REGION}") if code else UNASSIGNED


def by_country(counts: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    """Add up verdicts by country. The country with the most numbers comes first.

    >>> by_country([("417", "yes", 2), ("447", "yes", 3), ("417", "no", 4)])
    {'+41 CH': {'yes': 2, 'no': 4}, '+44 GB': {'yes': 3}}

    Args:
        counts: the first three digits, the verdict, and how many numbers have both.
    """
    countries: dict[str, dict[str, int]] = {}
    for digits, verdict, numbers in counts:
        verdicts = countries.setdefault(country_of(digits), {})
        verdicts[verdict] = verdicts.get(verdict, 0) + numbers
    return dict(sorted(countries.items(), key=lambda country: -sum(country[1].values())))
