import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.catalogue import InputKind
from numberdrop.files.export import ExportInvalidError, read_export
from numberdrop.files.results import ResultCounts, write_results

FIRST = "+41790000001"
SECOND = "+41790000002"
THIRD = "+41790000003"

phone_numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)


@dataclass(frozen=True)
class Written:
    text: str
    counts: ResultCounts

    @property
    def rows(self) -> list[list[str]]:
        return list(csv.reader(io.StringIO(self.text, newline="")))


class Joined:
    """Submitted numbers and an export, joined."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "export.csv"

    def __call__(self, submitted: Sequence[str], export: str, kind: InputKind = InputKind.PHONE) -> Written:
        self.path.write_bytes(export.encode())
        numbers = io.BytesIO("".join(f"{number}\n" for number in submitted).encode())
        out = io.StringIO(newline="")
        with read_export(self.path) as opened:
            counts = write_results(numbers, opened, kind, out)
        return Written(out.getvalue(), counts)


@pytest.fixture
def joined(tmp_path: Path) -> Joined:
    return Joined(tmp_path)


def test_every_submitted_number_has_one_row_in_the_order_of_submission(joined: Joined) -> None:
    written = joined([SECOND, THIRD, FIRST], "Number,age,band\n41790000001,25,yes\n41790000002,,no\n")

    assert written.text == (
        "number,status,age,band\n"
        "+41790000002,resolved,,no\n"
        "+41790000003,unresolved,,\n"
        "+41790000001,resolved,25,yes\n"
    )
    assert written.counts == ResultCounts(
        resolved=2, unresolved=1, extra=0, doubled=0, verdicts={"no": 1, "yes": 1}
    )


@pytest.mark.parametrize(
    "number",
    ["+41790000001", "41790000001", "0041790000001", " +41 79 000-00-01 ", "'+41790000001",
     '"=""41790000001"""', "41790000001.0", "(41) 79.000.00.01"],
)  # fmt: skip
def test_phone_numbers_are_joined_on_their_digits(joined: Joined, number: str) -> None:
    assert joined([FIRST], f"number,band\n{number},yes\n").counts.resolved == 1


@pytest.mark.parametrize("number", ["4.1790000001E+10", "x41790000001", "+41790000001/2", "", "\u0664"])
def test_what_only_looks_like_a_number_answers_none(joined: Joined, number: str) -> None:
    counts = joined([FIRST], f"number,band\n{number},yes\n").counts

    assert (counts.resolved, counts.unresolved, counts.extra) == (0, 1, 1)


def test_a_missing_row_is_unresolved_and_never_no(joined: Joined) -> None:
    written = joined([FIRST, SECOND], "number,band\n41790000001,no\n")

    assert written.rows[2] == [SECOND, "unresolved", ""]
    assert written.counts.verdicts == {"no": 1}


def test_extra_rows_are_counted_and_left_out(joined: Joined) -> None:
    written = joined(
        [FIRST], "number,band\n41790000003,no\n41790000001,yes\n41790000002,no\n41790000002,no\n"
    )

    assert written.rows[1:] == [[FIRST, "resolved", "yes"]]
    assert written.counts == ResultCounts(resolved=1, unresolved=0, extra=2, doubled=1, verdicts={"yes": 1})


def test_the_first_of_doubled_rows_counts(joined: Joined) -> None:
    written = joined([FIRST], "number,band\n41790000001,yes\n+41790000001,no\n41790000001,no\n")

    assert written.rows[1:] == [[FIRST, "resolved", "yes"]]
    assert written.counts.doubled == 2
    assert written.counts.verdicts == {"yes": 1}


def test_a_number_that_is_asked_for_twice_is_answered_twice(joined: Joined) -> None:
    written = joined([FIRST, FIRST], "number,band\n41790000001,yes\n")

    assert written.counts == ResultCounts(resolved=2, unresolved=0, extra=0, doubled=0, verdicts={"yes": 2})


def test_an_export_without_rows_leaves_every_number_unresolved(joined: Joined) -> None:
    counts = joined([FIRST, SECOND], "number,band\n").counts

    assert counts == ResultCounts(resolved=0, unresolved=2, extra=0, doubled=0, verdicts={})


def test_an_export_of_numbers_alone_has_no_verdicts(joined: Joined) -> None:
    written = joined([FIRST], "number\n41790000001\n")

    assert written.text == f"number,status\n{FIRST},resolved\n"
    assert written.counts.verdicts == {}


def test_columns_of_the_same_name_as_our_own_are_told_apart(joined: Joined) -> None:
    written = joined([FIRST], "phone,number,status,export_status\n1,41790000001,a,b\n")

    assert written.rows[0] == ["number", "status", "phone", "export_status", "export_export_status"]
    assert written.rows[1] == [FIRST, "resolved", "1", "a", "b"]


def test_a_second_kind_of_number_column_keeps_its_content(joined: Joined) -> None:
    written = joined(["a@example.com"], "email,status\nA@Example.com,ok\n", InputKind.EMAIL)

    assert written.rows == [["number", "status", "export_status"], ["a@example.com", "resolved", "ok"]]


def test_addresses_are_joined_in_any_case_and_each_spelling_has_its_row(joined: Joined) -> None:
    written = joined(
        ["Bob@example.com", "bob@example.com", "amy1@example.com"],
        "Email,Active\nBOB@EXAMPLE.COM,true\nbob1@example.com,false\n",
        InputKind.EMAIL,
    )

    assert [row[1] for row in written.rows[1:]] == ["resolved", "resolved", "unresolved"]
    assert written.counts.extra == 1


def test_user_names_are_joined_as_they_are(joined: Joined) -> None:
    written = joined(
        ["some_one", "Some_one", "bob1"],
        "username,activated\n@some_one,yes\namy1,no\n",
        InputKind.USERNAME,
    )

    assert [row[1] for row in written.rows[1:]] == ["resolved", "unresolved", "unresolved"]


def test_entries_as_written_are_joined_as_text_before_digits(joined: Joined) -> None:
    written = joined(
        ["+41 79", "4179", "41-79", "079", "79"],
        "number,phoneCheck\n4179,digits\n+41 79,text\n79,short\n",
        InputKind.AS_WRITTEN,
    )

    assert [row[2] for row in written.rows[1:]] == ["text", "digits", "digits", "", "short"]
    assert written.counts.extra == 0
    assert written.counts.doubled == 0


def test_words_that_share_their_digits_are_not_the_same(joined: Joined) -> None:
    counts = joined(["Bob1"], "number,phoneCheck\namy1,valid\n", InputKind.AS_WRITTEN).counts

    assert counts.resolved == 0


def test_cells_cannot_run_but_numbers_stay_as_they_were_sent(joined: Joined) -> None:
    written = joined(
        [FIRST, "=1+1"],
        'number,note,band\n41790000001,"=HYPERLINK(""x"")",@yes\n',
        InputKind.AS_WRITTEN,
    )

    assert written.rows[1] == [FIRST, "resolved", '\'=HYPERLINK("x")', "'@yes"]
    assert written.rows[2][0] == "'=1+1"


def test_cells_with_commas_quotes_and_line_ends_stay_in_their_column(joined: Joined) -> None:
    written = joined([FIRST], 'number,note,band\n41790000001,"a, ""b""\r\nc",yes\n')

    assert written.rows[1] == [FIRST, "resolved", 'a, "b"\r\nc', "yes"]


def test_verdicts_are_counted_in_lower_case(joined: Joined) -> None:
    numbers = [f"+4179{number:07d}" for number in range(4)]
    export = "number,activated\n" + "".join(
        f"{number},{verdict}\n" for number, verdict in zip(numbers, ["YES", "yes ", "N/A", ""], strict=True)
    )

    assert joined(numbers, export).counts.verdicts == {"yes": 2, "n/a": 1, "none": 1}


def test_no_more_than_twenty_verdicts_are_told_apart(joined: Joined) -> None:
    numbers = [f"+4179{number:07d}" for number in range(50)]
    export = "number,carrier\n" + "".join(
        f"{number},{'other' if at == 0 else f'carrier {at % 25}'}\n" for at, number in enumerate(numbers)
    )

    verdicts = joined(numbers, export).counts.verdicts

    assert len(verdicts) == 21
    assert sum(verdicts.values()) == 50
    assert verdicts["other"] == 50 - 40


@pytest.mark.parametrize(
    "verdict",
    [
        "same as 41790000002",
        "+41 79 000 00 02",
        "4179000",
        "bob@example.com",
        "https://x.example/",
        "x" * 100,
    ],
)
def test_no_verdict_carries_what_must_not_reach_an_event(joined: Joined, verdict: str) -> None:
    assert joined([FIRST], f"number,band\n41790000001,{verdict}\n").counts.verdicts == {"other": 1}


def test_an_export_that_breaks_off_is_no_result(joined: Joined) -> None:
    with pytest.raises(ExportInvalidError):
        joined([FIRST], "band,number\nyes,41790000001\nno\n")


@given(st.data())
def test_every_submitted_number_gets_exactly_one_row(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    submitted = data.draw(st.lists(phone_numbers, unique=True))
    exported = data.draw(
        st.lists(st.tuples(st.sampled_from([*submitted, FIRST]), st.sampled_from(["yes", "no"])))
    )
    export = "number,band\n" + "".join(f"{number[1:]},{verdict}\n" for number, verdict in exported)

    written = Joined(tmp_path_factory.getbasetemp())(submitted, export)

    answers = dict(reversed(exported))
    assert written.rows[1:] == [
        [number, "resolved", answers[number]] if number in answers else [number, "unresolved", ""]
        for number in submitted
    ]
    counts = written.counts
    assert counts.resolved + counts.unresolved == len(submitted)
    assert counts.resolved + counts.extra + counts.doubled == len(exported)
    assert sum(counts.verdicts.values()) == counts.resolved
