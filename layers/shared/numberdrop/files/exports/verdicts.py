"""Verdicts: which column of an export carries them, and what the vendor's words for them mean."""

from collections.abc import Sequence

from numberdrop.jobs.checkers import checkers

YES = "yes"
NO = "no"
UNKNOWN = "unknown"

VERDICTS = (YES, NO, UNKNOWN)
"""What a verdict can be; ``results.csv`` has the vendor's own word beside it."""

_WORDS = {
    YES: ("yes", "y", "true", "active", "activated", "registered", "valid", "exists", "exist", "是"),
    NO: (
        *("no", "n", "否", "false", "inactive", "unactivated", "unregistered", "invalid"),
        *("not active", "not activated", "not registered", "not valid", "not exist", "not exists"),
    ),
}

_MEANINGS = {word: verdict for verdict, words in _WORDS.items() for word in words}

_MEANINGS_OF_DIGITS = {"1": YES, "0": NO}
"""Only in a column of a known name: elsewhere a digit may count anything."""

VERDICT_COLUMNS = (
    *("activated", "registered", "whatsapp", "telegram", "facebook", "instagram", "netflix"),
    *checkers(),
    *("verdict", "result", "status", "valid", "active", "activestatus"),
)
"""Names of the column that carries the verdict, from the vendor's pages; an earlier one goes first."""

_QUANTITIES = {"days", "day", "hours", "age", "date", "time", "count"}
"""Words in the names of columns that tell how much or when, such as ``telegram_days``."""


def verdict_of(word: str, column: str) -> str:
    """What the vendor's word means in the column that carries the verdict: one of ``VERDICTS``.

    Unknown are ``unknown``, ``N/A``, an empty cell, and any word that is neither a yes nor a no, as ``ban``.
    """
    meanings = _MEANINGS | _MEANINGS_OF_DIGITS if column in VERDICT_COLUMNS else _MEANINGS
    return meanings.get(" ".join(word.lower().replace("_", " ").split()), UNKNOWN)


def verdict_column(columns: Sequence[str]) -> str | None:
    """The one of an export's columns besides the number that carries the verdict, None when there is none.

    It is known by its name, in lower case with words joined by ``_``, or by being the only one, unless that
    tells a quantity.
    """
    named = next((name for name in VERDICT_COLUMNS if name in columns), None)
    if named or len(columns) != 1:
        return named
    return None if _QUANTITIES.intersection(columns[0].split("_")) else columns[0]
