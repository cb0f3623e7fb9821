"""The join of an upload and an export as simple as can be: every entry is compared with every row.

It shares no code with the package: its rules are written down again, with libphonenumber's own parser.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

import phonenumbers

from numberdrop.jobs.checkers import InputKind

Meaning = Callable[[str], str]
"""Returns the form of a text by which it is compared."""


def naive_join(
    entries: Sequence[str], numbers: Sequence[str], kind: InputKind, region: str | None
) -> dict[str, int | None]:
    """Return the index of the row that answers each entry, or None.

    Args:
        entries: the distinct entries that were paid for.
        numbers: the number in each row of the export.
        kind: the kind of the entries.
        region: the region of national numbers.
    """
    exact = {InputKind.PHONE: international, InputKind.EMAIL: address}.get(kind, str.strip)
    answers: dict[str, int | None] = {}
    for entry in entries:
        equal = [index for index, number in enumerate(numbers) if exact(number) == exact(entry)]
        answers[entry] = equal[0] if equal else None
    nobodys = [
        index
        for index, number in enumerate(numbers)
        if not any(exact(number) == exact(entry) for entry in entries)
    ]
    for index in nobodys:
        meant = [entry for entry in entries if means(numbers[index], entry, kind, region)]
        if len(meant) == 1 and answers[meant[0]] is None:
            answers[meant[0]] = index
    return answers


def international(text: str) -> str:
    digits = punctuation_removed(text)
    if re.fullmatch("00[1-9][0-9]*", digits):
        digits = digits[2:]
    if re.fullmatch(r"\+?[1-9][0-9]*", digits):
        return "+" + digits.lstrip("+")
    return text


def address(text: str) -> str:
    local_part, _, domain = unicodedata.normalize("NFC", text.strip()).rpartition("@")
    return f"{local_part}@{domain.lower()}"


def punctuation_removed(text: str) -> str:
    return re.sub(r"[\s()./'\"=-]", "", re.sub(r"\.0$", "", text.strip()))


def means(number: str, entry: str, kind: InputKind, region: str | None) -> bool:
    """Return whether a row that equals no entry may be another way to write this one."""
    match kind:
        case InputKind.PHONE:
            return national(number, region) == entry
        case InputKind.EMAIL:
            return number.strip().lower() == entry.lower()
        case _:
            return loosely(number) == loosely(entry)


def national(text: str, region: str | None) -> str | None:
    """Return the number that libphonenumber reads in the region, or None."""
    digits = punctuation_removed(text)
    if not region or not digits.isdigit() or (digits[0] != "0" and exists(f"+{digits}")):
        return None
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return e164 if phonenumbers.is_valid_number_for_region(number, region) else None


def exists(text: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text))
    except phonenumbers.NumberParseException:
        return False


def loosely(text: str) -> str:
    digits = punctuation_removed(text).removeprefix("+")
    if digits.isdigit():
        return digits.removeprefix("00")
    return text.strip().lower().removeprefix("@")
