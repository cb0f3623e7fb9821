"""Removes phone numbers, e-mail addresses, links and secrets from text before people or logs see it.

This is the only masking rule; the functions and the command line share it. It reads a text as people do: a
digit of any script is a digit, full-width letters are letters, and invisible characters do not exist. It also
reads what percent-encoding, backslashes, character references and tags mean. What is not masked comes out as
it was written.

Six digits or more are a number, whatever stands between them except letters. Two notations are exceptions,
because people need them and phone numbers are not written like that: dates (ISO 8601; the separator may also
be a slash, a dot or an underscore) with or without a time, and counts of seven or eight digits with commas.
"""

import json
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from itertools import takewhile
from urllib.parse import unquote

Span = tuple[int, int]
"""Start and end of a part of a text."""

Finder = Callable[[str], Iterable[Span]]
"""Finds parts of a text in its plain form."""

_LINK = re.compile(r"(?<![a-z0-9+.-])[a-z0-9+.-]*+://\S+", re.IGNORECASE)
_ADDRESS = re.compile(r"(?<![^\s@<>\"'])[^\s@<>\"']+?(?:@|%(?:25)*40)[^\s<>\"']+")
_NUMBER = re.compile(r"\+?[0-9](?:[\W_]*[0-9])*")
_DATE_OR_COUNT = re.compile(
    r"""
    (?<![0-9+])
    (?:
        (?:19|20)[0-9]{2}([-/_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])  # a date
        (?:
            [T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?  # its time
            (?:Z|[+-][0-9]{2}:[0-9]{2})?
        |   [T-](?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9])?Z?
        |   [-/_.][0-9]{1,2}  # or the number of a part
        )?
    |   [0-9]{1,2}(?:,[0-9]{3}){2}  # a count
    )
    (?![0-9])
    """,
    re.VERBOSE,
)

_TOKEN = re.compile(r"[A-Za-z0-9_+/=.~-]{16,}")
_WORDS = re.compile(r"[_/.+=~-]*(?:(?:[A-Z]?[a-z]{1,14}|[A-Z]{1,15}|(?:[A-Z][a-z]{2,14})+)(?:[_/.+=~-]+|$))+")
"""Words of at most fifteen letters, joined by punctuation or by capitals: an error code, not a token."""

_ESCAPE = re.compile(
    r"""
    (?P<percent> (?:%[0-9a-f]{2})+ )
|   (?P<reference> &(?:\#[0-9]{1,7}|\#x[0-9a-f]{1,6}|[a-z]{2,8});? )
|   (?P<unicode> (?:\\u[0-9a-f]{4})+ )
|   (?P<bytes> (?:\\x[0-9a-f]{2})+ )
|   \\(?P<space> [abfnrtv0] )
|   \\(?P<itself> [\\"'/] )
|   (?P<tag> </?[a-z][^<>]{0,100}> )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MAX_ESCAPES = 3
"""How many times a text may have been escaped."""

_MIN_DIGITS = 6
_MIN_PART_OF_SECRET = 4
_MIN_MIDDLE_OF_SECRET = 8

_MAX_LENGTH = 300
_MAX_READ = 4000
"""Characters to read of a text from outside, which may be as long as an answer."""

_INVISIBLE_LETTERS = "\u115f\u1160\u3164\uffa0"
"""The Hangul fillers (Unicode, property Default_Ignorable_Code_Point)."""


def masked(text: str) -> str:
    """Return the text on one line of at most 300 characters, without anything that identifies a person.

    Use it for text from outside that goes to a log, an event or the ledger. Format characters are dropped.
    Halves of surrogate pairs are replaced, because they cannot be encoded.

    >>> masked("No account for +41 79 000 00 01, see https://example.com/7")
    'No account for [digits], see [link]'
    """
    line = " ".join("".join(map(_encodable, text[:_MAX_READ])).split())
    line = _replaced(line, _links, "[link]")
    return without_personal_data(line)[:_MAX_LENGTH]


def without_personal_data(text: str) -> str:
    """Return the text with phone numbers and e-mail addresses replaced, and otherwise unchanged.

    >>> without_personal_data("band/2026-03-04/+41790000001.txt")
    'band/2026-03-04/[digits].txt'
    """
    text = _replaced(text, _addresses, "[address]")
    return _replaced(text, _numbers, "[digits]")


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the given secrets and without anything else that looks like a token.

    A secret is also removed in part: four characters or more from its start or its end, and eight or more
    from its middle. The latter may be broken up by anything but letters and digits, and may be encoded in
    base64 or hexadecimal. A token is a run of 16 characters or more that does not consist of words.

    >>> without_secrets("ek_live_77***abcd is wrong: invalid_api_key_error", ["ek_live_7777abcd"])
    '[secret]***[secret] is wrong: invalid_api_key_error'

    Args:
        text: text from someone who knows the secrets.
        secrets: the secrets; empty ones are ignored.
    """
    finders: list[Finder] = [_tokens]
    for secret in filter(None, secrets):
        # The text is read with its escape sequences resolved, so the secret must be too.
        readings = {view.text for view in _views(secret)}
        finders += [*map(_parts_of, readings), *map(_pieces_of, _spellings(secret))]
    return _replaced(
        text[:_MAX_READ], lambda plain: (span for find in finders for span in find(plain)), "[secret]"
    )


def _replaced(text: str, find: Finder, replacement: str) -> str:
    """Replace the parts of a text that are found in any of its views."""
    found = (view.origin(span) for view in _views(text) for span in find(view.text))
    parts = []
    done = 0
    for start, end in _merged(found):
        parts += [text[done:start], replacement]
        done = end
    return "".join([*parts, text[done:]])


@dataclass(frozen=True, slots=True)
class _View:
    """A text as somebody may read it.

    Attributes:
        text: what is read.
        origins: for each of its characters, the part of the original text.
    """

    text: str
    origins: Sequence[Span]

    def origin(self, span: Span) -> Span:
        """Return the part of the original text in which a part of this text is."""
        return self.origins[span[0]][0], self.origins[span[1] - 1][1]

    def plain(self) -> "_View":
        """Return the text with plain letters and digits, and without invisible characters."""
        if self.text.isascii():
            return self
        return self._joined((_plain_letters(letter), (i, i + 1)) for i, letter in enumerate(self.text))

    def unescaped(self) -> "_View":
        """Return the text with the characters that its escape sequences mean."""
        return self._joined(_unescaped_parts(self.text))

    def _joined(self, parts: Iterable[tuple[str, Span]]) -> "_View":
        pairs = [(letter, self.origin(span)) for letters, span in parts for letter in letters]
        return _View("".join(letter for letter, _ in pairs), [origin for _, origin in pairs])


def _views(text: str) -> Iterator[_View]:
    """Yield the text as people read it, and as they read it once escape sequences are resolved."""
    view = _View(text, [(index, index + 1) for index in range(len(text))])
    yield view.plain()
    for _ in range(_MAX_ESCAPES):
        if not _ESCAPE.search(view.text):
            return
        view = view.unescaped()
        yield view.plain()


def _unescaped_parts(text: str) -> Iterator[tuple[str, Span]]:
    """Yield the characters of a text, and for each escape sequence those that it means."""
    done = 0
    for match in _ESCAPE.finditer(text):
        yield from ((text[index], (index, index + 1)) for index in range(done, match.start()))
        yield _unescaped(match), match.span()
        done = match.end()
    yield from ((text[index], (index, index + 1)) for index in range(done, len(text)))


def _unescaped(match: re.Match[str]) -> str:
    sequence = match.group()
    match match.lastgroup:
        case "percent":
            return unquote(sequence)
        case "reference":
            return unescape(sequence)
        case "unicode":
            return str(json.loads(f'"{sequence.lower()}"'))
        case "bytes":
            return bytes.fromhex(sequence.lower().replace("\\x", "")).decode(errors="replace")
        case "itself":
            return sequence[1:]
        case _:  # a space or a tag
            return " "


@lru_cache(4096)
def _plain_letters(original: str) -> str:
    """Return what people see in a character: ASCII digits for digits, nothing for marks and format."""
    plain = "".join(map(_plain_letter, unicodedata.normalize("NFKC", original)))
    # Symbols that contain letters, such as TM or No, separate digits like any other symbol.
    return (
        "".join("-" if c.isalpha() else c for c in plain) if unicodedata.category(original) == "So" else plain
    )


def _plain_letter(letter: str) -> str:
    category = unicodedata.category(letter)
    if category in {"Cf", "Mn", "Me"} or letter in _INVISIBLE_LETTERS:
        return ""
    value = unicodedata.numeric(letter, -1)
    if value in range(10):
        return str(int(value))
    # Modifier letters include the long vowel mark, which Japanese writers use as a dash.
    return "-" if category == "Lm" else letter


def _encodable(character: str) -> str:
    match unicodedata.category(character):
        case "Cf":
            return ""
        case "Cs":
            return "\N{REPLACEMENT CHARACTER}"
        case _:
            return character


def _links(plain: str) -> Iterator[Span]:
    return (match.span() for match in _LINK.finditer(plain))


def _addresses(plain: str) -> Iterator[Span]:
    return (match.span() for match in _ADDRESS.finditer(plain))


def _tokens(plain: str) -> Iterator[Span]:
    for match in _TOKEN.finditer(plain):
        token = match.group()
        if any(map(str.isalpha, token)) and not _WORDS.fullmatch(token):
            yield match.span()


def _numbers(plain: str) -> Iterator[Span]:
    """Find the runs of digits that are long enough for a number.

    A date or count is kept, unless other digits beside it may continue it: fewer than a number of their own.
    """
    without_exceptions = _DATE_OR_COUNT.sub(lambda match: "\0" * len(match.group()), plain)
    for run in _NUMBER.finditer(plain):
        rest = _NUMBER.search(without_exceptions, *run.span())
        if run.group().startswith("+") or (rest and _digits(rest) < _MIN_DIGITS):
            rest = run
        if rest and _digits(rest) >= _MIN_DIGITS:
            yield rest.span()


def _digits(match: re.Match[str]) -> int:
    return sum(map(str.isdigit, match.group()))


def _parts_of(secret: str) -> Finder:
    """Return a function that finds a secret, its starts and its ends, in any case."""
    whole = _lower(_plain(secret))
    size = _MIN_PART_OF_SECRET

    def find(plain: str) -> Iterator[Span]:
        text = _lower(plain)
        if len(whole) < size:
            yield from (match.span() for match in re.finditer(rf"(?<!\w){re.escape(whole)}(?!\w)", text))
            return
        yield from (
            (start, start + _common_length(text[start:], whole)) for start in _occurrences(text, whole[:size])
        )
        yield from (
            (start + size - _common_length(text[start + size - 1 :: -1], whole[::-1]), start + size)
            for start in _occurrences(text, whole[-size:])
        )

    return find


def _pieces_of(secret: str) -> Finder:
    """Return a function that finds pieces of a secret, in any case and whatever stands in between."""
    whole = "".join(filter(str.isalnum, _lower(_plain(secret))))
    size = _MIN_MIDDLE_OF_SECRET
    pieces = {whole[start : start + size] for start in range(len(whole) - size + 1)}

    def find(plain: str) -> Iterator[Span]:
        places = [index for index, letter in enumerate(plain) if letter.isalnum()]
        text = _lower("".join(plain[index] for index in places))
        for start in range(len(text) - size + 1):
            if text[start : start + size] in pieces:
                yield places[start], places[start + size - 1] + 1

    return find


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret, and what programs write for it. Its URL-safe base64 has the same letters and digits."""
    encoded = secret.encode(errors="replace")
    yield from (secret, encoded.hex(), b64encode(encoded).decode().rstrip("="))


def _plain(text: str) -> str:
    return next(_views(text)).text


def _lower(text: str) -> str:
    """Return the text in lower case and of the same length."""
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


def _occurrences(text: str, part: str) -> Iterator[int]:
    """Yield where a part is in the text, overlapping ones too."""
    return (match.start() for match in re.finditer(f"(?={re.escape(part)})", text))


def _common_length(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their start."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans in order, those that touch or overlap as one."""
    start = end = -1
    for next_start, next_end in sorted(spans):
        if next_start > end:
            if end > start:
                yield start, end
            start = next_start
        end = max(end, next_end)
    if end > start:
        yield start, end
