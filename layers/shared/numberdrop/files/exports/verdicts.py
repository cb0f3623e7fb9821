"""Find the column that carries the verdicts, and translate the vendor's words into verdicts."""

from collections.abc import Sequence

from numberdrop.jobs.checkers import checkers

YES = "yes"
NO = "no"
UNKNOWN = "unknown"

VERDICTS = (YES, NO, UNKNOWN)
"""All verdicts. ``results.csv`` keeps the vendor's own word next to the verdict."""

_WORDS = {
    YES: ("yes", "y", "true", "active", "activated", "registered", "valid", "exists", "exist", "是"),
    NO: (
        *("no", "n", "否", "false", "inactive", "unactivated", "unregistered", "invalid"),
        *("not active", "not activated", "not registered", "not valid", "not exist", "not exists"),
    ),
}

_VERDICTS_BY_WORD = {word: verdict for verdict, words in _WORDS.items() for word in words}

_VERDICTS_BY_DIGIT = {"1": YES, "0": NO}
"""Used only in columns with a known name: elsewhere a digit may be a count."""

VERDICT_COLUMNS = (
    *("activated", "registered", "whatsapp", "telegram", "facebook", "instagram", "netflix"),
    *checkers(),
    *("verdict", "result", "status", "valid", "active", "activestatus"),
)
"""Known names of the verdict column, from the vendor's pages; an earlier one takes precedence."""

_QUANTITIES = {"days", "day", "hours", "age", "date", "time", "count"}
"""Words in the names of columns that hold an amount or a time, such as ``telegram_days``."""


def verdict_of(word: str, column: str) -> str:
    """Return the verdict that the vendor's word stands for: one of ``VERDICTS``.

    Every word that is neither a yes nor a no is ``unknown``: ``N/A``, ``ban``, an empty cell.

    >>> verdict_of("Not Registered", "telegram"), verdict_of("ban", "whatsapp")
    ('no', 'unknown')

    Args:
        word: the cell in the verdict column.
        column: the name of that column.
    """
    verdicts = _VERDICTS_BY_WORD
    if column in VERDICT_COLUMNS:
        verdicts = verdicts | _VERDICTS_BY_DIGIT
    return verdicts.get(" ".join(word.lower().replace("_", " ").split()), UNKNOWN)


def verdict_column(columns: Sequence[str]) -> str | None:
    """Return the column that carries the verdict, or None.

    That is a column with a known name, or else the only column, unless its name stands for a quantity.

    Args:
        columns: names of the columns other than the number: lower case, words joined by ``_``.
    """
    named = next((name for name in VERDICT_COLUMNS if name in columns), None)
    if named or len(columns) != 1:
        return named
    return None if _QUANTITIES.intersection(columns[0].split("_")) else columns[0]
