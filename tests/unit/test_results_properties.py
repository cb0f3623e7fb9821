"""Properties that the results of every upload and every export have."""

import csv
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.exports.verdicts import verdict_of
from numberdrop.files.formats import partitioning
from numberdrop.files.formats.escaping import escaped
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.uploads import text as upload_text
from tests.support.results import Written, results_of

FEW_NUMBERS = [f"+4179000000{last}" for last in range(8)]
NOT_A_NUMBER = "no number"

entries = st.sampled_from(FEW_NUMBERS)
vendor_words = st.sampled_from(["yes", "no", "ban", "", "=1", 'a "quoted", one'])
cells = st.text(st.sampled_from("ab1,;\"'=+-@ \n"), max_size=6)

FORMS = [str, lambda entry: entry[1:], lambda entry: f"00{entry[1:]}", lambda entry: f"'{entry}"]


@dataclass(frozen=True)
class Row:
    """A row of an export: an entry, the form in which the export has it, and the vendor's word."""

    entry: str
    number: str
    word: str


export_rows = st.lists(
    st.builds(
        lambda entry, form, word: Row(entry, form(entry), word), entries, st.sampled_from(FORMS), vendor_words
    )
)


@pytest.fixture(scope="module")
def export_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports") / "export.csv"


def write_export(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "band"])
        writer.writerows([row.number, row.word] for row in rows)


def words_by_entry(rows: list[Row]) -> dict[str, str]:
    """Return the naive join: a dict in which the first row of a number counts."""
    return {row.entry: row.word for row in reversed(rows)}


def added_cells(entry: str, words: dict[str, str]) -> list[str]:
    """Return the cells that results add for an entry."""
    if entry == NOT_A_NUMBER:
        return ["", "rejected", "", ""]
    if entry not in words:
        return [entry, "unresolved", "", ""]
    return [entry, "resolved", verdict_of(words[entry]), escaped(words[entry])]


def matches_nothing(rows: list[Row], submitted: set[str]) -> bool:
    return bool(rows) and submitted.isdisjoint(row.entry for row in rows)


def check_counts(written: Written, rows: list[Row], submitted: set[str]) -> None:
    words = words_by_entry(rows)
    counts = written.counts
    assert counts.resolved + counts.unresolved == len(submitted)
    assert counts.resolved == len(submitted & words.keys())
    assert counts.extra == len(words.keys() - submitted)
    assert counts.doubled == len(rows) - len(words)
    assert sum(counts.verdicts.values()) == counts.resolved
    assert sum(sum(country.values()) for country in counts.countries.values()) == len(submitted)


@given(
    first=entries,
    others=st.lists(entries | st.sampled_from(["", NOT_A_NUMBER])),
    rows=export_rows,
    held=st.sampled_from([1, 1_000_000]),
)
def test_results_of_any_list_agree_with_a_naive_join(
    export_path: Path, first: str, others: list[str], rows: list[Row], held: int
) -> None:
    lines = [first, *others]
    upload = "".join(f"{line}\n" for line in lines)
    write_export(export_path, rows)
    if matches_nothing(rows, set(lines)):
        with pytest.raises(InvalidFileError):
            results_of(upload, export_path)
        return

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitioning, "_MAX_BUFFERED", held)
        patch.setattr(partitioning, "_BLOCK", held)
        patch.setattr(upload_text, "BLOCK", held)
        written = results_of(upload, export_path)

    words = words_by_entry(rows)
    assert written.rows == [
        [str(position), *added_cells(line, words)] for position, line in enumerate(lines, 1) if line
    ]
    check_counts(written, rows, set(lines) - {"", NOT_A_NUMBER})


@pytest.mark.slow
@given(
    table=st.lists(st.tuples(cells, entries | st.just(NOT_A_NUMBER), cells), min_size=1).filter(
        lambda table: any(row[1] != NOT_A_NUMBER for row in table)
    ),
    rows=export_rows,
)
def test_results_of_any_table_agree_with_a_naive_join(
    export_path: Path, table: list[tuple[str, str, str]], rows: list[Row]
) -> None:
    write_export(export_path, rows)
    upload = StringIO(newline="")
    csv.writer(upload).writerows([("a", "phone", "b"), *table])
    if matches_nothing(rows, {entry for _, entry, _ in table}):
        with pytest.raises(InvalidFileError):
            results_of(upload.getvalue(), export_path)
        return

    written = results_of(upload.getvalue(), export_path)

    words = words_by_entry(rows)
    assert written.header == ["a", "phone", "b", "number", "status", "verdict", "band"]
    assert written.rows == [[*map(escaped, row), *added_cells(row[1], words)] for row in table]
    check_counts(written, rows, {entry for _, entry, _ in table} - {NOT_A_NUMBER})
