"""Phone numbers as they are dialled inside a country, read with Google's libphonenumber."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    is_valid_number_for_region,
    parse,
    region_code_for_country_code,
    region_codes_for_country_code,
)

from numberdrop.files.uploads.errors import EntryRejectedError, unknown_region

_LONGEST_CALLING_CODE = 3
_LONGEST_NATIONAL = 17
"""Digits that libphonenumber takes at most behind a calling code."""
_LONGEST_INTERNATIONAL = 15
"""Digits of a number with its calling code (ITU-T E.164); some plans have longer ones for use inside."""

_NO_REGION = "ZZ"
"""What libphonenumber has in place of a region."""

_NEVER = re.compile(r"(?!)")


def international(digits: str, region: str) -> str:
    """The E.164 form of a number without a ``+``.

    Args:
        digits: the number as dialled in the region: with or without its trunk prefix or country code, or with
            the prefix that leads abroad from there.
        region: ISO 3166 alpha-2, in capitals.

    Raises:
        EntryRejectedError: the region's numbering plan, or that of the country called, has no such number.
        JobFailedError: ``NO_VALID_NUMBERS``: there is no such region.
    """
    if region not in SUPPORTED_REGIONS:
        raise unknown_region()
    return _read_quickly(digits, _plan(region)) or _read(digits, region)


def without_plus(digits: str, region: str) -> str:
    """The E.164 form of a number that has no ``+``, and no ``00`` in its place.

    It is read as dialled in the region, if that leaves no doubt: 49151... is a mobile number in Germany as it
    stands in many tables, and some number in the area 0491 too, its zero being lost.

    Args:
        digits: the number.
        region: ISO 3166 alpha-2, in capitals.

    Raises:
        EntryRejectedError: there is no such number, or with a ``+`` it is another one of the region.
        JobFailedError: ``NO_VALID_NUMBERS``: there is no such region.
    """
    number = international(digits, region)
    if digits.startswith(_plan(region).code) and number != f"+{digits}":
        try:
            with_plus = _read(f"+{digits}", region)
        except EntryRejectedError:
            return number
        if with_plus != number:
            raise EntryRejectedError(
                f"two numbers, as it may lack a + or be dialled in {region}: write it with a +"
            )
    return number


def behind_00(digits: str, region: str) -> str | None:
    """The E.164 form of a number that begins with ``00``.

    These stand for a ``+`` to most people, whatever is dialled in the region: 001 in Singapore, say, or 00
    and a carrier's digits in Brazil.

    Args:
        digits: the number.
        region: ISO 3166 alpha-2, in capitals.

    Returns:
        The number that it is with a ``+``, or else as dialled in the region; None if there is neither.

    Raises:
        EntryRejectedError: there are both, and they differ.
        JobFailedError: ``NO_VALID_NUMBERS``: there is no such region.
    """
    if region not in SUPPORTED_REGIONS:
        raise unknown_region()
    number = _existing(digits[2:])
    if number and not _may_be_dialled(digits, _plan(region)):
        return number
    dialled = _dialled(digits, region)
    if number and dialled and number != dialled:
        raise EntryRejectedError(
            f"two numbers, as 00 may stand for + or be dialled in {region}: write + in its place"
        )
    return number or dialled


def _dialled(digits: str, region: str) -> str | None:
    try:
        number = international(digits, region)
    except EntryRejectedError:
        return None
    return number if len(number) <= _LONGEST_INTERNATIONAL + 1 else None


def _may_be_dialled(digits: str, plan: "_Plan") -> bool:
    """Whether digits that begin with ``00`` may be dialled in a region to another end than with a ``+``.

    False is sure. It asks what libphonenumber's ``parse`` asks, for a small part of the time.
    """
    abroad = plan.abroad.match(digits)
    rest = digits[abroad.end() :] if abroad else "0"
    if not rest.startswith("0"):
        if len(rest) == len(digits) - 2:
            return False
        called = _plan_of_code(rest[:_LONGEST_CALLING_CODE])
        return not called or _may_be_one_of(rest[len(called.code) :], called)
    return _may_be_one_of(digits, plan)


def _may_be_one_of(digits: str, plan: "_Plan") -> bool:
    """Whether digits may be a number of the plan, with or without its trunk prefix."""
    if _existing(plan.code + digits):
        return True
    trunk = plan.trunk.match(digits)
    if not trunk:
        return False
    # A prefix is replaced if it has something in its last group, and left out otherwise.
    replaced = plan.rewrites and trunk[trunk.re.groups]
    return bool(replaced or _existing(plan.code + digits[trunk.end() :]))


def _existing(digits: str) -> str | None:
    """The E.164 form of a calling code and a number behind it; None if no country has such a number."""
    if digits.startswith("0"):
        return None
    for length in range(1, _LONGEST_CALLING_CODE + 1):
        code, national = int(digits[:length] or 0), digits[length:]
        main_region = region_code_for_country_code(code)
        if main_region != _NO_REGION:
            number = _number(code, national) if _general(code).fullmatch(national) else None
            # The second question takes longer.
            exists = number and (is_valid_number_for_region(number, main_region) or is_valid_number(number))
            return f"+{digits}" if exists else None
    return None


def _read(digits: str, region: str) -> str:
    try:
        number = parse(digits, region)
    except NumberParseException:
        raise EntryRejectedError(f"no phone number in {region} is like this") from None
    if not is_valid_number(number):
        length = _LENGTHS.get(is_possible_number_with_reason(number), "no phone number in {} is like this")
        raise EntryRejectedError(length.format(region))
    return format_number(number, PhoneNumberFormat.E164)


_LENGTHS = {
    ValidationResult.TOO_SHORT: "too short for a phone number in {}",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too short for a phone number in {}: the area code is missing",
    ValidationResult.TOO_LONG: "too long for a phone number in {}",
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a region's numbering plan says about the digits before a number.

    Attributes:
        region: the region.
        code: its calling code.
        abroad: matches the prefix that leads abroad.
        trunk: matches the trunk prefix.
        general: matches what may be a number of it.
        rewrites: whether a trunk prefix is not left out but replaced.
    """

    region: str
    code: str
    abroad: re.Pattern[str]
    trunk: re.Pattern[str]
    general: re.Pattern[str]
    rewrites: bool


@cache
def _plan(region: str) -> _Plan:
    metadata: Any = PhoneMetadata.metadata_for_region(region)  # never None for a supported region
    abroad, trunk = metadata.international_prefix, metadata.national_prefix_for_parsing
    return _Plan(
        region,
        str(metadata.country_code),
        re.compile(abroad) if abroad else _NEVER,
        re.compile(trunk) if trunk else _NEVER,
        re.compile(metadata.general_desc.national_number_pattern),
        bool(metadata.national_prefix_transform_rule),
    )


@cache
def _plan_of_code(digits: str) -> _Plan | None:
    """The plan of the main region whose calling code begins these digits: as many as the longest code has."""
    for length in range(1, len(digits) + 1):
        region = region_code_for_country_code(int(digits[:length]))
        if region in SUPPORTED_REGIONS and not digits.startswith("0"):
            return _plan(region)
    return None


@cache
def _general(code: int) -> re.Pattern[str]:
    """Matches what may be a number behind a calling code, in any of its regions."""
    regions = region_codes_for_country_code(code)
    metadata: list[Any] = [PhoneMetadata.metadata_for_region_or_calling_code(code, at) for at in regions]
    return re.compile("|".join({plan.general_desc.national_number_pattern for plan in metadata}))


def _read_quickly(digits: str, plan: _Plan) -> str | None:
    """What ``_read`` makes of the digits, in a third of the time; None where that cannot be told so easily.

    The prefixes are taken off as libphonenumber's ``parse`` does where there is no doubt about them.
    """
    abroad = plan.abroad.match(digits)
    if abroad:
        digits = digits[abroad.end() :]
        called = _plan_of_code(digits[:_LONGEST_CALLING_CODE])
        if not called:
            return None
        national = digits[len(called.code) :]
        return None if called.trunk.match(national) else _valid(national, called)
    trunk = plan.trunk.match(digits)
    if not trunk:
        return _valid(digits, plan) or _valid_behind_its_code(digits, plan)
    if plan.rewrites:
        return None
    national = digits[trunk.end() :]
    if digits.startswith(plan.code) and (trunk.end() != len(plan.code) or plan.trunk.match(national)):
        return None
    return _valid(national, plan)


def _valid_behind_its_code(digits: str, plan: _Plan) -> str | None:
    if not digits.startswith(plan.code) or plan.general.fullmatch(digits):
        return None
    national = digits[len(plan.code) :]
    return None if plan.trunk.match(national) else _valid(national, plan)


def _valid(national: str, plan: _Plan) -> str | None:
    """The E.164 form of a number of the plan; None if it has no such number."""
    number = _number(int(plan.code), national)
    return f"+{plan.code}{national}" if number and is_valid_number_for_region(number, plan.region) else None


def _number(code: int, national: str) -> PhoneNumber | None:
    """What libphonenumber calls a number; None if it is surely none."""
    zeros = len(national) - len(national.lstrip("0"))
    if zeros == len(national) or len(national) > _LONGEST_NATIONAL:
        return None
    return PhoneNumber(
        code, int(national), italian_leading_zero=bool(zeros) or None, number_of_leading_zeros=zeros or None
    )
