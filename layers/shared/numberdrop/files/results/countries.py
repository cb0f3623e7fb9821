"""Countries: whose calling code an international phone number begins with."""

from collections.abc import Iterable, Mapping
from functools import cache

LONGEST_CALLING_CODE = 3
"""Digits. No calling code begins with another one (ITU-T E.164), so the first three digits tell."""

UNASSIGNED = "unassigned"

_NO_REGION = "001"
"""What libphonenumber calls the region of codes that belong to services, such as +800."""


@cache
def country_of(digits: str) -> str:
    """The calling code and the region it belongs to, as ``+41 CH``; ``unassigned`` where there is none.

    A code that regions share goes by the largest of them, as in ``+1 US``, ``+7 RU`` and ``+44 GB``.

    Args:
        digits: the first three of a number in E.164 form, without the ``+``.
    """
    for length in range(1, LONGEST_CALLING_CODE + 1):
        region = _main_regions().get(digits[:length])
        if region:
            return f"+{digits[:length]} {region}".removesuffix(f" {_NO_REGION}")
    return UNASSIGNED


@cache
def _main_regions() -> Mapping[str, str]:
    # The import takes longer than most joins.
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE  # noqa: PLC0415

    return {str(code): regions[0] for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}


def by_country(counted: Iterable[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    """Verdicts by country, the country with the most numbers first.

    Args:
        counted: the first three digits, the verdict, and how many numbers have both.
    """
    countries: dict[str, dict[str, int]] = {}
    for digits, verdict, numbers in counted:
        verdicts = countries.setdefault(country_of(digits), {})
        verdicts[verdict] = verdicts.get(verdict, 0) + numbers
    return dict(sorted(countries.items(), key=lambda country: -sum(country[1].values())))
