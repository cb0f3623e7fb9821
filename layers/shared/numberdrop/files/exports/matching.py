"""Normalised keys that match an upload entry to an export row."""

import re
from collections.abc import Callable, Mapping

from numberdrop.files.uploads.entries import plain_number
from numberdrop.jobs.checkers import InputKind

_LINES_OF_DIGITS = re.compile(r"(?:\n[1-9][0-9]*)*+")


def entry_keys(entries: list[str], kind: InputKind) -> list[str]:
    """Return the keys of upload entries: addresses in lower case, entries of other kinds unchanged."""
    return _address_keys(entries) if kind is InputKind.EMAIL else entries


def number_keys(numbers: list[str], kind: InputKind) -> list[str]:
    """Return the keys of an export's numbers, in whatever form the export writes them.

    The key of a phone number is ``+`` and its digits. An entry that was sent as written is its own key; if no
    upload entry equals it, ``loose_key`` may still match one.

    >>> number_keys(["0041 79 000-00-01", "41790000001.0"], InputKind.PHONE)
    ['+41790000001', '+41790000001']

    Args:
        numbers: texts without line feeds.
        kind: the kind of entries that were submitted.
    """
    return _NUMBER_KEYS[kind](numbers)


def digits_of(text: str) -> str:
    """Return the digits of a number, however it is punctuated; empty if the text is not a number."""
    digits = text.removeprefix("+")
    if not _is_digits(digits):
        digits = plain_number(text.strip().removesuffix(".0")).replace("+", "")
    return digits if _is_digits(digits) else ""


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def loose_key(text: str) -> str:
    """Return a key shared by the different ways to write one entry that was sent as written.

    The key of a number is its digits without a leading ``00``. That of any other text is the text in lower
    case without a leading ``@``.
    """
    return digits_of(text.replace("/", "")).removeprefix("00") or text.lower().removeprefix("@")


def _phone_keys(texts: list[str]) -> list[str]:
    lines = "\n".join(["", *texts]).replace("+", "")
    if _LINES_OF_DIGITS.fullmatch(lines):
        return lines.replace("\n", "\n+").split("\n")[1:]
    return [f"+{digits}" if (digits := digits_of(text).lstrip("0")) else text for text in texts]


def _as_written_keys(texts: list[str]) -> list[str]:
    return [text.strip() for text in texts]


def _address_keys(texts: list[str]) -> list[str]:
    return [text.strip().lower() for text in texts]


_NUMBER_KEYS: Mapping[InputKind, Callable[[list[str]], list[str]]] = {
    InputKind.PHONE: _phone_keys,
    InputKind.AS_WRITTEN: _as_written_keys,
    InputKind.EMAIL: _address_keys,
}
