"""Reduce the ways in which people and programs write a phone number to ``+`` and digits."""

import re
from unicodedata import category, decimal, normalize

from numberdrop.files.uploads.headers import Heading, header_of

MOVED = "\x19"
"""Marks a cell that moved into the column from another one. No entry holds this character."""

_FULL_WIDTH = range(0xFF01, 0xFF5F)
_INVISIBLE = {"Cf", "Mn", "Me"}
"""Categories of characters that take no place of their own: joiners, direction marks, variation selectors."""
_BLANK_LETTERS = "\u115f\u1160\u3164\uffa0"
_SEPARATORS = "\u00ad\u00b7\u2043\u2212\u30fb\u30fc\uff65"
"""Soft hyphen, dots and lines that are written like a dash, besides those of Unicode's category of dashes."""
_PLUS_SIGNS = "\u2795\ufb29\ufe62"
_QUOTATION_MARKS = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"

_SIMPLE = re.compile(r"[+0][0-9 )\-]*+(?:(?:\((?! *0|[0-9 ]{1,6}\)$)|\.(?!0+$))[0-9 )\-]*+)*+")
_SIMPLE_PUNCTUATION = b" ().-"
_USUAL_CHARACTERS = re.compile(r"[0-9 +()\[\].\-]*")

_LETTER = re.compile(r"[A-Za-z]")
_DIGIT = re.compile(r"\d")
_PUNCTUATION = re.compile(r"[\s()=.\[\]\-'\"]+")
_LABEL = re.compile(
    r"(?:p|t|m|tel|telephone|phone|mob|mobile|cell|whatsapp|wa|sms|smsto|callto)\.?\s*:(?!:)\s*(?://)?", re.I
)
_WORD_AND_COLON = re.compile(r"([^\W\d_]{1,20})\.?\s*:(?!:)\s*")
"""A word that is a label if it names phones, such as ``Telefon:``."""
_CHAT_ID = re.compile(r"\+?([0-9]+)(?::[0-9]+)?@(?:c\.us|s\.whatsapp\.net)", re.I)
_CHAT_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?(?:wa\.me/|(?:(?:api|web)\.)?whatsapp\.com/send/?\?(?:[^#]*&)?phone=)"
    r"(?:\+|%2B)?\s*([0-9][0-9\-]*)/?(?:[?&#].*)?"
    r"|whatsapp://send/?\?(?:[^#]*&)?phone=(?:\+|%2B)?([0-9][0-9\-]*)(?:[&#].*)?",
    re.I,
)
_AREA_CODE = re.compile(
    r"((?:[+(\[][^0-9/]*|(?=0))(?:[0-9][^0-9/]*){1,9})/([^0-9/]*[1-9](?:[^0-9/]*[0-9]){4,}[^0-9/]*)"
)
"""A number with a slash after its area code, such as ``030/123456``. Other slashes separate two numbers."""
_CODE_AND_SLASH = re.compile(r"([(\[]?(?:\+|00)[1-9][0-9]{0,2}[)\]]?) ?/ ?(?=[^/]{1,10}/[^/]{5,20}$)")
"""A country code with a slash behind it, and another behind the area code, as in ``+43/664/123456``."""
_BRACKET_BEHIND = re.compile(r"(?<=.)[(\[][0-9\s]{1,6}[)\]]$")
_LONGEST_BRACKET = 16
_DECIMAL = re.compile(r"(['\"=+]*+(?:[0-9]{10,}|[0-9]{7,9}(?!\.0000)))\.0+['\"]*")
"""A whole number with the ``.0`` or ``.00`` that a spreadsheet or a database appends.

Four zeros after few digits belong to the number: people also write points between digits.
"""
_EXTENSION = re.compile(
    r"[0-9)\s]"
    r"(?:\s*[;,]?\s*(?:ext(?:ension|n)?|x|int|anexo|ramal|poste|durchwahl|dw|доб)(?![^\W\d_])\.?|\s*,,+|\s*\#)"
    r"\s*[:=.\-]?\s*[0-9]{1,7}\#?\s*",
    re.I,
)
_LONGEST_EXTENSION = 32
"""Characters with the word before it."""
BETWEEN_CONTACTS = ":::"
"""Between the numbers of one contact in an export of Google Contacts."""
_BETWEEN_NUMBERS = re.compile(r":::|[;/]")
_MAX_NUMBERS = 20
_LIST_NUMBER = re.compile(r"(?:[1-9][0-9]{0,5}\)\s*|[\u2022*]\s+)(?=\S)")
_LIKE_LIST_NUMBER = re.compile(r"[1-9][0-9]{0,4}[.:]\s+(?=\S)")
_LEADING_DIGITS = re.compile(r"[(\[]?[1-9][0-9]{0,3}[)\]]?[\s.\-]+(?=[(\[]*[0+])")


class _Characters(dict[int, str]):
    """Maps a code point to the ASCII characters that it stands for, for ``str.translate``."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        if point in _FULL_WIDTH:
            character = normalize("NFKC", character)
        elif character in _PLUS_SIGNS:
            character = "+"
        elif character in _QUOTATION_MARKS:
            character = '"'
        elif character in _SEPARATORS or category(character) == "Pd":
            character = "-"
        elif category(character) == "So":
            character = " "
        elif category(character) == "Nd":
            character = str(decimal(character))
        elif category(character) in _INVISIBLE or character in _BLANK_LETTERS:
            character = ""
        self[point] = character
        return character


_characters = _Characters({point: chr(point) for point in range(128)})


def plain_number(text: str) -> str:
    """Return a stripped text without the punctuation and the wrappers of phone numbers.

    >>> plain_number("tel:+41 (79) 000-00-01")
    '+41790000001'
    >>> plain_number("41790000001@c.us")
    '+41790000001'

    Returns:
        The digits of a number, perhaps after a ``+``. Other characters stay, so the caller still checks it.
    """
    return plain_simple_number(text) or without_punctuation(unwrapped(text))


def unwrapped(text: str) -> str:
    """Return a text in ASCII digits and signs, without labels and links.

    Identifiers and links of chats begin with a country code, so they get a ``+``.

    >>> unwrapped("p:+41 79 000 00 01")
    '+41 79 000 00 01'
    >>> unwrapped("https://wa.me/41790000001?text=hi")
    '+41790000001'
    """
    if not text.isascii():
        text = text.translate(_characters).strip()
    if text.isascii() and not _LETTER.search(text):
        return text
    chat = _CHAT_ID.fullmatch(text) or _CHAT_LINK.fullmatch(text)
    if chat:
        return f"+{chat[chat.lastindex or 0]}"
    label = _LABEL.match(text) or _WORD_AND_COLON.match(text)
    if label and label.lastindex and header_of(label[1]).heading is not Heading.PHONE:
        return text
    return text[label.end() :] if label else text


def without_punctuation(text: str) -> str:
    """Return an unwrapped text without the punctuation of phone numbers."""
    area_code = _AREA_CODE.fullmatch(_without_slash_of_code(text)) if "/" in text else None
    if area_code:
        text = f"{area_code[1]}{area_code[2]}"
    decimals = _DECIMAL.fullmatch(text) if text.rstrip("'\"").endswith("0") and "." in text else None
    return _PUNCTUATION.sub("", decimals[1] if decimals else text)


def _without_slash_of_code(text: str) -> str:
    """Return a text without the slash behind its country code, if a slash behind its area code follows."""
    code = _CODE_AND_SLASH.match(text)
    return f"{code[1]}{text[code.end() :]}" if code else text


def has_bracket_behind(text: str) -> bool:
    """Return whether a few digits in brackets follow a number: they are a note, or an extension.

    >>> has_bracket_behind("+49 30 231250 (12)"), has_bracket_behind("(030) 231250")
    (True, False)
    """
    if not text.endswith((")", "]")):
        return False
    return bool(_BRACKET_BEHIND.search(text[-_LONGEST_BRACKET:])) and has_usual_characters(text)


def plain_simple_number(text: str) -> str | None:
    """Return ``plain_number`` of a simply punctuated text that starts with ``+`` or a zero, else None."""
    if not _SIMPLE.fullmatch(text):
        return None
    # The translation of bytes is much faster than that of text.
    return text.encode().translate(None, _SIMPLE_PUNCTUATION).decode()


def has_usual_characters(text: str) -> bool:
    """Return whether a text holds only digits and usual punctuation, so that it is one number if any."""
    return bool(_USUAL_CHARACTERS.fullmatch(text))


def has_digit(text: str) -> bool:
    """Return whether a text has a digit of any script."""
    return bool(_DIGIT.search(text))


def has_extension(text: str) -> bool:
    """Return whether a number is followed by an extension, which cannot be dialled from outside.

    >>> has_extension("+1 202 555 0101 ext. 5"), has_extension("+1 202 555 0101")
    (True, False)
    """
    end = text[-_LONGEST_EXTENSION:]
    return any(found.end() == len(end) for found in _EXTENSION.finditer(end))


def numbers_of_cell(text: str) -> list[str]:
    """Return the texts between the separators of an unwrapped cell; one if it has none.

    >>> numbers_of_cell("+41 79 000 00 01 ::: +41 79 000 00 02")
    ['+41 79 000 00 01', '+41 79 000 00 02']
    >>> numbers_of_cell("030/123456")
    ['030/123456']
    """
    if not (";" in text or "/" in text or BETWEEN_CONTACTS in text) or (
        _AREA_CODE.fullmatch(_without_slash_of_code(text))
    ):
        return [text]
    numbers = [number.strip() for number in _BETWEEN_NUMBERS.split(text, _MAX_NUMBERS)]
    return [number for number in numbers if number] or [text]


def without_list_number(text: str) -> str:
    """Return an unwrapped text without the number of its line, such as ``2)``.

    >>> without_list_number("2) 0176 04069000")
    '0176 04069000'
    """
    item = _LIST_NUMBER.match(text)
    return text[item.end() :] if item else text


def behind_leading_digits(text: str) -> tuple[str, bool] | None:
    """Return what follows digits that may be the number of the line, and whether they look like one.

    >>> behind_leading_digits("2. 0176 04069000"), behind_leading_digits("44 020 79460000")
    (('0176 04069000', True), ('020 79460000', False))

    Returns:
        None if the text starts with a phone number.
    """
    like = _LIKE_LIST_NUMBER.match(text)
    digits = like or _LEADING_DIGITS.match(text)
    if not digits:
        return None
    rest = text[digits.end() :]
    return rest, bool(like) or rest.startswith("+")
