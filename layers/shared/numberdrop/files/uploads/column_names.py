"""Find a column that the user chose, by its header or its letter."""

import re
from collections.abc import Sequence

from numberdrop.files.uploads.headers import name_key

_LETTERS = 26


def column_named(choice: str, names: Sequence[str]) -> int | None:
    """Return the index of the only column with the chosen header, whatever its case and punctuation, or None.

    >>> column_named("phone", ["Name", "Phone", "Fax"])
    1
    """
    for key in (str, str.casefold, name_key):
        wanted = key(choice.strip())
        found = [index for index, name in enumerate(names) if wanted and key(name.strip()) == wanted]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def column_of_letter(choice: str, width: int) -> int | None:
    """Return the index of the column with the chosen letter, or with a made-up name; None if it is too far.

    >>> column_of_letter("c", 3), column_of_letter("column_2", 3), column_of_letter("AB", 3)
    (2, 1, None)
    """
    made_up = re.fullmatch(r"column_([1-9][0-9]{0,3})", choice.strip())
    letters = choice.strip().upper()
    if made_up:
        number = int(made_up[1])
    elif re.fullmatch(r"[A-Z]{1,3}", letters):
        number = 0
        for letter in letters:
            number = number * _LETTERS + ord(letter) - ord("A") + 1
    else:
        return None
    return number - 1 if number <= width else None


def letter_of(index: int) -> str:
    """Return the letter of a column, as spreadsheets name it.

    >>> letter_of(2), letter_of(27)
    ('C', 'AB')
    """
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, _LETTERS)
        letters = chr(ord("A") + rest) + letters
    return letters
