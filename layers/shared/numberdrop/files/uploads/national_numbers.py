"""Convert phone numbers as dialled inside a country to E.164, with Google's libphonenumber.

Its ``parse`` is slow. The usual cases are answered here from the same metadata in a fraction of the time, and
only the others are left to ``parse``.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    is_valid_number_for_region,
    number_type,
    parse,
    region_code_for_country_code,
    region_codes_for_country_code,
)

from numberdrop.files.uploads.errors import EntryRejectedError, unknown_region
from numberdrop.files.uploads.numbering_plans import planned_number

_MAX_CALLING_CODE_LENGTH = 3
_MAX_NATIONAL_LENGTH = 17
"""Most digits that libphonenumber accepts after a calling code."""
_MAX_INTERNATIONAL_LENGTH = 15
"""Most digits of a number with its calling code (ITU-T E.164). Some plans have longer domestic numbers."""

_LONGEST_USUAL = 11
"""Most digits of usual national numbers. Longer digits that lack their trunk zero are article numbers and the
like: the German plan has numbers of up to 15 digits."""

_NO_REGION = "ZZ"
"""What libphonenumber returns in place of a region."""

_NEVER = re.compile(r"(?!)")
_GROUP = re.compile(r"[0-9]+")


def e164_as_dialled(digits: str, region: str) -> str:
    """Return the E.164 form of a number as it is dialled in a region.

    >>> e164_as_dialled("02079460123", "GB")
    '+442079460123'
    >>> e164_as_dialled("011442079460123", "US")
    '+442079460123'

    Args:
        digits: the number, with or without its trunk prefix or country code, or with the region's exit prefix
            for calls abroad.
        region: ISO 3166 alpha-2, in capitals.

    Raises:
        EntryRejectedError: the numbering plan of the region or of the called country has no such number.
        JobFailedError: ``NO_VALID_NUMBERS``: the region does not exist.
    """
    if region not in SUPPORTED_REGIONS:
        raise unknown_region()
    return _parse_quickly(digits, _plan(region)) or _parse(digits, region)


def e164_without_plus(digits: str, region: str, written: str = "") -> str:
    """Return the E.164 form of a number that starts with neither ``+`` nor ``00``.

    The number is read as dialled in the region if that is unambiguous. In Germany, 49151... is not: it may be
    a mobile number as many tables write it, or a number in the area 0491 that lost its zero. Neither is
    15123456789: it may be a German mobile number that lost its zero, or a number in Texas.

    >>> e164_without_plus("493012345678", "DE")
    '+493012345678'
    >>> e164_without_plus("3103456789", "US", "(310) 345-6789")
    '+13103456789'

    Args:
        digits: the number.
        region: ISO 3166 alpha-2, in capitals.
        written: the number with its punctuation. If its digits are grouped as usual in the region, it is not
            a number abroad.

    Raises:
        EntryRejectedError: no such number exists, or the digits are a different number after a ``+``.
        JobFailedError: ``NO_VALID_NUMBERS``: the region does not exist.
    """
    try:
        number = e164_as_dialled(digits, region)
    except EntryRejectedError:
        if planned_number(digits):
            raise EntryRejectedError(
                f"not a phone number in {region}, but one abroad: write + before it, or set default-region "
                "to international"
            ) from None
        raise
    plan = _plan(region)
    abroad = planned_number(digits)
    if abroad and not existing_number(digits) and _may_be_mobile(number, plan):
        abroad = None
    if digits.startswith(plan.code) and number != f"+{digits}":
        with suppress(EntryRejectedError):
            abroad = _parse(f"+{digits}", region)
    if abroad and abroad != number and not _is_grouped_as_usual(written, number):
        raise EntryRejectedError(
            f"could be an international number without + or a number dialled in {region}: write it as "
            "+<country><number>, or set default-region to international"
        )
    is_long = _LONGEST_USUAL < len(digits) <= _MAX_INTERNATIONAL_LENGTH - len(plan.code)
    if is_long and number == f"+{plan.code}{digits}" and plan.trunk_prefix.match("0"):
        raise EntryRejectedError(f"too long for a phone number in {region} without a 0: write it with + or 0")
    return number


def _may_be_mobile(number: str, plan: "_Plan") -> bool:
    """Return whether an existing number of the plan may be a mobile number.

    Then it outweighs a number abroad in a range that is not assigned. A fixed line does not: in some
    countries most digits are one.
    """
    parsed = _phone_number(int(plan.code), number.removeprefix(f"+{plan.code}"))
    types = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return parsed is not None and number_type(parsed) in types


def _is_grouped_as_usual(written: str, number: str) -> bool:
    """Return whether a text has the digits of a number in the groups that are usual in its country."""
    groups = _GROUP.findall(written)
    usual = _GROUP.findall(format_number(parse(number), PhoneNumberFormat.NATIONAL))
    return len(groups) > 1 and groups in (usual, [usual[0].lstrip("0"), *usual[1:]])


def has_usual_groups(written: str, number: str) -> bool:
    """Return whether a text has the usual groups of a number, with or without its country code.

    >>> has_usual_groups("1-310-345-6789", "+13103456789"), has_usual_groups("31-0345-6789", "+13103456789")
    (True, False)
    """
    code, *rest = _GROUP.findall(format_number(parse(number), PhoneNumberFormat.INTERNATIONAL))
    return _is_grouped_as_usual(written, number) or _GROUP.findall(written) in ([code, *rest], rest)


def e164_after_00(digits: str, region: str) -> str | None:
    """Return the E.164 form of a number that starts with ``00``.

    Most people write ``00`` for a ``+``, even where calls abroad start differently: with 001 in Singapore, or
    with 00 and the digits of a carrier in Brazil.

    >>> e164_after_00("00442079460123", "US")
    '+442079460123'

    Args:
        digits: the number.
        region: ISO 3166 alpha-2, in capitals.

    Returns:
        The number with ``+`` instead of ``00``, or otherwise the number as dialled in the region. None if
        neither exists.

    Raises:
        EntryRejectedError: both exist and differ.
        JobFailedError: ``NO_VALID_NUMBERS``: the region does not exist.
    """
    if region not in SUPPORTED_REGIONS:
        raise unknown_region()
    number = existing_number(digits[2:])
    if number and not _may_be_dialled(digits, _plan(region)):
        return number
    dialled = _existing_as_dialled(digits, region)
    if number and dialled and number != dialled:
        raise EntryRejectedError(
            f"00 could stand for + or be dialled in {region}, and the numbers differ: write + instead of 00"
        )
    return number or dialled


def _existing_as_dialled(digits: str, region: str) -> str | None:
    try:
        number = e164_as_dialled(digits, region)
    except EntryRejectedError:
        return None
    return number if len(number) <= len("+") + _MAX_INTERNATIONAL_LENGTH else None


def _may_be_dialled(digits: str, plan: "_Plan") -> bool:
    """Return whether digits after ``00`` may reach another number when dialled than after a ``+``.

    False is certain, True is not. The checks follow libphonenumber's ``parse`` but are much faster.
    """
    exit_prefix = plan.exit_prefix.match(digits)
    rest = digits[exit_prefix.end() :] if exit_prefix else "0"
    if not rest.startswith("0"):
        if len(rest) == len(digits) - 2:
            return False
        called = _plan_of_code(rest[:_MAX_CALLING_CODE_LENGTH])
        return not called or _may_be_in_plan(rest[len(called.code) :], called)
    return _may_be_in_plan(digits, plan)


def _may_be_in_plan(digits: str, plan: "_Plan") -> bool:
    """Return whether digits may be a number of the plan, with or without its trunk prefix."""
    if existing_number(plan.code + digits):
        return True
    trunk_prefix = plan.trunk_prefix.match(digits)
    if not trunk_prefix:
        return False
    # If the last group of its pattern matched something, the prefix is replaced, otherwise it is removed.
    replaced = plan.replaces_trunk_prefix and trunk_prefix[trunk_prefix.re.groups]
    return bool(replaced or existing_number(plan.code + digits[trunk_prefix.end() :]))


def existing_number(digits: str) -> str | None:
    """Return the E.164 form of a calling code and a national number, or None if no country has the number.

    >>> existing_number("442079460123")
    '+442079460123'
    """
    if digits.startswith("0"):
        return None
    for length in range(1, _MAX_CALLING_CODE_LENGTH + 1):
        code, national = int(digits[:length] or 0), digits[length:]
        main_region = region_code_for_country_code(code)
        if main_region != _NO_REGION:
            number = _phone_number(code, national) if _numbers_of_code(code).fullmatch(national) else None
            # The second check is slower.
            exists = number and (is_valid_number_for_region(number, main_region) or is_valid_number(number))
            return f"+{digits}" if exists else None
    return None


def _parse(digits: str, region: str) -> str:
    try:
        number = parse(digits, region)
    except NumberParseException:
        raise EntryRejectedError(_INVALID.format(region)) from None
    if not is_valid_number(number):
        reason = _WRONG_LENGTHS.get(is_possible_number_with_reason(number), _INVALID)
        raise EntryRejectedError(reason.format(region))
    return format_number(number, PhoneNumberFormat.E164)


_INVALID = "not a valid phone number in {}: check the digits"
_WRONG_LENGTHS = {
    ValidationResult.TOO_SHORT: "too short for a phone number in {}: check the digits",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too short for a phone number in {}: add the area code",
    ValidationResult.TOO_LONG: "too long for a phone number in {}: check the digits",
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """The parts of a region's numbering plan that say how numbers are dialled.

    Attributes:
        region: the region.
        code: its calling code.
        exit_prefix: matches the prefix of calls abroad.
        trunk_prefix: matches the prefix of domestic calls.
        numbers: matches all texts that may be a national number.
        replaces_trunk_prefix: whether a trunk prefix is replaced by other digits instead of being removed.
    """

    region: str
    code: str
    exit_prefix: re.Pattern[str]
    trunk_prefix: re.Pattern[str]
    numbers: re.Pattern[str]
    replaces_trunk_prefix: bool


@cache
def _plan(region: str) -> _Plan:
    metadata: Any = PhoneMetadata.metadata_for_region(region)  # never None for a supported region
    exit_prefix, trunk_prefix = metadata.international_prefix, metadata.national_prefix_for_parsing
    return _Plan(
        region,
        str(metadata.country_code),
        re.compile(exit_prefix) if exit_prefix else _NEVER,
        re.compile(trunk_prefix) if trunk_prefix else _NEVER,
        re.compile(metadata.general_desc.national_number_pattern),
        bool(metadata.national_prefix_transform_rule),
    )


@cache
def _plan_of_code(digits: str) -> _Plan | None:
    """Return the plan of the main region whose calling code starts the digits.

    Args:
        digits: as many digits as the longest calling code has.
    """
    for length in range(1, len(digits) + 1):
        region = region_code_for_country_code(int(digits[:length]))
        if region in SUPPORTED_REGIONS and not digits.startswith("0"):
            return _plan(region)
    return None


@cache
def _numbers_of_code(code: int) -> re.Pattern[str]:
    """Return a pattern that matches what may be a national number in any region of a calling code."""
    metadata: list[Any] = [
        PhoneMetadata.metadata_for_region_or_calling_code(code, region)
        for region in region_codes_for_country_code(code)
    ]
    return re.compile("|".join({plan.general_desc.national_number_pattern for plan in metadata}))


def _parse_quickly(digits: str, plan: _Plan) -> str | None:
    """Return what ``_parse`` returns, in a third of the time, or None if the case is not simple.

    Removes prefixes as libphonenumber's ``parse`` does, but only if they are unambiguous.
    """
    exit_prefix = plan.exit_prefix.match(digits)
    if exit_prefix:
        digits = digits[exit_prefix.end() :]
        called = _plan_of_code(digits[:_MAX_CALLING_CODE_LENGTH])
        if not called:
            return None
        national = digits[len(called.code) :]
        return None if called.trunk_prefix.match(national) else _valid(national, called)
    trunk_prefix = plan.trunk_prefix.match(digits)
    if not trunk_prefix:
        return _valid(digits, plan) or _valid_after_code(digits, plan)
    if plan.replaces_trunk_prefix:
        return None
    national = digits[trunk_prefix.end() :]
    starts_with_code = digits.startswith(plan.code)
    if starts_with_code and (trunk_prefix.end() != len(plan.code) or plan.trunk_prefix.match(national)):
        return None
    return _valid(national, plan)


def _valid_after_code(digits: str, plan: _Plan) -> str | None:
    if not digits.startswith(plan.code) or plan.numbers.fullmatch(digits):
        return None
    national = digits[len(plan.code) :]
    return None if plan.trunk_prefix.match(national) else _valid(national, plan)


def _valid(national: str, plan: _Plan) -> str | None:
    """Return the E.164 form of a national number, or None if the plan has no such number."""
    number = _phone_number(int(plan.code), national)
    return f"+{plan.code}{national}" if number and is_valid_number_for_region(number, plan.region) else None


def _phone_number(code: int, national: str) -> PhoneNumber | None:
    """Return libphonenumber's object for a number, or None if it cannot be one."""
    zeros = len(national) - len(national.lstrip("0"))
    if zeros == len(national) or len(national) > _MAX_NATIONAL_LENGTH:
        return None
    return PhoneNumber(
        code, int(national), italian_leading_zero=bool(zeros) or None, number_of_leading_zeros=zeros or None
    )
