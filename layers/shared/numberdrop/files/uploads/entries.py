"""Entries: what a checker takes from each row of an upload, however people write it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from numberdrop.files.uploads.errors import EntryRejectedError, unknown_region
from numberdrop.jobs.checkers import InputKind

_LONGEST_AS_WRITTEN = 64
_LONGEST_ADDRESS = 254

_NOTHING = re.compile(r"(?!)")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LINES_OF_E164 = re.compile(rf"(?:{_E164.pattern}\n)*+")

_INVISIBLE = "\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_PUNCTUATION = re.compile(rf"[\s()=.\[\]\-\u2010-\u2015'\"{_INVISIBLE}]+")
_URI = "tel:"
"""Begins a phone number on web pages and in address books (RFC 3966)."""
_AREA_CODE = re.compile(
    r"((?:[+(\[][^0-9/]*|(?=0))(?:[0-9][^0-9/]*){1,9})/([^0-9/]*[1-9](?:[^0-9/]*[0-9]){4,}[^0-9/]*)"
)
"""An area code with a slash behind it, as in ``030/123456``. Elsewhere a slash stands between two numbers."""
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")
_DECIMAL = re.compile(r"(['\"=+]*+(?:[0-9]{10,}|[0-9]{7,9}(?!\.0000)))\.0+['\"]*")
"""A whole number with the ``.0`` or ``.00`` that a spreadsheet or a database puts behind it.

Four zeros behind few digits are the end of a number with a point in it.
"""
_EXPONENT = re.compile(r"[+\-]?[0-9]++(?:[.,][0-9]*+)?[eE][+\-]?[0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ADDRESS = re.compile(r"([^\s@,;:<>()\[\]\"\\]{1,64})@([\w-]+(?:\.[\w-]+)+)")
_REGION = re.compile(r"[A-Za-z]{2}")


@dataclass(frozen=True, slots=True)
class EntryRule:
    """What the entries of one kind are.

    Attributes:
        wanted: what an entry must be, in words.
        read: turns a stripped text into the entry to send; raises ``EntryRejectedError``.
        key: that by which entries are the same; None where only equal ones are.
        clean: matches a text that is surely an entry as it stands; need not match every such text.
        clean_lines: matches lines of such texts, each ended by a line feed.
    """

    wanted: str
    read: Callable[[str], str]
    key: Callable[[str], str] | None = None
    clean: re.Pattern[str] = _NOTHING
    clean_lines: re.Pattern[str] = _NOTHING


def entry_rule(kind: InputKind, region: str | None = None) -> EntryRule:
    """The rule for the entries of a kind.

    Args:
        kind: what the checker takes.
        region: whose numbers those without a country code are, ISO 3166 alpha-2; tells only of phone numbers.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: the region is no two letters. That they are no country's is told
            by ``read``, when it first needs to know.
    """
    rule = _RULES[kind]
    if kind is not InputKind.PHONE or not region:
        return rule
    if not _REGION.fullmatch(region):
        raise unknown_region()
    return replace(rule, read=partial(_phone, region=region.upper()))


def plain_number(text: str) -> str:
    """A number's text, without white space around it, less all that stands around and between its digits.

    What is left of a number is its digits, perhaps behind a ``+``.
    """
    text = _tidied(text)
    decimal = _DECIMAL.fullmatch(text)
    return _PUNCTUATION.sub("", decimal[1] if decimal else text)


def _phone(text: str, region: str | None = None) -> str:
    if _E164.fullmatch(text):
        return text
    plain = plain_number(text)
    if plain.startswith(("+", "00")) and _TRUNK_ZERO.search(text):
        raise EntryRejectedError("(0) is dialled only inside the country: leave it out")
    if region and plain.isascii() and plain.isdigit():
        number = _national(plain, region)
        if number:
            return number
    if plain.startswith("0011"):
        raise EntryRejectedError("0011 is dialled from few countries: write + in its place")
    if plain.startswith("00"):
        plain = f"+{plain[2:]}"
    if _E164.fullmatch(plain):
        return plain
    raise EntryRejectedError(_why_no_phone(plain))


def _tidied(text: str) -> str:
    """The text with a plain plus, and without what only says that it, or its area code, is one."""
    text = text.replace("\uff0b", "+")
    if text[: len(_URI)].lower() == _URI:
        text = text[len(_URI) :].lstrip()
    area_code = _AREA_CODE.fullmatch(text) if "/" in text else None
    return f"{area_code[1]}{area_code[2]}" if area_code else text


def _national(digits: str, region: str) -> str | None:
    """The number that digits are in a region; None if they begin with ``00`` and are none that is known."""
    # Its library takes long to import, and most uploads do without.
    from numberdrop.files.uploads.national_numbers import behind_00, without_plus  # noqa: PLC0415

    number = behind_00(digits, region) if digits.startswith("00") else without_plus(digits, region)
    if number and not _E164.fullmatch(number):
        raise EntryRejectedError(_why_no_phone(number))
    return number


def _why_no_phone(plain: str) -> str:
    digits = plain.removeprefix("+")
    if _EXPONENT.fullmatch(plain):
        return "rounded by a spreadsheet: format the column as text or as whole numbers"
    if any(letter.isdigit() and not letter.isascii() for letter in plain):
        return "digits other than 0-9"
    if not digits.isdigit():
        return "not a phone number"
    if digits == plain:
        return "no country code: write it as +<country><number>, or give the file a default-region"
    return "an international number has 7 to 15 digits after the +, and the first is not 0"


def _as_written(text: str) -> str:
    if len(text) > _LONGEST_AS_WRITTEN:
        raise EntryRejectedError(f"longer than {_LONGEST_AS_WRITTEN} characters")
    if _CONTROL.search(text):
        raise EntryRejectedError("holds control characters")
    return text


def _email(text: str) -> str:
    if len(text) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(text) or _CONTROL.search(text):
        raise EntryRejectedError("not an e-mail address")
    return text


def _email_key(address: str) -> str:
    # Only the domain is the same in any case (RFC 5321, section 2.4).
    local_part, _, domain = address.rpartition("@")
    return f"{local_part}@{domain.lower()}"


_RULES: Mapping[InputKind, EntryRule] = {
    InputKind.PHONE: EntryRule(
        "a phone number in international form, +<country><number>, or else the file needs a default-region",
        _phone,
        clean=_E164,
        clean_lines=_LINES_OF_E164,
    ),
    InputKind.AS_WRITTEN: EntryRule(f"an entry of at most {_LONGEST_AS_WRITTEN} characters", _as_written),
    InputKind.EMAIL: EntryRule("an e-mail address", _email, key=_email_key),
}
