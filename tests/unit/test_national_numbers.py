"""National numbers are read as libphonenumber reads them, only faster."""

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

from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.files.uploads.national_numbers import e164_after_00, e164_as_dialled, e164_without_plus
from numberdrop.files.uploads.phone_numbers import read_phone_number

REGIONS = sorted(SUPPORTED_REGIONS)
TYPES = PhoneNumberType.values()
MAX_LENGTH = len("+") + 15


def read_by_libphonenumber(digits: str, region: str) -> str | None:
    try:
        number = parse(digits, region)
    except NumberParseException:
        return None
    return format_number(number, PhoneNumberFormat.E164) if is_valid_number(number) else None


def read_here(digits: str, region: str) -> str | None:
    try:
        return e164_as_dialled(digits, region)
    except EntryRejectedError:
        return None


def code_of(region: str) -> str:
    plan: Any = PhoneMetadata.metadata_for_region(region)
    return str(plan.country_code)


def random_digits(region: str, random: Random) -> str:
    """Return the digits of a number of the region, sometimes slightly changed, after a random prefix."""
    examples = [example_number_for_type(region, kind) for kind in TYPES]
    digits = list(national_significant_number(random.choice([number for number in examples if number])))
    for _ in range(random.choice([0, 1, 3])):
        digits[random.randrange(len(digits))] = random.choice("0123456789")
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
    return random.choice(prefixes) + "".join(digits) + random.choice(["", "", "", "7"])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_number_is_read_as_libphonenumber_reads_it(seed: int) -> None:
    random = Random(seed)
    for region in REGIONS:
        for _ in range(10):
            digits = random_digits(random.choice([region, region, random.choice(REGIONS)]), random)

            assert read_here(digits, region) == read_by_libphonenumber(digits, region), (digits, region)


def expected_after_00(digits: str, region: str) -> str | None:
    """Return the number with ``+`` instead of ``00``, or else as dialled; "ambiguous" if the two differ."""
    plus = f"+{digits[2:]}"
    number = plus if read_by_libphonenumber(plus, region) == plus else None
    dialled = read_by_libphonenumber(digits, region)
    if dialled and len(dialled) > MAX_LENGTH:
        dialled = None
    return "ambiguous" if number and dialled and number != dialled else number or dialled


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_number_after_00_is_read_if_it_is_unambiguous(seed: int) -> None:
    random = Random(seed)
    for region in REGIONS:
        for _ in range(10):
            other = random.choice([region, random.choice(REGIONS)])
            prefix = random.choice(
                ["00", f"00{code_of(other)}", f"00{code_of(other)}", "001", "000", "00810"]
            )
            digits = prefix + random_digits(other, random)
            try:
                read = e164_after_00(digits, region)
            except EntryRejectedError:
                read = "ambiguous"

            assert read == expected_after_00(digits, region), (digits, region)


@pytest.mark.parametrize(
    ("digits", "region"),
    [("55800123456", "BR"), ("000623452785", "CI"), ("0112411812445407", "GA"), ("01150108001234123", "GA")],
)
def test_ambiguous_prefixes_are_left_to_libphonenumber(digits: str, region: str) -> None:
    assert read_here(digits, region) == read_by_libphonenumber(digits, region)


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
def test_usual_ways_to_dial_do_not_need_the_slow_parser(
    digits: str, region: str, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("numberdrop.files.uploads.national_numbers.parse")

    assert e164_as_dialled(digits, region) == number


@pytest.mark.parametrize(
    ("digits", "region"),
    [
        ("4915123456789", "DE"),
        ("15123456789", "DE"),
        ("62812345678", "ID"),
        ("468123456", "SE"),
        ("38343201234", "XK"),
    ],
)
def test_ambiguous_digits_without_a_plus_are_rejected(digits: str, region: str) -> None:
    with pytest.raises(EntryRejectedError, match=r"write it as \+<country><number>"):
        e164_without_plus(digits, region)


@pytest.mark.parametrize(
    ("digits", "region", "number"),
    [
        ("13812345678", "CN", "+8613812345678"),
        ("015123456789", "DE", "+4915123456789"),
        ("493012345678", "DE", "+493012345678"),
        ("12025550101", "US", "+12025550101"),
        ("417901234", "CH", "+41417901234"),
        ("3912345678", "IT", "+393912345678"),
    ],
)
def test_unambiguous_digits_without_a_plus_are_accepted(digits: str, region: str, number: str) -> None:
    assert e164_without_plus(digits, region) == number


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_number_without_a_plus_is_not_read_as_another(seed: int) -> None:
    random = Random(seed)
    for region in REGIONS:
        for _ in range(10):
            digits = code_of(region) + random_digits(region, random)
            international_form = read_by_libphonenumber(f"+{digits}", region)
            try:
                read = e164_without_plus(digits, region)
            except EntryRejectedError:
                continue

            assert international_form in {None, read}, (digits, region)


@pytest.mark.parametrize("region", ["US", "DE", "CH", "AU", "JP", "SG", "KR", "BR", "RU"])
@pytest.mark.parametrize("number", ["+447400123456", "+41781234567", "+12042345678"])
def test_numbers_after_00_do_not_need_the_slow_parser(
    number: str, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("numberdrop.files.uploads.national_numbers.parse")

    assert e164_after_00(f"00{number[1:]}", region) == number


@pytest.mark.parametrize("digits", ["4006381333931", "3053123456789", "400638133393"])
@pytest.mark.parametrize("region", ["DE", "AT"])
def test_long_digits_without_a_trunk_zero_are_rejected(digits: str, region: str) -> None:
    with pytest.raises(EntryRejectedError):
        read_phone_number(digits, region)


def test_long_numbers_are_read_with_a_trunk_zero_or_a_plus() -> None:
    assert read_phone_number("030 2312500012", "DE") == "+49302312500012"
    assert read_phone_number("+49 30 2312500012", "DE") == "+49302312500012"
