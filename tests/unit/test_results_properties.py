"""What holds for the results of every upload and every export."""

import csv
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.exports.verdicts import verdict_of
from numberdrop.files.formats import partitioning as partitions
from numberdrop.files.formats.escaping import escaped
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.uploads import encoding as text_encoding
from tests.support.results import Written, results_of

FEW_NUMBERS = [f"+4179000000{last}" for last in range(8)]
NONE = "no number"

entries = st.sampled_from(FEW_NUMBERS)
words = st.sampled_from(["yes", "no", "ban", "", "=1", 'a "quoted", one'])
cells = st.text(st.sampled_from("ab1,;\"'=+-@ \n"), max_size=6)

FORMS = [str, lambda entry: entry[1:], lambda entry: f"00{entry[1:]}", lambda entry: f"'{entry}"]


@dataclass(frozen=True)
class Row:
    """A row of an export: a number in some form, and what is said of it."""

    entry: str
    number: str
    word: str


export_rows = st.lists(
    st.builds(lambda entry, form, word: Row(entry, form(entry), word), entries, st.sampled_from(FORMS), words)
)


@pytest.fixture(scope="module")
def export_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports") / "export.csv"


def write_export(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "band"])
        writer.writerows([row.number, row.word] for row in rows)


def answers_in(rows: list[Row]) -> dict[str, str]:
    """The naive join: a dict, in which the first row of a number counts."""
    return {row.entry: row.word for row in reversed(rows)}


def told_of(entry: str, answers: dict[str, str]) -> list[str]:
    """What results add for an entry."""
    if entry == NONE:
        return ["", "rejected", "", ""]
    if entry not in answers:
        return [entry, "unresolved", "", ""]
    return [entry, "resolved", verdict_of(answers[entry], "band"), escaped(answers[entry])]


def is_of_another_task(rows: list[Row], submitted: set[str]) -> bool:
    return bool(rows) and submitted.isdisjoint(row.entry for row in rows)


def check_counts(written: Written, rows: list[Row], submitted: set[str]) -> None:
    answers = answers_in(rows)
    counts = written.counts
    assert counts.resolved + counts.unresolved == len(submitted)
    assert counts.resolved == len(submitted & answers.keys())
    assert counts.extra == len(answers.keys() - submitted)
    assert counts.doubled == len(rows) - len(answers)
    assert sum(counts.verdicts.values()) == counts.resolved
    assert sum(sum(country.values()) for country in counts.countries.values()) == len(submitted)


@given(
    first=entries,
    others=st.lists(entries | st.sampled_from(["", NONE])),
    rows=export_rows,
    held=st.sampled_from([1, 1_000_000]),
)
def test_every_line_of_a_list_has_its_row_and_all_agree_with_a_naive_join(
    export_path: Path, first: str, others: list[str], rows: list[Row], held: int
) -> None:
    lines = [first, *others]
    upload = "".join(f"{line}\n" for line in lines)
    write_export(export_path, rows)
    if is_of_another_task(rows, set(lines)):
        with pytest.raises(InvalidFileError):
            results_of(upload, export_path)
        return

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "_MAX_BUFFERED", held)
        patch.setattr(partitions, "_BLOCK", held)
        patch.setattr(text_encoding, "BLOCK", held)
        written = results_of(upload, export_path)

    answers = answers_in(rows)
    assert written.rows == [
        [str(place), *told_of(line, answers)] for place, line in enumerate(lines, 1) if line
    ]
    check_counts(written, rows, set(lines) - {"", NONE})


@given(
    table=st.lists(st.tuples(cells, entries | st.just(NONE), cells), min_size=1).filter(
        lambda table: any(row[1] != NONE for row in table)
    ),
    rows=export_rows,
)
def test_every_row_of_a_table_stays_as_it_is_and_all_agree_with_a_naive_join(
    export_path: Path, table: list[tuple[str, str, str]], rows: list[Row]
) -> None:
    write_export(export_path, rows)
    upload = StringIO(newline="")
    csv.writer(upload).writerows([("a", "phone", "b"), *table])
    if is_of_another_task(rows, {entry for _, entry, _ in table}):
        with pytest.raises(InvalidFileError):
            results_of(upload.getvalue(), export_path)
        return

    written = results_of(upload.getvalue(), export_path)

    answers = answers_in(rows)
    assert written.header == ["a", "phone", "b", "number", "status", "verdict", "band"]
    assert written.rows == [[*map(escaped, row), *told_of(row[1], answers)] for row in table]
    check_counts(written, rows, {entry for _, entry, _ in table} - {NONE})
