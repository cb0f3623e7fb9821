"""Read the entry that a checker takes from each row of an upload, however people write it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from unicodedata import normalize

from numberdrop.files.uploads.errors import EntryRejectedError, unknown_region
from numberdrop.files.uploads.numbering_plans import lines_of_usual_numbers
from numberdrop.files.uploads.phone_numbers import further_numbers, read_phone_number
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.upload import INTERNATIONAL, usual_region

_MAX_AS_WRITTEN_LENGTH = 64
_MAX_ADDRESS_LENGTH = 254

_NO_LINES = re.compile("")

_INVISIBLE = "\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ADDRESS = re.compile(r"([^\s@,;:<>()\[\]\"\\]{1,64})@([\w-]+(?:\.[\w-]+)+)")
_INVISIBLE_IN_ADDRESS = re.compile(f"[\u00ad{_INVISIBLE}]")
_REGION = re.compile(rf"[A-Za-z]{{2}}|(?i:{INTERNATIONAL})")


@dataclass(frozen=True, slots=True)
class EntryRule:
    """How the entries of one kind are recognised, read and compared.

    Attributes:
        description: what an entry must be, in words for people.
        read: turns a stripped text into the entry to send; raises ``EntryRejectedError``.
        further: returns how many entries follow the one that was read in the same text; None if a text is
            one entry.
        key: returns the de-duplication key of an entry; None means exact match.
        clean_lines: matches as many lines as possible of texts that ``read`` would return unchanged, each
            ended by a line feed. It may miss some.
    """

    description: str
    read: Callable[[str], str]
    further: Callable[[str], int] | None = None
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
        region: the region of numbers without a country code, ISO 3166 alpha-2, or ``international`` if they
            begin with a country code. Only phone numbers use it.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: the region is neither two letters nor ``international``. If it
            is not a country, ``read`` raises this once it needs the region.
    """
    rule = _RULES[kind]
    if kind is not InputKind.PHONE:
        return rule
    if region and not _REGION.fullmatch(region):
        raise unknown_region()
    read = partial(read_phone_number, region=usual_region(region) if region else None)
    return replace(rule, read=read, clean_lines=lines_of_usual_numbers())


def email_key(address: str) -> str:
    """Return the key by which e-mail addresses are equal, when they are sent and when they are joined.

    Only the domain ignores case (RFC 5321, section 2.4). Invisible characters do not make another address,
    and neither does the Unicode form in which accents are written (RFC 6532, section 3.1).

    >>> email_key("Jane@Example.COM\u200b") == email_key("Jane@example.com")
    True
    >>> email_key("jane@example.com") == email_key("Jane@example.com")
    False
    """
    local_part, _, domain = _usual_form(address).rpartition("@")
    return f"{local_part}@{domain.lower()}"


def _usual_form(address: str) -> str:
    return address if address.isascii() else normalize("NFC", _INVISIBLE_IN_ADDRESS.sub("", address))


def _as_written(text: str) -> str:
    if len(text) > _MAX_AS_WRITTEN_LENGTH:
        raise EntryRejectedError(f"longer than {_MAX_AS_WRITTEN_LENGTH} characters: shorten it")
    if _CONTROL.search(text):
        raise EntryRejectedError("has control characters or more than one line: remove them")
    return text


def _email(text: str) -> str:
    text = _usual_form(text).strip()
    if len(text) > _MAX_ADDRESS_LENGTH or not _ADDRESS.fullmatch(text) or _CONTROL.search(text):
        raise EntryRejectedError("not an e-mail address: write one address, as name@example.com")
    return text


_RULES: Mapping[InputKind, EntryRule] = {
    InputKind.PHONE: EntryRule(
        "a phone number in international form, +<country><number>, or a national one if the file has a "
        "default-region",
        read_phone_number,
        further=further_numbers,
    ),
    InputKind.AS_WRITTEN: EntryRule(f"an entry of at most {_MAX_AS_WRITTEN_LENGTH} characters", _as_written),
    InputKind.EMAIL: EntryRule("an e-mail address", _email, key=email_key),
}
