"""Removes phone numbers, e-mail addresses and links from text before people or logs see it."""

import re

_LINK = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")

_ANY_NUMBER = re.compile(r"\+?[0-9](?:[\s().\-/]*[0-9]){5,}")
"""Six digits or more, with or without separators: phone numbers, but dates as well."""

_NO_DATE = re.compile(r"\+[0-9](?:[ ().-]*[0-9]){6,}|[0-9]{9,}")
"""Seven digits or more after a ``+``, or nine in a row: phone numbers, but no dates."""

_MAX_LENGTH = 300
_MAX_READ = 4000
"""Characters to read: the patterns take quadratic time on a long word."""


def masked(text: str) -> str:
    """Return the text on one line of at most 300 characters, without anything that identifies a person.

    Use it for text from outside that goes to a log, an event or the ledger. Dates are masked too.

    >>> masked("No account for +41 79 000 00 01, see https://example.com/7")
    'No account for [digits], see [link]'
    """
    line = " ".join(text[:_MAX_READ].split())
    line = _LINK.sub("[link]", line)
    line = _ADDRESS.sub("[address]", line)
    return without_numbers(line, keep_dates=False)[:_MAX_LENGTH]


def without_numbers(text: str, *, keep_dates: bool = True) -> str:
    """Return the text with everything that may be a phone number replaced.

    By default dates and counts stay, so that people recognise the names of their files. A number without a
    ``+`` is then masked only if it has nine consecutive digits.

    >>> without_numbers("band/2026-03-04/+41790000001.txt")
    'band/2026-03-04/[digits].txt'
    """
    return (_NO_DATE if keep_dates else _ANY_NUMBER).sub("[digits]", text)
