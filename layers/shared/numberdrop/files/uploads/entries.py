"""Read the entry that a checker takes from each row of an upload, however people write it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from unicodedata import normalize

from numberdrop.files.uploads.errors import EntryRejectedError, unknown_region
from numberdrop.files.uploads.numbering_plans import lines_of_usual_numbers, possible_number
from numberdrop.jobs.checkers import InputKind

_MAX_AS_WRITTEN_LENGTH = 64
_MAX_ADDRESS_LENGTH = 254

_NO_LINES = re.compile("")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

_INVISIBLE = "\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_PUNCTUATION = re.compile(rf"[\s()=.\[\]\-\u2010-\u2015'\"{_INVISIBLE}]+")
_URI = "tel:"
"""Starts a phone number on web pages and in address books (RFC 3966)."""
_AREA_CODE = re.compile(
    r"((?:[+(\[][^0-9/]*|(?=0))(?:[0-9][^0-9/]*){1,9})/([^0-9/]*[1-9](?:[^0-9/]*[0-9]){4,}[^0-9/]*)"
)
"""A number with a slash after its area code, such as ``030/123456``. Other slashes separate two numbers."""
_OPTIONAL_ZERO = re.compile(r"[(\[]\s*0\s*[)\]]")
_DECIMAL = re.compile(r"(['\"=+]*+(?:[0-9]{10,}|[0-9]{7,9}(?!\.0000)))\.0+['\"]*")
"""A whole number with the ``.0`` or ``.00`` that a spreadsheet or a database appends.

Four zeros after few digits belong to the number: people also write points between digits.
"""
_EXPONENT = re.compile(r"[+\-]?[0-9]++(?:[.,][0-9]*+)?[eE][+\-]?[0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ADDRESS = re.compile(r"([^\s@,;:<>()\[\]\"\\]{1,64})@([\w-]+(?:\.[\w-]+)+)")
_INVISIBLE_IN_ADDRESS = re.compile(f"[\u00ad{_INVISIBLE}]")
_REGION = re.compile(r"[A-Za-z]{2}")


@dataclass(frozen=True, slots=True)
class EntryRule:
    """How the entries of one kind are recognised, read and compared.

    Attributes:
        description: what an entry must be, in words for people.
        read: turns a stripped text into the entry to send; raises ``EntryRejectedError``.
        key: returns the de-duplication key of an entry; None means exact match.
        clean_lines: matches as many lines as possible of texts that ``read`` would return unchanged, each
            ended by a line feed. It may miss some.
    """

    description: str
    read: Callable[[str], str]
    key: Callable[[str], str] | None = None
    clean_lines: re.Pattern[str] = _NO_LINES


def entry_rule(kind: InputKind, region: str | None = None) -> EntryRule:
    """Return the rule for the entries of a kind.

    >>> entry_rule(InputKind.PHONE).read("+41 (79) 000-00-01")
    '+41790000001'
    >>> entry_rule(InputKind.PHONE, region="GB").read("020 7946 0123")
    '+442079460123'

    Args:
        kind: what the checker takes.
        region: the region of numbers without a country code, ISO 3166 alpha-2. Only phone numbers use it.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: the region is not two letters. If it is not a country, ``read``
            raises this once it needs the region.
    """
    rule = _RULES[kind]
    if kind is not InputKind.PHONE:
        return rule
    if region and not _REGION.fullmatch(region):
        raise unknown_region()
    read = partial(_phone, region=region.upper() if region else None)
    return replace(rule, read=read, clean_lines=lines_of_usual_numbers())


def plain_number(text: str) -> str:
    """Return a stripped text without the punctuation of phone numbers.

    >>> plain_number("tel:+41 (79) 000-00-01")
    '+41790000001'

    Returns:
        The digits of a number, perhaps after a ``+``. Other characters stay, so the caller still checks it.
    """
    text = _tidied(text)
    decimal = _DECIMAL.fullmatch(text)
    return _PUNCTUATION.sub("", decimal[1] if decimal else text)


def email_key(address: str) -> str:
    """Return the key by which e-mail addresses are equal, when they are sent and when they are joined.

    Only the domain ignores case (RFC 5321, section 2.4). Invisible characters do not make another address,
    and neither does the Unicode form in which accents are written (RFC 6532, section 3.1).

    >>> email_key("Jane@Example.COM\u200b") == email_key("Jane@example.com")
    True
    >>> email_key("jane@example.com") == email_key("Jane@example.com")
    False
    """
    if not address.isascii():
        address = normalize("NFC", _INVISIBLE_IN_ADDRESS.sub("", address))
    local_part, _, domain = address.rpartition("@")
    return f"{local_part}@{domain.lower()}"


def _phone(text: str, region: str | None = None) -> str:
    if _E164.fullmatch(text):
        return possible_number(text[1:])
    plain = plain_number(text)
    if plain.startswith(("+", "00")) and _OPTIONAL_ZERO.search(text):
        return _number_with_optional_zero(plain, plain_number(_OPTIONAL_ZERO.sub("", text)), region)
    return _number(plain, region)


def _number(plain: str, region: str | None) -> str:
    """Return the E.164 form of a text without punctuation."""
    if region and plain.isascii() and plain.isdigit():
        number = _national(plain, region)
        if number:
            return number
    if plain.startswith("0011"):
        raise EntryRejectedError("0011 is only dialled from a few countries: replace it with +")
    if plain.startswith("00"):
        plain = f"+{plain[2:]}"
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


def _number_or_none(plain: str, region: str | None) -> str | None:
    try:
        return _number(plain, region)
    except EntryRejectedError:
        return None


def _tidied(text: str) -> str:
    """Return the text with an ASCII plus, without ``tel:`` and without the slash after an area code."""
    text = text.replace("\uff0b", "+")
    if text[: len(_URI)].lower() == _URI:
        text = text[len(_URI) :].lstrip()
    area_code = _AREA_CODE.fullmatch(text) if "/" in text else None
    return f"{area_code[1]}{area_code[2]}" if area_code else text


def _national(digits: str, region: str) -> str | None:
    """Return the E.164 form of digits, or None if they start with ``00`` and are not a number."""
    # The library behind it is slow to import, and most uploads do not need it.
    from numberdrop.files.uploads.national_numbers import e164_after_00, e164_without_plus  # noqa: PLC0415

    number = e164_after_00(digits, region) if digits.startswith("00") else e164_without_plus(digits, region)
    if number and not _E164.fullmatch(number):
        raise EntryRejectedError(_phone_reason(number))
    return number


def _phone_reason(plain: str) -> str:
    """Return why a text without punctuation is not a phone number, and how to fix it."""
    digits = plain.removeprefix("+")
    if _EXPONENT.fullmatch(plain):
        return "rounded by a spreadsheet: format the column as text or as whole numbers, and save it again"
    if any(letter.isdigit() and not letter.isascii() for letter in plain):
        return "has digits other than 0-9: write it with 0-9"
    if not digits.isdigit():
        return "not a phone number: write one number, as +<country><number>"
    if digits == plain:
        return "no country code: write +<country><number>, or set default-region"
    return "wrong length or first digit: write 7 to 15 digits after the +, and do not start with 0"


def _as_written(text: str) -> str:
    if len(text) > _MAX_AS_WRITTEN_LENGTH:
        raise EntryRejectedError(f"longer than {_MAX_AS_WRITTEN_LENGTH} characters: shorten it")
    if _CONTROL.search(text):
        raise EntryRejectedError("has control characters or more than one line: remove them")
    return text


def _email(text: str) -> str:
    if len(text) > _MAX_ADDRESS_LENGTH or not _ADDRESS.fullmatch(text) or _CONTROL.search(text):
        raise EntryRejectedError("not an e-mail address: write one address, as name@example.com")
    return text


_RULES: Mapping[InputKind, EntryRule] = {
    InputKind.PHONE: EntryRule(
        "a phone number in international form, +<country><number>, or a national one if the file has a "
        "default-region",
        _phone,
    ),
    InputKind.AS_WRITTEN: EntryRule(f"an entry of at most {_MAX_AS_WRITTEN_LENGTH} characters", _as_written),
    InputKind.EMAIL: EntryRule("an e-mail address", _email, key=email_key),
}
