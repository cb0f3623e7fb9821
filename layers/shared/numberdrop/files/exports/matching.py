"""By what an entry and a row of an export are about the same: their names."""

import re
from collections.abc import Callable, Mapping

from numberdrop.files.uploads.entries import plain_number
from numberdrop.jobs.checkers import InputKind

_LINES_OF_DIGITS = re.compile(r"(?:\n[1-9][0-9]*)*+")


def names_of_entries(entries: list[str], kind: InputKind) -> list[str]:
    """The names of entries; all kinds but addresses, which are the same in any case, are their own."""
    return _emails(entries) if kind is InputKind.EMAIL else entries


def names_of_numbers(numbers: list[str], kind: InputKind) -> list[str]:
    """The names of an export's numbers, in whatever form it has them; no line feed comes in.

    Phone numbers go by their digits with a ``+`` before them, and what was sent as written by the text,
    to which ``loose_name`` gives a second chance.
    """
    return _NAMES[kind](numbers)


def digits_of(text: str) -> str:
    """The digits of a number however it is punctuated; empty if the text is anything else."""
    digits = text.removeprefix("+")
    if not _is_digits(digits):
        digits = plain_number(text.strip().removesuffix(".0")).replace("+", "")
    return digits if _is_digits(digits) else ""


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def loose_name(text: str) -> str:
    """What texts have in common that are about the same entry as written, though not the same text.

    Numbers go by their digits without a leading ``00``, all else by the text without regard to case or a
    leading ``@``.
    """
    return digits_of(text.replace("/", "")).removeprefix("00") or text.lower().removeprefix("@")


def _phones(texts: list[str]) -> list[str]:
    lines = "\n".join(["", *texts]).replace("+", "")
    if _LINES_OF_DIGITS.fullmatch(lines):
        return lines.replace("\n", "\n+").split("\n")[1:]
    return [f"+{digits}" if (digits := digits_of(text).lstrip("0")) else text for text in texts]


def _as_written(texts: list[str]) -> list[str]:
    return [text.strip() for text in texts]


def _emails(texts: list[str]) -> list[str]:
    return [text.strip().lower() for text in texts]


_NAMES: Mapping[InputKind, Callable[[list[str]], list[str]]] = {
    InputKind.PHONE: _phones,
    InputKind.AS_WRITTEN: _as_written,
    InputKind.EMAIL: _emails,
}
