"""Numbers read quickly are those that libphonenumber reads."""

from random import Random
from typing import Any

import pytest
from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneMetadata,
    PhoneNumberFormat,
    PhoneNumberType,
    example_number_for_type,
    format_number,
    is_valid_number,
    national_significant_number,
    parse,
)

from numberdrop.files.national_numbers import international
from numberdrop.files.unusable import UnusableError

REGIONS = sorted(SUPPORTED_REGIONS)
TYPES = PhoneNumberType.values()


def as_libphonenumber_reads(digits: str, region: str) -> str | None:
    try:
        number = parse(digits, region)
    except NumberParseException:
        return None
    return format_number(number, PhoneNumberFormat.E164) if is_valid_number(number) else None


def as_we_read(digits: str, region: str) -> str | None:
    try:
        return international(digits, region)
    except UnusableError:
        return None


def some_digits(region: str, chance: Random) -> str:
    """The digits of a number of the region, or nearly so, behind some prefix."""
    examples = [example_number_for_type(region, kind) for kind in TYPES]
    digits = list(national_significant_number(chance.choice([number for number in examples if number])))
    for _ in range(chance.choice([0, 1, 3])):
        digits[chance.randrange(len(digits))] = chance.choice("0123456789")
    plan: Any = PhoneMetadata.metadata_for_region(region)
    code, trunk = str(plan.country_code), plan.national_prefix or ""
    prefixes = [
        "",
        trunk,
        trunk,
        code,
        f"00{code}",
        f"00{code}{trunk}",
        f"011{code}",
        f"0011{code}",
        "0",
        "1",
    ]
    return chance.choice(prefixes) + "".join(digits) + chance.choice(["", "", "", "7"])


@pytest.mark.parametrize("seed", range(4))
def test_any_number_is_read_as_libphonenumber_reads_it(seed: int) -> None:
    chance = Random(seed)
    for region in REGIONS:
        for _ in range(10):
            digits = some_digits(chance.choice([region, region, chance.choice(REGIONS)]), chance)

            assert as_we_read(digits, region) == as_libphonenumber_reads(digits, region), (digits, region)


@pytest.mark.parametrize(
    ("digits", "region"),
    [("55800123456", "BR"), ("000623452785", "CI"), ("0112411812445407", "GA"), ("01150108001234123", "GA")],
)
def test_prefixes_that_mean_something_else_are_left_to_the_parser(digits: str, region: str) -> None:
    assert as_we_read(digits, region) == as_libphonenumber_reads(digits, region)


@pytest.mark.parametrize(
    ("digits", "region", "number"),
    [
        ("02079460123", "GB", "+442079460123"),
        ("2079460123", "GB", "+442079460123"),
        ("442079460123", "GB", "+442079460123"),
        ("0041446681800", "GB", "+41446681800"),
        ("12025550101", "US", "+12025550101"),
        ("2025550101", "US", "+12025550101"),
        ("011442079460123", "US", "+442079460123"),
        ("0236618300", "IT", "+390236618300"),
        ("0011447400123456", "AU", "+447400123456"),
    ],
)
def test_usual_ways_to_dial_are_read_without_the_slow_parser(
    digits: str, region: str, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("numberdrop.files.national_numbers.parse")

    assert international(digits, region) == number
