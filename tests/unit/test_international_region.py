"""Digits without a plus: which country they belong to, and when that is unclear."""

import pytest
from phonenumbers import (
    PhoneNumberFormat,
    PhoneNumberType,
    example_number_for_type,
    format_number,
    is_valid_number,
    parse,
)

from numberdrop.files.uploads.entries import entry_rule
from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.jobs.checkers import InputKind
from tests.support.uploads import clean, refusal

MANY_COUNTRIES = [
    "447700900101",
    "447700900102",
    "33639980103",
    "33639980104",
    "919876543210",
    "5511987654321",
    "6281234567890",
    "12025550107",
    "79123456789",
    "971501234567",
    "4915228817386",
]
REGIONS = [
    "DE",
    "AT",
    "LU",
    "CH",
    "FR",
    "GB",
    "US",
    "IT",
    "ES",
    "PL",
    "BR",
    "MX",
    "IN",
    "ID",
    "JP",
    "AU",
    "ZA",
]


def read(written: str, region: str) -> str | None:
    try:
        return entry_rule(InputKind.PHONE, region).read(written)
    except EntryRejectedError:
        return None


@pytest.mark.parametrize("region", ["international", "International", "INTERNATIONAL"])
def test_digits_begin_with_a_country_code_if_asked(region: str) -> None:
    cleaned = clean("".join(f"{number}\n" for number in MANY_COUNTRIES), region=region)

    assert cleaned.numbers == [f"+{number}" for number in MANY_COUNTRIES]


@pytest.mark.parametrize("written", MANY_COUNTRIES)
@pytest.mark.parametrize("region", REGIONS)
def test_a_number_of_another_country_is_never_sent_as_national(written: str, region: str) -> None:
    assert read(written, region) in {None, f"+{written}"}


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("44 7700 900101", "+447700900101"),
        ("447.700.900.101", "+447700900101"),
        ("4401614960101", "+441614960101"),
        ("00447700900101", "+447700900101"),
        ("+447700900101", "+447700900101"),
        ("390236618300", "+390236618300"),
        ("447700900101.0", "+447700900101"),
    ],
)
def test_international_digits_are_read_in_any_spelling(written: str, number: str) -> None:
    assert read(written, "international") == number


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("07700900101", "unknown country code"),
        ("9991234567890", "unknown country code"),
        ("490000000000", "not a number of its country"),
        ("2025550101", "not a number of its country"),
        ("1202555010", "too short"),
        ("20240131", "too short|not a number"),
    ],
)
def test_digits_that_do_not_exist_abroad_are_rejected(written: str, reason: str) -> None:
    with pytest.raises(EntryRejectedError, match=reason):
        entry_rule(InputKind.PHONE, "international").read(written)


@pytest.mark.parametrize(
    ("written", "region", "reason"),
    [
        ("12025550107", "DE", "but one abroad"),
        ("15123456789", "DE", "could be an international number"),
        ("447700900101", "DE", "could be an international number"),
        ("971501234567", "GB", "but one abroad: write \\+ before it, or set default-region to international"),
    ],
)
def test_digits_that_exist_abroad_are_left_out(written: str, region: str, reason: str) -> None:
    with pytest.raises(EntryRejectedError, match=reason):
        entry_rule(InputKind.PHONE, region).read(written)


@pytest.mark.parametrize("written", ["(310) 345-6789", "310-345-6789", "310.345.6789"])
def test_usual_groups_show_that_a_number_is_national(written: str) -> None:
    assert read(written, "US") == "+13103456789"


@pytest.mark.parametrize("region", REGIONS)
def test_a_number_as_its_country_writes_it_is_read(region: str) -> None:
    for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
        number = example_number_for_type(region, kind)
        assert number
        written = format_number(number, PhoneNumberFormat.NATIONAL)
        if is_valid_number(parse(written, region)):
            assert read(written, region) == format_number(number, PhoneNumberFormat.E164), written


def test_the_refusal_without_a_region_names_both_settings() -> None:
    message = refusal("".join(f"{number}\n" for number in MANY_COUNTRIES)).reason.message

    assert "set default-region to the numbers' country, or to international" in message
