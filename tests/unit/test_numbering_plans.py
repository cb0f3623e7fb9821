"""Numbers with a country code are read as libphonenumber reads them, only faster."""

import re
from random import Random

import pytest
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    example_number_for_type,
    format_number,
    is_possible_number_with_reason,
    parse,
)

from local.numbering_plans import TABLES, tables
from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.files.uploads.numbering_plans import calling_code, lines_of_usual_numbers, possible_number
from tests.support.uploads import clean

CODES = sorted(map(str, COUNTRY_CODE_TO_REGION_CODE))
E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def read_by_libphonenumber(digits: str) -> str | None:
    try:
        number = parse(f"+{digits}", None)
    except NumberParseException:
        return None
    is_possible = is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return format_number(number, PhoneNumberFormat.E164) if is_possible else None


def read_here(digits: str) -> str | None:
    try:
        return possible_number(digits)
    except EntryRejectedError:
        return None


def random_digits(code: str, random: Random) -> str:
    """Return digits that start with a calling code, often with something like a trunk prefix behind it."""
    prefix = random.choice(
        ["", "", "0", "0", "1", "8", "06", "01115", "000", "003768", "180020", "90", "044"]
    )
    length = random.choice([*range(4, 14), 9, 9, 10, 10])
    return code + prefix + "".join(random.choices("0123456789", k=length))


def test_the_tables_are_made_from_the_pinned_libphonenumber() -> None:
    assert TABLES.read_text("utf-8") == tables(), "run: make plans"


@pytest.mark.parametrize("seed", range(4))
def test_random_numbers_are_read_as_libphonenumber_does(seed: int) -> None:
    random = Random(seed)
    for code in CODES:
        for _ in range(20):
            digits = random_digits(code, random)

            assert read_here(digits) == read_by_libphonenumber(digits), digits


@pytest.mark.parametrize("prefix", ["", "0", "00", "1", "8", "06"])
def test_examples_of_all_regions_are_read_as_by_libphonenumber(prefix: str) -> None:
    for region in SUPPORTED_REGIONS:
        for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE):
            number = example_number_for_type(region, kind)
            if number:
                code = str(number.country_code)
                digits = code + prefix + format_number(number, PhoneNumberFormat.E164)[len(code) + 1 :]

                assert read_here(digits) == read_by_libphonenumber(digits), digits


def test_a_usual_number_is_read_unchanged() -> None:
    random, usual = Random(5), lines_of_usual_numbers()
    numbers = [f"+{random_digits(random.choice(CODES), random)}" for _ in range(30_000)]
    matched = [number for number in numbers if usual.fullmatch(f"{number}\n")]

    assert len(matched) > 4000
    assert [number for number in matched if not E164.fullmatch(number)] == []
    assert [read_here(number[1:]) for number in matched] == matched
    assert usual.fullmatch("".join(f"{number}\n" for number in matched))


def test_most_valid_numbers_are_usual() -> None:
    usual = lines_of_usual_numbers()
    examples = [example_number_for_type(region, PhoneNumberType.MOBILE) for region in SUPPORTED_REGIONS]
    numbers = [format_number(number, PhoneNumberFormat.E164) for number in examples if number]

    assert sum(bool(usual.fullmatch(f"{number}\n")) for number in numbers) > 0.95 * len(numbers)


@pytest.mark.parametrize("text", ["+12025550101", "12025550101\n", " +12025550101\n", "+1202555010\n", "\n"])
def test_other_lines_are_not_usual(text: str) -> None:
    usual = lines_of_usual_numbers()

    assert not usual.fullmatch(text) or not text
    matched = usual.match(f"+12025550102\n{text}")
    assert matched
    assert matched.end() == len("+12025550102\n")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+44 0161 496 0101", "+441614960101"),
        ("+44 (0161) 496 0102", "+441614960102"),
        ("+4401614960103", "+441614960103"),
        ("0044 0161 496 0104", "+441614960104"),
        ("+49 (030) 23125105", "+493023125105"),
        ("+33 06 39 98 01 07", "+33639980107"),
        ("+91-09876543210", "+919876543210"),
        ("+62 0812 3456 7890", "+6281234567890"),
        ("+234 0803 123 4567", "+2348031234567"),
        ("+44 (0)161 496 0111", "+441614960111"),
        ("+44 [0]161 496 0112", "+441614960112"),
        ("0044 (0) 161 496 0113", "+441614960113"),
        ("+7 8 912 345-67-89", "+79123456789"),
        ("+36 06 20 123 4567", "+36201234567"),
        ("+36 (0)20 123 4567", "+36201234567"),
        ("+1 1 202 555 0101", "+12025550101"),
        ("+39 02 3661 8300", "+390236618300"),
        ("+39 (0)2 3661 8300", "+390236618300"),
        ("+39 (0)347 123 4567", "+393471234567"),
        ("+225 01 23 45 67 89", "+2250123456789"),
        ("+242 06 612 3456", "+242066123456"),
        ("+241 06 03 12 34", "+24106031234"),
    ],
)
def test_a_trunk_zero_is_dropped_where_the_plan_has_one(written: str, number: str) -> None:
    cleaned = clean(f"{number}\n{written}\n")

    assert cleaned.numbers == [read_by_libphonenumber(number[1:])]
    assert cleaned.counts.duplicates == 1


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("+999 123 456 789", "unknown country code: check the first digits"),
        ("00 999 123 456 789", "unknown country code: check the first digits"),
        ("+210 123 456 789", "unknown country code: check the first digits"),
        ("+1 202 555 01", "too short for a phone number of its country: check the digits"),
        ("+44 20 7946 01234", "too long for a phone number of its country: check the digits"),
        ("+47 222 22 2", "its country has no phone numbers of this length: check the digits"),
        ("+39 (0)331 234 567", "(0) is only dialled inside the country: remove it"),
    ],
)
def test_an_impossible_number_is_rejected_with_its_reason(written: str, reason: str) -> None:
    cleaned = clean(f"+12025550101\n{written}\n")

    assert cleaned.numbers == ["+12025550101"]
    assert cleaned.only_reason == reason


def test_a_possible_number_in_a_new_range_is_sent() -> None:
    assert clean("+49 1999 1234567\n").numbers == ["+4919991234567"]


@pytest.mark.parametrize(
    ("digits", "code"), [("12025550101", "1"), ("3519", "351"), ("999", None), ("", None)]
)
def test_a_calling_code_is_found_at_the_start(digits: str, code: str | None) -> None:
    assert calling_code(digits) == code
