"""Which row of an export answers which upload entry.

A row answers the entry that it equals. Only a row that equals no entry may answer one that is written in
another way, and only if it can mean no other entry: two entries are paid for separately, so one row must not
answer both.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from unicodedata import normalize

from numberdrop.files.uploads.entries import email_key, entry_rule
from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.files.uploads.notation import behind_leading_digits, plain_number, without_list_number
from numberdrop.jobs.checkers import InputKind

_LINES_OF_E164 = re.compile(r"(?:\n\+[1-9][0-9]*)*+")
_LINES_OF_DIGITS = re.compile(r"(?:\n\+?[1-9][0-9]*)*+")
_DIGITS_AFTER_00 = re.compile(r"0{2,}([1-9][0-9]*)")
"""An international number after ``00``, or filled up with zeros."""

_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3}){2,}")
"""A number as spreadsheets show it with separators."""

TAIL = 7
"""The last digits of a phone number, which are the same however the number begins. Few national numbers are
shorter, and those are not recognised in national form."""


@dataclass(frozen=True, slots=True)
class Matching:
    """The rules for the entries of one upload.

    Attributes:
        kind: the kind of entries that were submitted.
        region: the region in which the upload was read, as ``entry_rule`` takes it, or None.
    """

    kind: InputKind
    region: str | None = None

    def entry_keys(self, entries: list[str]) -> list[str]:
        """Return the keys by which entries are compared. Each distinct key is paid for."""
        return _address_keys(entries) if self.kind is InputKind.EMAIL else entries

    def row_keys(self, texts: list[str]) -> list[str]:
        """Return the keys by which the rows of an export are compared with the entries.

        The vendor drops the plus sign of phone numbers, so digits are read as an international number. Digits
        after a trunk zero are not one: they stay as they are and equal no entry.

        >>> Matching(InputKind.PHONE).row_keys(["0041 79 000-00-01", "41790000001.0", "0790000001"])
        ['+41790000001', '+41790000001', '0790000001']

        Args:
            texts: the numbers as the export has them, without line feeds.
        """
        match self.kind:
            case InputKind.PHONE:
                return _phone_keys(texts)
            case InputKind.EMAIL:
                return _address_keys([text.strip() for text in texts])
            case _:
                return [text.strip() for text in texts]

    def kept_texts(self, texts: list[str]) -> list[str]:
        """Return what a join keeps of the numbers of an export's rows: their keys, or all of their texts.

        Texts are kept where a region may give them another meaning than their keys. Keys of kept texts are
        the same.

        >>> Matching(InputKind.PHONE).kept_texts(["41790000001"])
        ['+41790000001']
        """
        return texts if self._reads_texts else self.row_keys(texts)

    def kept_keys(self, kept: list[str]) -> list[str]:
        """Return ``row_keys`` of what was kept."""
        return self.row_keys(kept) if self._reads_texts else kept

    def part_keys(self, keys: list[str]) -> list[str]:
        """Return texts that are the same for an entry and for every number that may mean it.

        Args:
            keys: keys of entries, or what was kept of rows.
        """
        if self._reads_texts:
            return tails(keys)
        return keys if self.kind is InputKind.PHONE else self._loose_keys(keys)

    def entry_part_keys(self, entries: list[str]) -> list[str]:
        """Return ``part_keys`` of entries."""
        return self.part_keys(self.entry_keys(entries))

    @property
    def _reads_texts(self) -> bool:
        return self.kind is InputKind.PHONE and bool(self.region)

    def loose_matches(self, rows: Mapping[str, str], entries: Collection[str]) -> dict[str, str]:
        """Return the entries that rows mean although they do not equal them, and the key of the row for each.

        The first row counts if several mean the same entry. A row means

        - a phone number, if an upload with its text would be read as this number in the job's region
        - an address, if the two differ only in upper and lower case or in compatible characters
        - an entry sent as written, if they have the same digits, or differ only in case or a leading ``@``

        but nothing if it can mean several of the entries.

        >>> as_written = Matching(InputKind.AS_WRITTEN)
        >>> as_written.loose_matches({"4179": "4179", "jane": "jane"}, ["+41 79", "41-79", "@Jane"])
        {'@Jane': 'jane'}

        Args:
            rows: key of the rows that equal no entry, and what was kept of their texts, in the order of the
                export.
            entries: the keys of all entries that may be meant: those that have a row of their own, too.
        """
        matches: dict[str, str] = {}
        for key, meant in self.meanings(rows, entries):
            matches.setdefault(meant, key)
        return matches

    def meanings(self, rows: Mapping[str, str], entries: Collection[str]) -> Iterator[tuple[str, str]]:
        """Return the key of each row that means an entry, with that entry; see ``loose_matches``."""
        if self.kind is InputKind.PHONE:
            if not self._reads_texts:
                return
            tails = {entry[-TAIL:] for entry in entries}
            for key, text in rows.items():
                if digits_of(text)[-TAIL:] in tails and (meant := self._as_uploaded(key, text)) in entries:
                    yield key, meant
            return
        loose_rows = dict(zip(rows, self._loose_keys(list(rows)), strict=True))
        wanted = set(loose_rows.values())
        claims: dict[str, list[str]] = {}
        for entry, loose in zip(entries, self._loose_keys(list(entries)), strict=True):
            if loose in wanted:
                claims.setdefault(loose, []).append(entry)
        for key, loose in loose_rows.items():
            if len(claimed := claims.get(loose, [])) == 1:
                yield key, claimed[0]

    def _as_uploaded(self, key: str, text: str) -> str:
        """Return the phone number that a row's text is in an upload of this region, or nothing.

        Digits without a plus sign that exist as an international number are that number and no other.
        """
        if "+" in key and "+" not in text and exists(key):
            return ""
        try:
            return entry_rule(self.kind, self.region).read(text.strip())
        except EntryRejectedError:
            return ""

    def _loose_keys(self, keys: list[str]) -> list[str]:
        if self.kind is InputKind.EMAIL:
            return [key.lower() if key.isascii() else normalize("NFKC", key).casefold() for key in keys]
        if _LINES_OF_E164.fullmatch("\n".join(["", *keys])):
            return [key[1:] for key in keys]
        return [loose_key(key) for key in keys]


def exists(number: str) -> bool:
    """Return whether an international number is valid in the plan of its country."""
    # The library takes long to import, and few exports need it.
    from phonenumbers import NumberParseException, is_valid_number, parse  # noqa: PLC0415

    try:
        return is_valid_number(parse(number))
    except NumberParseException:
        return False


def tails(numbers: list[str]) -> list[str]:
    """Return the last digits of phone numbers, which are the same in international and in national form.

    >>> tails(["+41790000001", "079 000 00 01"])
    ['0000001', '0000001']
    """
    if _LINES_OF_DIGITS.fullmatch("\n".join(["", *numbers])):
        return [number[-TAIL:] for number in numbers]
    return [(digits_of(number) or number)[-TAIL:] for number in numbers]


def digits_of(text: str) -> str:
    """Return the digits of a number, however it is punctuated; empty if the text is not a number.

    >>> digits_of("+41 79 000-00-01"), digits_of("41,790,000,001"), digits_of("2) 41790000001")
    ('41790000001', '41790000001', '')
    """
    digits = text.removeprefix("+")
    if not _is_digits(digits):
        text = text.strip()
        if _THOUSANDS.fullmatch(text):
            return text.replace(",", "")
        leading = behind_leading_digits(text)
        if (leading and leading[1]) or without_list_number(text) != text:
            # The number of a line would count as part of the phone number.
            return ""
        digits = plain_number(text.removesuffix(".0")).lstrip("+")
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
    lines = "\n".join(["", *texts])
    if _LINES_OF_E164.fullmatch(lines):
        return texts
    if _LINES_OF_DIGITS.fullmatch(lines):
        return lines.replace("+", "").replace("\n", "\n+").split("\n")[1:]
    return [_phone_key(text) for text in texts]


def _phone_key(text: str) -> str:
    digits = digits_of(text)
    international = _DIGITS_AFTER_00.fullmatch(digits)
    if international:
        digits = international[1]
    if not digits:
        return text
    return digits if digits.startswith("0") else f"+{digits}"


def _address_keys(addresses: list[str]) -> list[str]:
    text = "\n".join(addresses)
    return addresses if text.isascii() and text.islower() else [email_key(address) for address in addresses]
