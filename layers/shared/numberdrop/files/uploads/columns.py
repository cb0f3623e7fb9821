"""Choose the column with the entries of a table by evidence: its header, and the shape of its filled cells.

Reading the wrong column sends other people's numbers, or ids that happen to be numbers of the region. So a
table without clear evidence is refused, with the names of the columns that it may be.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from numberdrop.files.uploads.column_names import letter_of
from numberdrop.files.uploads.entries import EntryRule
from numberdrop.files.uploads.errors import EntryRejectedError, choose_a_column, no_column
from numberdrop.files.uploads.headers import Header, Heading, header_of, name_key, tokens, words
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import JobFailedError

ReadCell = Callable[[Sequence[str], int], object]
"""Reads the entry in a cell of a row, and raises ``EntryRejectedError`` if there is none."""

_MAX_READ = 200
"""Most cells of a column that are read. Reading a national number can take 0.2 ms."""

_ENOUGH = 0.9
"""The share of cells that must be numbers where nothing but their digits says so."""

_CLEARLY_FULLER = 2
"""How many times as many numbers a column must hold to be preferred for that alone."""

_MIN_DIGITS = 3
"""Fewest digits of a text that ``phoneCheck`` may judge. Emergency numbers have three."""

_NEARLY_EMPTY = 4
"""A column with phone numbers that holds so many times fewer than another one may not be the one meant."""

_SEPARATORS = (
    r"\s+().\[\]/\-\u00a0\u00ad\u00b7\u2010-\u2015\u2212\uff0b\uff08\uff09\uff0d"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u2069'\""
)
_NUMBER_LIKE = re.compile(
    rf"(?:\w{{1,12}}:\s*)?(?:https?://)?(?:wa\.me/)?[{_SEPARATORS}=]*(?:\d[{_SEPARATORS}]*){{6,17}}"
    r"(?:@\S+|(?::::|[;/,|#]|x|ext).*)?",
    re.IGNORECASE,
)
_DATE_LIKE = re.compile(
    r"(?:(?:1[89]|20)[0-9]{2}([-./])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12][0-9]|3[01])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])([-./])(?:0?[1-9]|[12][0-9]|3[01])\2(?:(?:1[89]|20)?[0-9]{2}))"
    r"(?:[T ,].*)?"
)
_DIGITS_OF_A_NUMBER = re.compile(r"(?:[0-9]\W{0,3}){6}")
_EXAMPLE = re.compile(r"(?<=[^\W\d_])\s*[(\[].*")
_WITH_PLUS = re.compile(
    r"(?:\w{1,12}:\s*)?[=\s'\"(\[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[+\uff0b].*|https?://wa\.me/.*|.*@(?:c\.us|s\.whatsapp\.net)"
)
_WITH_TRUNK_ZERO = re.compile(r"[('\"\s]*0[\s)./-]*[1-9].*")
_IN_GROUPS = re.compile(r"\(?[0-9]{1,4}\)?(?:[ \u00a0.-][0-9]{2,4}){2,5}")
_WITHOUT_TRUNK_ZERO = re.compile(r"[1-9].*")
_IP_ADDRESS = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(?:\.(?!$)|$)){4}")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[ \u00a0.,'][0-9]{3})+")
_WITH_BRACKETS = re.compile(r"\s*\([0-9]{1,5}\)[\s/-]*[0-9].*")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def is_number_like(cell: str) -> bool:
    """Return whether a cell has the shape of a phone number in any spelling, whatever its digits.

    >>> is_number_like("p:+1 202-555-0101"), is_number_like("2024-01-31")
    (True, False)
    """
    text = cell.strip()
    return bool(_NUMBER_LIKE.fullmatch(text)) and not _DATE_LIKE.fullmatch(text)


def has_a_number(cell: str) -> bool:
    """Return whether a cell holds the digits of a number, apart from an example in brackets behind a word.

    >>> has_a_number("tel:+1-202-555-0101"), has_a_number("Phone (e.g. 12025550101)")
    (True, False)
    """
    return bool(_DIGITS_OF_A_NUMBER.search(_EXAMPLE.sub("", cell)))


def is_date_like(cell: str) -> bool:
    """Return whether a cell is a date, with or without a time.

    >>> is_date_like("2024-01-31 10:00"), is_date_like("70 10 10 00")
    (True, False)
    """
    return bool(_DATE_LIKE.fullmatch(cell.strip()))


def is_written_as_phone(cell: str) -> bool:
    """Return whether a cell is written as only phones are: with a plus, brackets, groups or a trunk zero.

    >>> is_written_as_phone("030 23125001"), is_written_as_phone("30010000")
    (True, False)
    """
    text = cell.strip()
    if not is_number_like(text):
        return False
    if _WITH_PLUS.fullmatch(text) or _WITH_BRACKETS.fullmatch(text) or _WITH_TRUNK_ZERO.fullmatch(text):
        return True
    return bool(_IN_GROUPS.fullmatch(text)) and not _THOUSANDS.fullmatch(text)


def has_plus(cell: str) -> bool:
    """Return whether a cell is a number with a plus, or another form that no id has."""
    text = cell.strip()
    return bool(_WITH_PLUS.fullmatch(text)) and is_number_like(text)


def is_address(cell: str) -> bool:
    """Return whether a cell is an e-mail address."""
    text = cell.strip()
    return bool(_ADDRESS.fullmatch(text)) and not _WITH_PLUS.fullmatch(text)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a sample of rows shows about a column.

    Attributes:
        index: the column's index.
        name: its header, or ``column_1`` and so on.
        header: the meaning of its header.
        filled: how many cells are not blank.
        numbers: how many cells look like phone numbers.
        valid: the share of filled cells that hold an entry.
        shaped: the share of filled cells that hold an entry and are written as only phone numbers are.
        with_plus: the share of filled cells that are numbers with a plus.
        addresses: the share of filled cells that are e-mail addresses.
    """

    index: int
    name: str
    header: Header
    filled: int
    numbers: int
    valid: float
    shaped: float
    with_plus: float
    addresses: float

    @property
    def is_phone_by_shape(self) -> bool:
        """Whether most cells are phone numbers by their shape, and the header does not say otherwise."""
        if self.header.is_fax:
            return False
        if self.header.heading is Heading.OTHER:
            return self.with_plus > 1 / 2 and self.valid > 1 / 2
        return self.shaped > 1 / 2


def choose_column(
    header: Sequence[str] | None,
    rows: Sequence[Sequence[str]],
    kind: InputKind,
    rule: EntryRule,
    *,
    read_cell: ReadCell | None = None,
    phones_only: bool = False,
) -> int | None:
    """Return the index of the column with the entries, or None if there is none.

    >>> from numberdrop.files.uploads.entries import entry_rule
    >>> rows = [["30010000", "030 23125001"], ["30010137", ""], ["30010274", ""]]
    >>> choose_column(["Kd.", "Telefon"], rows, InputKind.PHONE, entry_rule(InputKind.PHONE, "DE"))
    1

    Args:
        header: the names of the columns, or None if the table has no header.
        rows: rows below the header.
        kind: what the checker takes.
        rule: the rule for the entries.
        read_cell: reads a cell, if that needs other cells of the row. By default, ``rule`` reads it.
        phones_only: whether entries as written must be phone numbers.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: several columns may be the one.
    """
    read = read_cell or (lambda row, column: rule.read(row[column].strip()))
    width = max(len(header or ()), max(map(len, rows), default=0))
    columns = [_evidence(index, header, rows, read) for index in range(width)]
    if kind is InputKind.EMAIL:
        return _email_column(columns)
    chosen = _phone_column(columns, is_as_written=kind is InputKind.AS_WRITTEN)
    if chosen is None and kind is InputKind.AS_WRITTEN and not phones_only:
        return _column_of_other_entries(columns)
    return chosen


def candidates(columns: Sequence[Evidence]) -> list[str]:
    """Return the names of columns for a message, with the letters of those that share a name."""
    names = [column.name for column in columns]
    return [
        f"{column.name} (column {letter_of(column.index)})" if names.count(column.name) > 1 else column.name
        for column in columns
    ]


def _phone_column(columns: Sequence[Evidence], *, is_as_written: bool) -> int | None:
    named = [column for column in columns if column.header.heading is Heading.PHONE]
    shaped = [column for column in columns if column not in named and column.is_phone_by_shape]
    with_numbers = [column for column in named if column.numbers]
    if with_numbers:
        best = _preferred(with_numbers)
        rivals = [column for column in shaped if column.numbers > _NEARLY_EMPTY * best.numbers]
        if rivals:
            raise choose_a_column(candidates([best, *rivals]))
        return best.index
    if shaped:
        numbered = [column for column in shaped if column.header.heading is Heading.NUMBER]
        return _clearly_fullest(numbered or shaped).index
    if named:
        return _preferred(named).index
    counted = [column for column in columns if column.header.heading is Heading.NUMBER and column.filled]
    usable = [column for column in counted if column.valid >= _ENOUGH and not is_as_written]
    hopeless = [column for column in counted if not column.valid or is_as_written]
    for some in (usable, [column for column in hopeless if column.numbers > column.filled / 2]):
        if some:
            return _clearly_fullest(some).index
    weak = [
        column
        for column in columns
        if column.header.heading in {Heading.SILENT, Heading.NUMBER}
        and column.numbers > column.filled / 2
        and column.valid
    ]
    if weak and not is_as_written:
        raise choose_a_column(candidates(weak), are_weak=True)
    return None


def _preferred(named: Sequence[Evidence]) -> Evidence:
    """Return the clearly fullest of some columns with phone numbers, else the one whose header is preferred.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: neither decides.
    """
    most = max(column.numbers for column in named)
    full = [column for column in named if column.numbers * _CLEARLY_FULLER > most or not most]
    preference = max(column.header.preference for column in full)
    preferred = [column for column in full if column.header.preference == preference]
    if len(preferred) > 1 and len({name_key(re.sub("[0-9]", "", column.name)) for column in preferred}) == 1:
        # Address books number the phones of a person. Two tables side by side do not.
        first, second, *_ = sorted(preferred, key=lambda column: column.header.ordinal)
        if first.header.ordinal < second.header.ordinal:
            return first
    if len(preferred) > 1 and any(column.numbers for column in preferred):
        raise choose_a_column(candidates(preferred))
    return preferred[0]


def _clearly_fullest(columns: Sequence[Evidence]) -> Evidence:
    """Return the column that holds clearly more numbers than the others.

    Raises:
        JobFailedError: ``NO_VALID_NUMBERS``: several columns hold about as many.
    """
    most = max(column.numbers for column in columns)
    full = [column for column in columns if column.numbers * _CLEARLY_FULLER > most or not most]
    if len(full) > 1:
        raise choose_a_column(candidates(full))
    return full[0]


def _email_column(columns: Sequence[Evidence]) -> int | None:
    names = words("email")
    by_name = _first_named(columns, names)
    if by_name is not None:
        return by_name
    full = [column for column in columns if column.addresses > 1 / 2]
    parts = words("email parts")
    named = [column for column in full if any(part in "".join(tokens(column.name)) for part in parts)]
    for some in (named, full):
        if len(some) == 1:
            return some[0].index
    if full:
        raise choose_a_column(candidates(full), name="email")
    return None


def _column_of_other_entries(columns: Sequence[Evidence]) -> int | None:
    """Return the column of entries that are not phone numbers, for task types that are passed through."""
    by_name = _first_named(columns, [*words("email"), *words("user name")])
    if by_name is not None:
        return by_name
    full = [column for column in columns if column.addresses > 1 / 2]
    if len(full) > 1:
        raise choose_a_column(candidates(full))
    return full[0].index if full else None


def _first_named(columns: Sequence[Evidence], names: Sequence[str]) -> int | None:
    keys = {name_key(column.name): column.index for column in reversed(columns)}
    return next((keys[name] for name in names if name in keys), None)


def _evidence(
    index: int, header: Sequence[str] | None, rows: Sequence[Sequence[str]], read: ReadCell
) -> Evidence:
    name = header[index].strip() if header and index < len(header) else ""
    cells = [(row, row[index].strip()) for row in rows if index < len(row) and row[index].strip()]
    tried = cells[:_MAX_READ]
    valid = shaped = 0
    for row, cell in tried:
        if _DATE_LIKE.fullmatch(cell):
            continue
        try:
            entry = read(row, index)
        except EntryRejectedError:
            continue
        valid += 1
        shaped += is_written_as_phone(cell) and _has_phone_groups(cell, entry)
    total = max(len(tried), 1)
    return Evidence(
        index=index,
        name=name or f"column_{index + 1}",
        header=header_of(name),
        filled=len(cells),
        numbers=sum(is_number_like(cell) for _, cell in cells),
        valid=valid / total,
        shaped=shaped / total,
        with_plus=sum(has_plus(cell) for _, cell in tried) / total,
        addresses=sum(is_address(cell) for _, cell in tried) / total,
    )


def _has_phone_groups(cell: str, entry: object) -> bool:
    """Return whether a cell that shows to be a number only by its groups has those of phone numbers.

    Groups of equal length are usual too: ``612 345 678``. Ids and addresses of computers have others.
    """
    if not _WITHOUT_TRUNK_ZERO.fullmatch(cell):
        return True
    if _IP_ADDRESS.fullmatch(cell):
        return False
    groups = re.findall("[0-9]+", cell)
    if not isinstance(entry, str) or not entry.startswith("+") or len(set(map(len, groups))) == 1:
        return True
    # The library behind it is slow to import, and few uploads need it.
    from numberdrop.files.uploads.national_numbers import has_usual_groups  # noqa: PLC0415

    return has_usual_groups(cell, entry)


def of_phones(rule: EntryRule) -> EntryRule:
    """Return the rule of entries as written for a checker of phone numbers: other texts are rejected.

    >>> from numberdrop.files.uploads.entries import entry_rule
    >>> of_phones(entry_rule(InputKind.AS_WRITTEN)).read("(202) 555-0101, evenings")
    '(202) 555-0101, evenings'
    """
    return replace(rule, read=partial(_read_phone, rule.read))


def _read_phone(read: Callable[[str], str], text: str) -> str:
    digits = sum(letter.isdecimal() for letter in text)
    if digits < _MIN_DIGITS or is_address(text):
        raise EntryRejectedError("not a phone number: write one number")
    return read(text)


def no_entries(kind: InputKind, rule: EntryRule) -> JobFailedError:
    """Return the error for a table in which no column holds entries."""
    return no_column(rule.description, "email" if kind is InputKind.EMAIL else "phone")
