"""Results of plain lists: one row per line, with what the export has for it."""

from pathlib import Path

import pytest

from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.results.results import ResultCounts
from numberdrop.jobs.checkers import InputKind
from tests.support.exports import Exports, zipped
from tests.support.results import Written, results_of, results_without_upload

FIRST = "+41790000001"
SECOND = "+41790000002"
THIRD = "+41790000003"


class Results:
    """Write the results of a list of lines and an export."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "export"

    def __call__(
        self,
        lines: list[str],
        export: str | bytes,
        kind: InputKind = InputKind.PHONE,
        region: str | None = None,
    ) -> Written:
        self._path.write_bytes(export.encode() if isinstance(export, str) else export)
        return results_of("".join(f"{line}\n" for line in lines), self._path, kind, region)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path)


def test_every_line_has_one_row_in_the_order_of_the_upload(results: Results) -> None:
    written = results([SECOND, THIRD, FIRST], "Number,age,band\n41790000001,25,yes\n41790000002,,ban\n")

    assert written.text == (
        "line,number,status,verdict,age,band\n"
        "1,+41790000002,resolved,unknown,,ban\n"
        "2,+41790000003,unresolved,,,\n"
        "3,+41790000001,resolved,yes,25,yes\n"
    )
    assert written.counts == ResultCounts(
        resolved=2,
        unresolved=1,
        extra=0,
        doubled=0,
        verdicts={"yes": 1, "unknown": 1},
        countries={"+41 CH": {"yes": 1, "unknown": 1, "unresolved": 1}},
    )


def test_only_blank_lines_are_left_out(results: Results) -> None:
    written = results(
        [FIRST, "", "no number", "+41 79 000 00 01", "  ", SECOND], "number,band\n41790000001,yes\n"
    )

    assert written.rows == [
        ["1", FIRST, "resolved", "yes", "yes"],
        ["3", "", "rejected", "", ""],
        ["4", FIRST, "resolved", "yes", "yes"],
        ["6", SECOND, "unresolved", "", ""],
    ]


def test_a_number_on_several_lines_is_counted_once(results: Results) -> None:
    written = results([FIRST, SECOND, FIRST, SECOND, FIRST], "number,band\n41790000001,yes\n")

    assert (written.counts.resolved, written.counts.unresolved) == (1, 1)
    assert written.counts.verdicts == {"yes": 1}
    assert written.counts.countries == {"+41 CH": {"yes": 1, "unresolved": 1}}


@pytest.mark.slow
def test_a_list_longer_than_a_block_keeps_its_order(results: Results) -> None:
    numbers = [f"+4179{number:07d}" for number in range(30_000)]
    lines = [line for number in numbers for line in (number, "")]
    rows = [f"{number},{'yes' if int(number) % 3 else 'no'}\n" for number in reversed(numbers)]

    written = results(lines, "number,band\n" + "".join(rows))

    assert written.rows == [
        [str(2 * index + 1), number, "resolved", word, word]
        for index, number in enumerate(numbers)
        for word in ["yes" if int(number) % 3 else "no"]
    ]


@pytest.mark.parametrize(
    "number",
    ["+41790000001", "41790000001", "0041790000001", " +41 79 000-00-01 ", "'+41790000001",
     '"=""41790000001"""', "41790000001.0", "(41) 79.000.00.01", "000041790000001", '"41,790,000,001"'],
)  # fmt: skip
def test_phone_numbers_are_joined_on_their_digits(results: Results, number: str) -> None:
    assert results([FIRST], f"number,band\n{number},yes\n").counts.resolved == 1


@pytest.mark.parametrize(
    "number",
    [
        "4.1790000001E+10",
        "x41790000001",
        "+41790000001/2",
        "",
        '"4179\n0000001"',
        "\u0664",
        '"41,79,0000001"',
    ],
)
def test_text_that_only_resembles_a_number_matches_none(results: Results, number: str) -> None:
    written = results([FIRST, SECOND], f"number,band\n{number},yes\n41790000002,no\n")

    assert written.column("status") == ["unresolved", "resolved"]
    assert (written.counts.resolved, written.counts.unresolved, written.counts.extra) == (1, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        *("1) 4930123456", "1. 4930123456", "1 +4930123456", "1+4930123456"),
        *("4930123456.00", "4930123456 ext. 00", "4930123456#00"),
    ],
)
def test_digits_beside_a_number_do_not_make_another_one(results: Results, text: str) -> None:
    others = ["+14930123456", "+493012345610", "+493012345600"]

    written = results([*others, FIRST], f"number,band\n{text},yes\n{FIRST},no\n")

    assert written.column("verdict") == ["", "", "", "no"]


def test_an_entry_without_a_row_is_unresolved_and_never_no(results: Results) -> None:
    written = results([FIRST, SECOND], "number,band\n41790000001,no\n")

    assert written.rows[1] == ["2", SECOND, "unresolved", "", ""]
    assert written.counts.verdicts == {"no": 1}


def test_extra_rows_are_counted_and_left_out(results: Results) -> None:
    written = results(
        [FIRST], "number,band\n41790000003,no\n41790000001,yes\n41790000002,no\n41790000002,no\n"
    )

    assert written.column("number") == [FIRST]
    assert (written.counts.resolved, written.counts.extra, written.counts.doubled) == (1, 2, 1)
    assert written.counts.verdicts == {"yes": 1}


def test_the_first_of_repeated_rows_counts(results: Results) -> None:
    written = results([FIRST], "number,band\n41790000001,yes\n+41790000001,no\n41790000001,no\n")

    assert written.column("band") == ["yes"]
    assert written.counts.doubled == 2
    assert written.counts.verdicts == {"yes": 1}


def test_the_first_of_contradictory_lists_counts(results: Results) -> None:
    written = results([FIRST], zipped({"unactivated.txt": FIRST, "activated.txt": FIRST}))

    assert written.column("verdict") == ["no"]
    assert written.counts.doubled == 1


def test_an_export_without_rows_resolves_nothing(results: Results) -> None:
    counts = results([FIRST, SECOND], "number,band\n").counts

    assert (counts.resolved, counts.unresolved, counts.verdicts) == (0, 2, {})


@pytest.mark.parametrize("export", ["number\n41790000001\n", "number,type,carrier\n41790000001,mobile,yes\n"])
def test_an_export_without_a_verdict_column_has_no_verdicts(results: Results, export: str) -> None:
    written = results([FIRST], export)

    assert written.column("status") == ["resolved"]
    assert written.column("verdict") == [""]
    assert (written.counts.resolved, written.counts.verdicts, written.counts.countries) == (1, {}, {})


def test_export_columns_that_clash_with_ours_are_prefixed(results: Results) -> None:
    written = results([FIRST], "Number,Line,band,Status,band_status\n41790000001,a,yes,b,c\n")

    assert written.header == [
        *("line", "number", "status", "verdict"),
        *("band_line", "band", "band_status", "band_band_status"),
    ]
    assert written.rows == [["1", FIRST, "resolved", "yes", "a", "yes", "b", "c"]]


def test_a_second_number_column_keeps_its_content(results: Results) -> None:
    written = results([FIRST], "phone,number,band\n1,41790000001,yes\n")

    assert written.header == ["line", "number", "status", "verdict", "phone", "band"]
    assert written.rows == [["1", FIRST, "resolved", "yes", "1", "yes"]]


def test_countries_are_identified_by_calling_code(results: Results) -> None:
    numbers = ["+12025550101", "+14165550101", "+447700900001", "+77010000001"]
    export = "number,band\n" + "".join(f"{number},yes\n" for number in numbers[1:])

    countries = results(numbers, export).counts.countries

    assert countries == {
        "+1 US": {"yes": 1, "unresolved": 1},
        "+44 GB": {"yes": 1},
        "+7 RU": {"yes": 1},
    }


def test_an_address_in_another_case_answers_its_only_entry(results: Results) -> None:
    written = results(
        ["Bob@example.com", "amy1@example.com", "amy2@example.com"],
        "Email,Active\nBOB@EXAMPLE.COM,true\nbob1@example.com,false\namy2@Example.com,true\n",
        InputKind.EMAIL,
    )

    assert written.column("status") == ["resolved", "unresolved", "resolved"]
    assert (written.counts.resolved, written.counts.unresolved, written.counts.extra) == (2, 1, 1)
    assert written.counts.countries == {}


def test_addresses_that_are_paid_for_separately_share_no_row(results: Results) -> None:
    addresses = ["Bob@example.com", "bob@example.com", "BOB@example.com"]
    written = results(
        addresses,
        "Email,Active\nbOb@example.com,true\nbob@EXAMPLE.com,false\n",
        InputKind.EMAIL,
    )

    assert written.column("verdict") == ["", "no", ""]
    assert (written.counts.resolved, written.counts.unresolved, written.counts.extra) == (1, 2, 1)


def test_an_address_is_joined_in_any_unicode_form(results: Results) -> None:
    written = results(
        ["jos\u00e9@example.com", "amy@example.com"],
        "Email,Active\njose\u0301@example.com,true\namy@example.com\u200b,false\n",
        InputKind.EMAIL,
    )

    assert written.column("verdict") == ["yes", "no"]


def test_entries_as_written_are_joined_on_text_then_digits(results: Results) -> None:
    written = results(
        ["+41 79", "4179", "41-79", "079", "79", "+49-30"],
        "number,phoneCheck\n4179,digits\n+41 79,text\n4179,later\n79,short\n4930,loose\n",
        InputKind.AS_WRITTEN,
    )

    assert written.column("phonecheck") == ["text", "digits", "", "", "short", "loose"]
    assert (written.counts.resolved, written.counts.unresolved) == (4, 2)
    assert (written.counts.extra, written.counts.doubled) == (0, 1)


@pytest.mark.parametrize(
    ("entries", "number"),
    [
        (["030/1", "0301"], "030 1"),
        (["79", "79.0"], "7-9"),
        (["0041", "41"], "(41)"),
        (["@jane", "jane"], "Jane"),
        (["Jane", "jane"], "JANE"),
    ],
)
def test_a_row_that_may_mean_two_entries_answers_none(
    results: Results, entries: list[str], number: str
) -> None:
    written = results(entries, f"number,phoneCheck\n{number},yes\n", InputKind.AS_WRITTEN)

    assert written.column("status") == ["unresolved", "unresolved"]
    assert written.counts.extra == 1


@pytest.mark.parametrize(
    ("entries", "number"), [(["030/1", "0301"], "0301"), (["@jane", "jane"], "@jane"), (["79.0", "79"], "79")]
)
def test_a_row_answers_only_the_entry_that_it_equals(
    results: Results, entries: list[str], number: str
) -> None:
    written = results(entries, f"number,phoneCheck\n{number},yes\n", InputKind.AS_WRITTEN)

    assert written.column("status") == ["resolved" if entry == number else "unresolved" for entry in entries]


GERMAN, AMERICAN = "+4915123456789", "+15123456789"


@pytest.mark.parametrize("number", ["015123456789", "0151 23456789", "0151/23456789", "(0151) 234-56789"])
def test_a_national_form_means_a_number_of_the_region(results: Results, number: str) -> None:
    written = results([GERMAN, AMERICAN], f"number,band\n{number},yes\n15123456789,no\n", region="DE")

    assert written.column("verdict") == ["yes", "no"]
    assert (written.counts.extra, written.counts.doubled) == (0, 0)


@pytest.mark.parametrize("region", [None, "DE", "US"])
@pytest.mark.parametrize("number", ["015123456789", "0151 23456789"])
def test_a_national_form_never_means_a_foreign_number(
    results: Results, number: str, region: str | None
) -> None:
    written = results([AMERICAN, FIRST], f"number,band\n{number},yes\n41790000001,no\n", region=region)

    assert written.column("verdict") == ["", "no"]
    assert written.counts.extra == 1


def test_without_a_region_a_national_form_means_nothing(results: Results) -> None:
    written = results([GERMAN, FIRST], "number,band\n015123456789,yes\n41790000001,no\n")

    assert written.column("verdict") == ["", "no"]


def test_exact_digits_come_before_a_national_form(results: Results) -> None:
    export = "number,band\n015123456789,no\n4915123456789,yes\n"

    written = results([GERMAN], export, region="DE")

    assert written.column("verdict") == ["yes"]
    assert (written.counts.extra, written.counts.doubled) == (1, 0)


def test_digits_that_are_a_foreign_number_stay_foreign(results: Results) -> None:
    written = results([GERMAN, FIRST], "number,band\n15123456789,yes\n41790000001,no\n", region="DE")

    assert written.column("verdict") == ["", "no"]


def test_the_first_of_texts_with_equal_digits_counts(results: Results) -> None:
    written = results(["41-79"], "number,phoneCheck\n+4179,a\n41 79,b\n+4179,c\n", InputKind.AS_WRITTEN)

    assert written.column("phonecheck") == ["a"]
    assert (written.counts.extra, written.counts.doubled) == (1, 1)


def test_words_with_equal_digits_are_different_entries(results: Results) -> None:
    written = results(["Bob1", "Cid1"], "number,phoneCheck\namy1,valid\nCid1,valid\n", InputKind.AS_WRITTEN)

    assert written.column("status") == ["unresolved", "resolved"]


@pytest.mark.parametrize(
    ("entry", "number"),
    [
        ("Jane.Doe", "jane.doe"),
        ("@jane", "jane"),
        ("jane", "@Jane"),
        ("Jane@Example.com", "jane@example.com"),
        ("0041 79 000 00 01", "41790000001"),
        ("41790000001", "+41790000001.00"),
        ("123", "123.0"),
        ("\u202a+41 79\u2013000\u201100\u201001\u202c", "+41790000001"),
        ("[+41] 79 000\u202f00 01", "41790000001"),
        ("tel:+41-79-000-00-01", "+41790000001"),
        ("\uff0b41 79 000 00 01", "+41790000001"),
        ("030/12345678", "03012345678"),
        ("+49 30/1234/5678", "493012345678"),
    ],
)
def test_an_entry_as_written_matches_other_cases_and_forms(results: Results, entry: str, number: str) -> None:
    counts = results([entry], f"number,x\n{number},yes\n", InputKind.AS_WRITTEN).counts

    assert (counts.resolved, counts.extra) == (1, 0)


@pytest.mark.parametrize(
    ("kind", "entry", "other"),
    [
        (InputKind.PHONE, FIRST, SECOND),
        (InputKind.EMAIL, "jane@example.com", "rick@example.com"),
    ],
)
def test_an_export_that_matches_no_entry_is_rejected(
    results: Results, kind: InputKind, entry: str, other: str
) -> None:
    with pytest.raises(InvalidFileError, match="matches an entry that was sent"):
        results([entry], f"number,band\n{other},yes\n", kind)


def test_entries_as_written_may_come_back_unrecognisable(results: Results) -> None:
    written = results(
        ["079 000 00 01", "+41 (0)79 000 00 02"],
        "number,phoneCheck\n+41790000001,valid\n+41790000002,valid\n",
        InputKind.AS_WRITTEN,
    )

    assert written.column("status") == ["unresolved", "unresolved"]
    assert written.counts.extra == 2


def test_formulas_are_escaped_but_numbers_are_unchanged(results: Results) -> None:
    written = results(
        [FIRST, "=1+1", "(0), 7"],
        'number,note,band\n41790000001,"=HYPERLINK(""x"")",@yes\n',
        InputKind.AS_WRITTEN,
    )

    assert written.rows == [
        ["1", FIRST, "resolved", "unknown", '\'=HYPERLINK("x")', "'@yes"],
        ["2", "'=1+1", "unresolved", "", "", ""],
        ["3", "(0), 7", "unresolved", "", "", ""],
    ]


def test_commas_quotes_and_line_ends_stay_in_their_cell(results: Results) -> None:
    written = results([FIRST], 'number,note,band\n41790000001,"a, ""b""\r\nc\rd",yes\n')

    assert written.rows == [["1", FIRST, "resolved", "yes", 'a, "b"\r\nc\rd', "yes"]]


def test_an_export_that_breaks_off_is_rejected(results: Results) -> None:
    with pytest.raises(InvalidFileError):
        results([FIRST], "band,number\n" + "yes,41790000001\n" * 10_000 + "no,\0\n")


def test_results_are_written_without_the_upload(exports: Exports) -> None:
    exports.open("Number,band\n41790000002,yes\n+41790000001,no\n0041790000002,no\n=A1,yes\n").close()

    written = results_without_upload(exports.path)

    assert written.text == (
        "line,number,status,verdict,band\n"
        ",+41790000002,resolved,yes,yes\n"
        ",+41790000001,resolved,no,no\n"
        ",'=A1,resolved,yes,yes\n"
    )
    assert (written.counts.resolved, written.counts.extra, written.counts.doubled) == (3, 0, 1)


def test_a_number_across_two_lines_gets_one_row(exports: Exports) -> None:
    exports.open('number,band\n"4179\n1",yes\n,no\n41792,no\n').close()

    written = results_without_upload(exports.path, InputKind.AS_WRITTEN)

    assert written.rows == [["", "4179 1", "unresolved", "", ""], ["", "41792", "resolved", "no", "no"]]
