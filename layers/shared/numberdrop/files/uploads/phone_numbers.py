"""Read a phone number as people and programs write it."""

import re

from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.files.uploads.notation import (
    BETWEEN_CONTACTS,
    MOVED,
    behind_leading_digits,
    has_bracket_behind,
    has_digit,
    has_extension,
    has_usual_characters,
    numbers_of_cell,
    plain_simple_number,
    unwrapped,
    without_list_number,
    without_punctuation,
)
from numberdrop.files.uploads.numbering_plans import lines_of_usual_numbers, planned_number, possible_number
from numberdrop.jobs.upload import INTERNATIONAL

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_OPTIONAL_ZERO = re.compile(r"[(\[]\s*0\s*[)\]]")
_EXPONENT = re.compile(r"[+\-]?[0-9]++(?:[.,][0-9]*+)?[eE][+\-]?[0-9]+")
_NOT_A_NUMBER = "not a phone number: write one number, as +<country><number>"


def read_phone_number(text: str, region: str | None = None) -> str:
    """Return the E.164 form of a stripped text, however people or programs write a phone number.

    >>> read_phone_number("p:+41 (0)79 000-00-01")
    '+41790000001'
    >>> read_phone_number("020 7946 0123", "GB")
    '+442079460123'

    Args:
        text: the text. If it holds several numbers, the first is read, see ``further_numbers``.
        region: the region of numbers without a country code, ISO 3166 alpha-2 in capitals, or
            ``INTERNATIONAL``.

    Raises:
        EntryRejectedError: the text is not a possible phone number.
        JobFailedError: ``NO_VALID_NUMBERS``: the region does not exist.
    """
    plain = plain_simple_number(text)
    if plain:
        return _number(plain, region, text)
    if has_usual_characters(text):
        return _one_number(text, region)
    if not has_digit(text):
        raise EntryRejectedError(_NOT_A_NUMBER)
    text = unwrapped(text)
    if has_extension(text):
        raise EntryRejectedError("has an extension: write the number without it")
    first, *others = numbers_of_cell(text)
    if not others:
        return _one_number(first, region)
    number = _one_number_or_none(first, region)
    # Without a number behind it, the separator means something else.
    if number and (BETWEEN_CONTACTS in text or all(_one_number_or_none(other, region) for other in others)):
        return number
    raise EntryRejectedError(_NOT_A_NUMBER)


def further_numbers(text: str) -> int:
    """Return how many numbers follow the first one in a stripped text that holds several.

    >>> further_numbers("+41 79 000 00 01 ::: +41 79 000 00 02"), further_numbers("+41 79 000 00 01")
    (1, 0)
    """
    return 0 if has_usual_characters(text) else len(numbers_of_cell(unwrapped(text))) - 1


def _one_number(text: str, region: str | None) -> str:
    """Return the number of an unwrapped text that holds only one."""
    text = without_list_number(text)
    if has_bracket_behind(text):
        raise EntryRejectedError("has digits in brackets behind the number: remove them")
    behind = behind_leading_digits(text)
    if behind:
        rest, looks_numbered = behind
        number, other = _number_or_none(text, region), _number_or_none(rest, region)
        if number and other and number != other:
            raise EntryRejectedError(
                "starts with the number of its line or with a country code: write it as +<country><number>"
            )
        if other and not number and looks_numbered:
            return other
    plain = without_punctuation(text)
    if plain.startswith(("+", "00")) and _OPTIONAL_ZERO.search(text):
        dropped = without_punctuation(_OPTIONAL_ZERO.sub("", text))
        return _number_with_optional_zero(plain, dropped, region)
    return _number(plain, region, text)


def _one_number_or_none(text: str, region: str | None) -> str | None:
    try:
        return _one_number(unwrapped(text), region)
    except EntryRejectedError:
        return None


def _number(plain: str, region: str | None, written: str) -> str:
    """Return the E.164 form of a text without punctuation, which was written with it."""
    if region and plain.isascii() and plain.isdigit():
        number = _without_plus(plain, region, written)
        if number:
            return number
    if plain.startswith("00"):
        if plain.startswith("0011"):
            raise EntryRejectedError("0011 is only dialled from a few countries: replace it with +")
        plain = f"+{plain[2:]}"
    if lines_of_usual_numbers().fullmatch(f"{plain}\n"):
        return plain
    if _E164.fullmatch(plain):
        return possible_number(plain[1:])
    raise EntryRejectedError(_phone_reason(plain))


def _number_with_optional_zero(kept: str, dropped: str, region: str | None) -> str:
    """Return the number of a text with a country code and ``(0)``, if only one reading is a number.

    Most countries drop the zero behind their country code, but Italy does not.

    Args:
        kept: the text without punctuation.
        dropped: the same without the zero.
        region: the region of numbers without a country code.
    """
    from numberdrop.files.uploads.national_numbers import existing_number  # noqa: PLC0415 - slow to import

    numbers = {number for plain in (kept, dropped) if (number := _number_or_none(plain, region))}
    if len(numbers) > 1:
        numbers = {number for number in numbers if existing_number(number.removeprefix("+"))}
    if len(numbers) != 1:
        raise EntryRejectedError("(0) is only dialled inside the country: remove it")
    return numbers.pop()


def _number_or_none(text: str, region: str | None) -> str | None:
    try:
        return _number(without_punctuation(text), region, text)
    except EntryRejectedError:
        return None


def _without_plus(digits: str, region: str, written: str) -> str | None:
    """Return the E.164 form of digits, or None if they start with ``00`` and are not a number."""
    if region == INTERNATIONAL:
        return None if digits.startswith("00") else _international(digits)
    # The library behind it is slow to import, and most uploads do not need it.
    from numberdrop.files.uploads.national_numbers import (  # noqa: PLC0415
        e164_after_00,
        e164_without_plus,
    )

    if digits.startswith("00"):
        number = e164_after_00(digits, region)
    else:
        number = e164_without_plus(digits, region, written)
    if number and not _E164.fullmatch(number):
        raise EntryRejectedError(_phone_reason(number))
    return number


def _international(digits: str) -> str:
    possible_number(digits)
    number = planned_number(digits)
    if not number:
        raise EntryRejectedError("not a number of its country: check the country code and the digits")
    return number


def _phone_reason(plain: str) -> str:
    """Return why a text without punctuation is not a phone number, and how to fix it."""
    digits = plain.removeprefix("+")
    if plain.endswith(MOVED):
        return (
            "more cells than the header, a number in the last: put cells with a delimiter in quotation marks"
        )
    if _EXPONENT.fullmatch(plain):
        return "rounded by a spreadsheet: format the column as text or as whole numbers, and save it again"
    if not plain.isascii() and any(letter.isdigit() and not letter.isascii() for letter in plain):
        return "has digits other than 0-9: write it with 0-9"
    if not digits.isdigit():
        return _NOT_A_NUMBER
    if digits == plain:
        return (
            "no country code: write +<country><number>, or set default-region to the numbers' country, or to "
            "international if they begin with a country code"
        )
    return "wrong length or first digit: write 7 to 15 digits after the +, and do not start with 0"
