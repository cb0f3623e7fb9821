"""Verdicts: which column of an export carries them, and what the vendor's words for them mean."""

from collections.abc import Sequence

from numberdrop.catalogue import checkers

YES = "yes"
NO = "no"
UNKNOWN = "unknown"

VERDICTS = (YES, NO, UNKNOWN)
"""What a verdict can be; ``results.csv`` has the vendor's own word beside it."""

_WORDS = {
    YES: ("yes", "y", "true", "1", "active", "activated", "registered", "valid", "exists", "exist"),
    NO: (
        *("no", "n", "false", "0", "inactive", "unactivated", "unregistered", "invalid"),
        *("not active", "not activated", "not registered", "not valid", "not exist", "not exists"),
    ),
}

_MEANINGS = {word: verdict for verdict, words in _WORDS.items() for word in words}

_COLUMNS = (
    *("activated", "registered", "whatsapp", "telegram", "facebook", "instagram", "netflix"),
    *checkers(),
    *("verdict", "result", "status", "valid", "active", "activestatus"),
)
"""Names of the column that carries the verdict, from the vendor's pages; an earlier one goes first."""


def verdict_of(word: str) -> str:
    """What the vendor's word means: one of ``VERDICTS``.

    Unknown are ``unknown``, ``N/A``, an empty cell, and any word that is neither a yes nor a no, as ``ban``.
    """
    return _MEANINGS.get(" ".join(word.lower().replace("_", " ").split()), UNKNOWN)


def verdict_column(columns: Sequence[str]) -> str | None:
    """The one of an export's columns besides the number that carries the verdict, None when there is none.

    It is known by its name, in lower case with words joined by ``_``, or by being the only one.
    """
    named = next((name for name in _COLUMNS if name in columns), None)
    return named or (columns[0] if len(columns) == 1 else None)
