"""What the header of a column says about its cells."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain, pairwise
from unicodedata import category, normalize

_MAX_LENGTH = 200
"""Characters of a header that are read. Nobody writes longer ones, except as a note."""

_CASE_CHANGE = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W\d_]+")
_ONE_WORD = {"whatsapp", "iphone", "imessage"}
_DIGITS = re.compile(r"[0-9]+")
_REMARK = re.compile(
    r"\(.*|\[.*|[,:;]? *\b(?:with|including|include|mit|avec|con|com|met|in[ck]l\.?) .*",
    re.IGNORECASE,
)
"""A remark such as ``(with country code)``, which does not change what the cells are."""
_SCRIPT_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_COUNTED = ("nummer", "nummern", "number", "numero", "nr", "num", "номер", "号", "编号", "番号", "번호")
"""Endings of compound words such as ``Kundennummer``, which name some other number."""
_MIN_COMPOUND = 5
_MIN_ENDING = 4
_MOBILE = ("mob", "mov", "cel", "handy", "puh")
_OF_A_SERVICE = {"whatsapp", "viber", "zalo"}
_VALUE = {"value", "e"}
"""Words of address books that say nothing, as in ``Phone 1 - Value``."""


class Heading(IntEnum):
    """What a header says: the higher, the likelier its column holds phone numbers."""

    OTHER = 0
    """The cells are something else, such as ids, dates or facts about a phone."""
    SILENT = 1
    """The header is missing, or says nothing about numbers."""
    NUMBER = 2
    """The cells are numbers, which may count anything."""
    PHONE = 3
    """The cells are phone numbers."""


@dataclass(frozen=True, slots=True)
class Header:
    """The meaning of a header.

    Attributes:
        heading: what it says about the cells.
        preference: how a person's phone numbers rank among each other: 2 for one without further words,
            1 for a mobile number among several, -1 for an old one or that of somebody else, otherwise 0.
        ordinal: the number in a header such as ``Phone 2``, or 0.
        is_fax: whether it names fax numbers, which are never read.
    """

    heading: Heading
    preference: int = 0
    ordinal: int = 0
    is_fax: bool = False


@lru_cache(maxsize=4096)
def header_of(text: str) -> Header:
    """Return the meaning of a header.

    >>> header_of("Telefon geschäftlich").heading
    <Heading.PHONE: 3>
    >>> header_of("Kunden-Nr.").heading
    <Heading.OTHER: 0>
    """
    text = text[:_MAX_LENGTH]
    if any(part in word for word in tokens(text) for part in _vocabulary().fax):
        return Header(Heading.OTHER, is_fax=True)
    named = tokens(_REMARK.sub("", text)) or tokens(text)
    digits = _DIGITS.search(text)
    ordinal = int(digits[0][:4]) if digits else 0
    if any(map(is_phone_word, named)) or _is_contact_number(named) or _is_phone_phrase(named):
        if any(map(_is_about_a_phone, named)) or not _vocabulary().behind_phone.isdisjoint(
            _behind_phone(named)
        ):
            return Header(Heading.OTHER)
        return Header(Heading.PHONE, _preference(named), ordinal)
    if not _vocabulary().other.isdisjoint(named) or any(map(_is_counted, named)):
        return Header(Heading.OTHER)
    if named and all(word in _vocabulary().number for word in named):
        return Header(Heading.NUMBER, ordinal=ordinal)
    return Header(Heading.SILENT)


def tokens(text: str) -> list[str]:
    """Return the words of a header, in lower case, without accents and digits.

    >>> tokens("Téléphone_2 (MobilePhone)")
    ['telephone', 'mobile', 'phone']
    """
    found = [
        part
        for word in _WORD.findall(_without_accents(text))
        # WhatsApp and iPhone are one word, MobilePhone is two.
        for part in ([word] if word.casefold() in _ONE_WORD else _CASE_CHANGE.sub(" ", word).split())
    ]
    if "e164" in re.sub(r"\W", "", text.casefold()):
        found.append("msisdn")
    return [word.casefold() for word in found]


def name_key(text: str) -> str:
    """Return the key by which names are equal, whatever their case, accents and punctuation."""
    return re.sub(r"[\W_]+", "", _folded(text))


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    phone: frozenset[str]
    phone_parts: tuple[str, ...]
    mobile: frozenset[str]
    not_phone: frozenset[str]
    contact: frozenset[str]
    number: frozenset[str]
    fax: tuple[str, ...]
    of_a_phone: frozenset[str]
    of_a_phone_endings: tuple[str, ...]
    behind_phone: frozenset[str]
    phrases: tuple[str, ...]
    second_choice: frozenset[str]
    other: frozenset[str]


@cache
def words(subject: str) -> tuple[str, ...]:
    """Return the words of a subject in ``header_words.json``, in lower case and without accents.

    >>> words("email")[0]
    'email'
    """
    section = json.loads(files(__package__).joinpath("header_words.json").read_text("utf-8"))[subject][
        "words"
    ]
    lines = section if isinstance(section, list) else chain.from_iterable(section.values())
    return tuple(dict.fromkeys(_folded(word) for line in lines for word in line.split()))


@cache
def _vocabulary() -> _Vocabulary:
    phone, of_a_phone = frozenset(words("phone")), words("of a phone")
    return _Vocabulary(
        phone=phone,
        phone_parts=words("phone parts"),
        mobile=frozenset(word for word in phone if word.startswith(_MOBILE)),
        not_phone=frozenset(words("not phone")),
        contact=frozenset(words("contact")),
        number=frozenset(words("number")),
        fax=words("fax"),
        of_a_phone=frozenset(of_a_phone),
        of_a_phone_endings=tuple(
            word for word in of_a_phone if len(word) >= _MIN_ENDING or _SCRIPT_WITHOUT_SPACES.search(word)
        ),
        behind_phone=frozenset(words("of a phone, behind it")),
        phrases=words("phone phrases"),
        second_choice=frozenset(words("phone of somebody else")),
        other=frozenset(words("other")),
    )


def is_phone_word(word: str) -> bool:
    """Return whether a word of a header, as ``tokens`` returns it, names phone numbers."""
    known = _vocabulary()
    if word in known.not_phone:
        return False
    return word in known.phone or any(part in word for part in known.phone_parts)


def is_number_word(word: str) -> bool:
    """Return whether a word of a header means "number", which may count anything."""
    return word in _vocabulary().number


def _is_about_a_phone(word: str) -> bool:
    """Return whether a word beside a phone word, or the end of it, names something else about the phone."""
    known = _vocabulary().of_a_phone
    return word in known or (is_phone_word(word) and word.endswith(_vocabulary().of_a_phone_endings))


def _is_contact_number(named: Sequence[str]) -> bool:
    """Return whether the words say "contact number", with the one word directly beside the other."""
    known = _vocabulary()
    return any(
        (first in known.contact and second in known.number)
        or (first in known.number and second in known.contact)
        for first, second in pairwise(named)
    )


def _is_phone_phrase(named: Sequence[str]) -> bool:
    joined = "".join(named)
    return any(phrase in joined for phrase in _vocabulary().phrases)


def _behind_phone(named: Sequence[str]) -> Sequence[str]:
    """Return the words behind the last phone word."""
    last = max((index for index, word in enumerate(named) if is_phone_word(word)), default=len(named))
    return named[last + 1 :]


def _is_counted(word: str) -> bool:
    """Return whether a compound word names some other number, such as ``Kundennummer``."""
    if word in _vocabulary().number:
        return False
    if _SCRIPT_WITHOUT_SPACES.search(word):
        return word.endswith(_COUNTED)
    return len(word) >= _MIN_COMPOUND and word.endswith(_COUNTED)


def _preference(named: Sequence[str]) -> int:
    known = _vocabulary()
    others = [word for word in named if not is_phone_word(word) and word not in known.number | _VALUE]
    if not _vocabulary().second_choice.isdisjoint(others):
        return -1
    if not others and _OF_A_SERVICE.isdisjoint(named):
        return 2
    return 1 if not known.mobile.isdisjoint(named) else 0


def _folded(text: str) -> str:
    """Return the text in lower case, without accents and with compatible forms of letters replaced."""
    return _without_accents(text).casefold()


def _without_accents(text: str) -> str:
    decomposed = normalize("NFKD", text)
    return normalize("NFC", "".join(letter for letter in decomposed if category(letter)[0] != "M"))
