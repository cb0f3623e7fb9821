"""Phone numbers as they are dialled inside a country, read with Google's libphonenumber."""

from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneNumberFormat,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    is_valid_number,
    parse,
)

from numberdrop.files.unusable import UnusableError, no_such_region


def international(digits: str, region: str) -> str:
    """The E.164 form of a number without a country code.

    Args:
        digits: the number as dialled in the region, with or without its trunk prefix or country code.
        region: ISO 3166 alpha-2, in capitals.

    Raises:
        UnusableError: the region's numbering plan has no such number.
        JobFailedError: ``NO_VALID_NUMBERS``: there is no such region.
    """
    if region not in SUPPORTED_REGIONS:
        raise no_such_region()
    try:
        number = parse(digits, region)
    except NumberParseException:
        raise UnusableError(f"no phone number in {region} is like this") from None
    if not is_valid_number(number):
        length = _LENGTHS.get(is_possible_number_with_reason(number), "no phone number in {} is like this")
        raise UnusableError(length.format(region))
    return format_number(number, PhoneNumberFormat.E164)


_LENGTHS = {
    ValidationResult.TOO_SHORT: "too short for a phone number in {}",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "too short for a phone number in {}: the area code is missing",
    ValidationResult.TOO_LONG: "too long for a phone number in {}",
}
