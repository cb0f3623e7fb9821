"""Names of files: one Unicode form, and a length that leaves room for the name of the results' folder."""

import os
from pathlib import Path
from unicodedata import normalize

USUAL_NAME_BYTES = 255
"""The longest file name in bytes on most file systems, for systems that do not report theirs."""

RESULTS_ENDING = ".results"
"""The folder of a file's results has the name of the file with this ending."""


def composed(name: str) -> str:
    r"""Return a name in Unicode's composed form (Unicode Standard Annex 15, "NFC").

    Some systems write an accented letter as two characters. Both forms look the same, but would be two keys,
    and a file sent under both would be charged twice.

    >>> composed("cafe\N{COMBINING ACUTE ACCENT}.txt") == "caf\N{LATIN SMALL LETTER E WITH ACUTE}.txt"
    True
    """
    return normalize("NFC", name)


def longest_name(folder: Path) -> int:
    """Return how many bytes a file's name may have so that the folder can hold a folder of its results.

    >>> longest_name(Path("/no/such/folder"))
    247
    """
    try:
        limit = os.pathconf(folder, "PC_NAME_MAX")
    except (OSError, AttributeError):  # no such folder, or not a Unix system
        limit = USUAL_NAME_BYTES
    return limit - len(RESULTS_ENDING)
