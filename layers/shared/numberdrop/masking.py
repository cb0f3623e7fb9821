"""Takes numbers and links out of other people's words before they reach a log, an event or the ledger."""

import re

_LINK = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_LONG_DIGITS = re.compile(r"\+?[0-9](?:[\s().\-/]*[0-9]){5,}")
_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_LONGEST = 300
_LONGEST_READ = 4000
"""Characters that are looked at: the patterns take time that grows with the square of a long word."""


def masked(words: str) -> str:
    """The words on one line, at most 300 characters, without what could identify somebody.

    Links, e-mail addresses and runs of six or more digits, also with separators between them, are replaced.
    """
    line = " ".join(words[:_LONGEST_READ].split())
    line = _LINK.sub("[link]", line)
    line = _ADDRESS.sub("[address]", line)
    return _LONG_DIGITS.sub("[digits]", line)[:_LONGEST]
