"""Telling lists from tables, and finding the column with the entries."""

import csv
import re
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.formats.entries_file import REJECTED
from numberdrop.files.uploads import rows as upload_rows
from numberdrop.files.uploads.rows import MAX_COLUMNS
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import ReasonCode
from tests.support.uploads import NOT_A_PHONE_NUMBER, clean, refusal, refused_with

A, B, C = "+12025550101", "+12025550102", "+12025550103"


# A column that is named


@pytest.mark.parametrize(
    "name",
    ["phone", "PHONE", "Phone Number", "phone_number", "Mobile", "number", "msisdn", "Tel.", " tel ", "cell",
     "WhatsApp", "Téléphone", "Telefon-Nr", "手机号"],
)  # fmt: skip
def test_a_header_names_the_column_in_any_spelling(name: str) -> None:
    name = name.replace("-Nr", "nummer")
    cleaned = clean(f"id,{name},other\n1,{A},{C}\n2,{B},{C}\n")

    assert cleaned.numbers == [A, B]
    assert cleaned.header == ("id", name, "other")


@pytest.mark.parametrize(
    ("kind", "name", "entry"),
    [
        (InputKind.EMAIL, "E-Mail", "jane@example.com"),
        (InputKind.EMAIL, "email address", "jane@example.com"),
        (InputKind.EMAIL, "mail", "jane@example.com"),
        (InputKind.AS_WRITTEN, "Mobile", "anything"),
        (InputKind.AS_WRITTEN, "E-Mail", "jane@example.com"),
        (InputKind.AS_WRITTEN, "User Name", "jane"),
        (InputKind.AS_WRITTEN, "handle", "jane"),
    ],
)
def test_other_kinds_have_column_names_of_their_own(kind: InputKind, name: str, entry: str) -> None:
    assert clean(f"x;{name};y\na;{entry};b\n", kind).numbers == [entry]


def test_the_likelier_of_two_named_columns_is_taken() -> None:
    assert clean(f"number,phone\n1,{A}\n2,{B}\n").numbers == [A, B]


def test_a_named_column_beats_another_one_with_numbers() -> None:
    assert clean(f"fax,phone\n{C},{A}\n{C},\n{C},{B}\n").numbers == [A, B]


@pytest.mark.parametrize("kind", [InputKind.PHONE, InputKind.AS_WRITTEN])
@pytest.mark.parametrize("name", ["phone", '"Phone"', " NUMBER "])
def test_a_column_name_above_a_list_makes_it_a_table(name: str, kind: InputKind) -> None:
    cleaned = clean(f"\n{name}\n{A}\n\n{B}\n", kind)

    assert cleaned.header is not None
    assert [column.strip(' "') for column in cleaned.header] == [name.strip(' "')]
    assert cleaned.entries == [A, "", B]


def test_any_other_word_above_a_list_is_a_line_of_it() -> None:
    cleaned = clean(f"customers\n{A}\n")

    assert cleaned.header is None
    assert cleaned.rejected == [(1, "customers", NOT_A_PHONE_NUMBER)]


@pytest.mark.parametrize("line", ["user", "mail", '"handle"'])
def test_a_word_above_entries_as_written_may_be_an_entry(line: str) -> None:
    assert clean(f"{line}\nJane\n", InputKind.AS_WRITTEN).numbers == [line, "Jane"]


# A column that holds entries


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_column_with_numbers_is_found_without_its_name(delimiter: str) -> None:
    rows = [["Kunde", "Kontakt", "Nr"], ["Jane", A, "1"], ["Rick", "none", "2"], ["Asa", B, "3"]]
    cleaned = clean("".join(f"{delimiter.join(row)}\n" for row in rows))

    assert cleaned.header == ("Kunde", "Kontakt", "Nr")
    assert cleaned.entries == [A, REJECTED, B]


def test_a_column_of_national_numbers_is_found_by_region() -> None:
    upload = "Kunde;Kontakt\nJane;020 7946 0123\nRick;020 7946 0124\n"

    assert clean(upload, region="GB").numbers == ["+442079460123", "+442079460124"]
    assert refused_with(upload) is ReasonCode.NO_VALID_NUMBERS


def test_a_column_of_e_mail_addresses_is_found() -> None:
    assert clean("a;b\nx;jane@example.com\ny;rick@example.org\n", InputKind.EMAIL).counts.submitted == 2


def test_a_column_of_entries_as_written_is_found_by_digits() -> None:
    cleaned = clean("a;b;c\nx;079 000 00 01;12\ny;(079) 000-0002;13\n", InputKind.AS_WRITTEN)

    assert cleaned.numbers == ["079 000 00 01", "(079) 000-0002"]


def test_without_phone_numbers_a_column_of_addresses_is_taken() -> None:
    rows = "x;jane@example.com;079 000 00 01\ny;rick@example.org;none\n"

    assert clean(f"a;b;c\n{rows}", InputKind.AS_WRITTEN).numbers == ["jane@example.com", "rick@example.org"]
    assert clean(f"a;b;c\n{rows.replace('none', '079 000')}", InputKind.AS_WRITTEN).numbers[1:] == ["079 000"]
    assert clean(f"a;email;phone\n{rows}", InputKind.AS_WRITTEN).numbers == ["079 000 00 01", "none"]


@pytest.mark.parametrize(
    ("upload", "kind"),
    [
        (f"home,work\n{A},{B}\n{B},{C}\n", InputKind.PHONE),
        (f"{A},{B},{C}\n{B},{C},{A}\n", InputKind.PHONE),
        ("a;b\n0790000001;0790000003\n0790000002;0790000004\n", InputKind.AS_WRITTEN),
        ("to,cc\na@example.com,b@example.com\n", InputKind.EMAIL),
        ("name,city\nx,y\n", InputKind.PHONE),
        ("name,city\njane,oslo\n", InputKind.EMAIL),
        (f"id,contact\n1,{A}\n2,none\n3,none\n", InputKind.PHONE),
    ],
)
def test_a_table_without_a_clear_column_is_refused_with_advice(upload: str, kind: InputKind) -> None:
    reason = refusal(upload, kind).reason

    assert reason.code is ReasonCode.NO_VALID_NUMBERS
    name = "email" if kind is InputKind.EMAIL else "phone"
    assert f' "{name}" in the first row' in reason.message


@pytest.mark.parametrize(
    ("first_row", "header"),
    [
        ("Jane,+12025550103", ("column_1", "column_2")),
        ("Jane,555 0103", ("column_1", "column_2")),
        ("a,b", ("a", "b")),
    ],
)
def test_a_first_row_with_a_number_belongs_to_the_table(first_row: str, header: tuple[str, ...]) -> None:
    assert clean(f"{first_row}\nRick,{A}\nAsa,{B}\n").header == header


# Tables as programs write them


def test_cells_in_quotes_may_hold_anything() -> None:
    cleaned = clean(f'name,phone\n"a,b",{A}\n"c ""d""",{B}\n"e\r\nf,",{C}\n')

    assert cleaned.numbers == [A, B, C]


def test_a_cell_in_quotes_may_span_blocks() -> None:
    long = "\n".join(["x" * 50] * 2000)
    rows = "".join(f'"{long}",+1202555{number:04}\n' for number in range(100))

    assert clean(f"note,phone\n{rows}").counts.submitted == 100


@pytest.mark.parametrize(
    "broken",
    ['"Jane,+12025550101\n', '"Jane" Doe,+12025550101\n', '"Jane,+12025550101\n' + "x,y\n" * 500_000],
)
def test_quotes_that_do_not_match_are_refused(broken: str) -> None:
    reason = refusal(f"name,phone\nRick,{B}\n{broken}Asa,{C}\n").reason

    assert reason.code is ReasonCode.NOT_TEXT
    assert "row 3 " in reason.message


def test_rows_may_be_shorter_or_longer_than_the_header() -> None:
    cleaned = clean(f"name,phone\nJane,{A},,\nRick\nAsa,{B},x\n,{C}\n")

    assert cleaned.entries == [A, "", B, C]


@pytest.mark.parametrize("above", ["Customers 2024\n\n", "Customers,,\nas of,01.02.2024,\n", "\n\nx\n\n"])
def test_a_title_may_stand_above_the_header(above: str) -> None:
    cleaned = clean(f"{above}name,phone,x\nJane,{A},\nRick,y,\n")

    assert cleaned.header == ("name", "phone", "x")
    assert cleaned.entries == [A, REJECTED]
    assert cleaned.rejected == [(above.count("\n") + 3, "y", NOT_A_PHONE_NUMBER)]


@pytest.mark.parametrize("above", ["Customers\n", "Customers;;\n\nas of;today;\n"])
def test_a_title_may_stand_above_entries_as_written(above: str) -> None:
    cleaned = clean(f"{above}name;phone;x\nJane;{A};\nRick;079;\n", InputKind.AS_WRITTEN)

    assert cleaned.header == ("name", "phone", "x")
    assert cleaned.numbers == [A, "079"]


@pytest.mark.parametrize(
    "lines",
    [
        ["hello", "Jane, mobile", "Rick"],
        ["hello", "Jane, mobile"],
        ["079 1", "Jane, mobile", "Rick, home"],
        ["jane@example.com", "Jane, mobile", "Rick, home"],
        ["Jane, x, y", "Jane, mobile", "Rick, home"],
        [",role", "jane,user", "rick,admin"],
    ],
)
def test_a_line_of_entries_as_written_is_not_a_title(lines: list[str]) -> None:
    assert clean("\n".join(lines), InputKind.AS_WRITTEN).numbers == lines


@pytest.mark.parametrize(
    ("above", "lost"),
    [(f"{A}\n", 0), (f"Jane,{A},\n", 0), ("x,y,z\n" * 5, 1)],
    ids=["a number", "a row with a number", "more rows than a title has"],
)
def test_a_row_with_an_entry_is_not_a_title(above: str, lost: int) -> None:
    cleaned = clean(f"{above}name,phone,x\n" + f"Jane,{B},\n" * 20)

    assert "phone" not in (cleaned.header or ())
    assert len(cleaned.entries) == above.count("\n") + 21 - lost


@pytest.mark.parametrize(
    ("table", "kind", "entries"),
    [
        (f"Name,Contact,Type\nJane,{A},mobile\nRick,{B},home\nAsa,{C},mobile\n", InputKind.PHONE, [A, B, C]),
        (
            f"Name,Phone 1 - Type,Phone 1 - Value\nJane,Mobile,{A}\nRick,Home,{B}\nAsa,Mobile,{C}\n",
            InputKind.PHONE,
            [A, B, C],
        ),
        (f"Kunde;Kontakt;Kanal\nJane;{A};WhatsApp\nRick;{B};Mail\n", InputKind.PHONE, [A, B]),
        (f"Kunde;Kontakt;Typ\nJane;;Handy\nRick;{B};Tel\nAsa;{C};Handy\n", InputKind.PHONE, ["", B, C]),
        ("Contact,Via\njane@example.com,mail\nrick@example.com,web\n", InputKind.EMAIL,
         ["jane@example.com", "rick@example.com"]),
        (f",kontakt,typ\n0,unknown,mobile\n1,{A},home\n2,{B},mobile\n", InputKind.PHONE, [REJECTED, A, B]),
        (f"Kunde;Kontakt;;\nRick;?;Tel;x\nAsa;{A};Handy;\nBob;{B};x;y\n", InputKind.PHONE, [REJECTED, A, B]),
        (",kontakt,typ\n0,unknown,mail\n1,jane@example.com,web\n2,rick@example.com,mail\n", InputKind.EMAIL,
         [REJECTED, "jane@example.com", "rick@example.com"]),
    ],
)  # fmt: skip
def test_a_lower_row_with_a_column_name_is_not_a_header(
    table: str, kind: InputKind, entries: list[str]
) -> None:
    cleaned = clean(table, kind)

    assert cleaned.header == tuple(re.split("[,;]", table.split("\n", maxsplit=1)[0].rstrip(";")))
    assert cleaned.entries == entries


@pytest.mark.parametrize(
    ("table", "kind", "entries"),
    [
        (f"{A};mobile\n{B};home\n", InputKind.PHONE, [A, B]),
        (f"{A};mobile\n{B};home\n", InputKind.AS_WRITTEN, [A, B]),
        (f"{A};mail\n{B};sms\n{C};mail\n", InputKind.AS_WRITTEN, [A, B, C]),
        ("079 000 001,user\n079 000 002,admin\n", InputKind.AS_WRITTEN, ["079 000 001", "079 000 002"]),
        ("a@example.com,mail\nb@example.com,web\n", InputKind.EMAIL, ["a@example.com", "b@example.com"]),
        ("a@example.com,mail\nb@example.com,web\n", InputKind.AS_WRITTEN, ["a@example.com", "b@example.com"]),
    ],
)  # fmt: skip
def test_a_first_row_with_an_entry_and_a_name_is_not_a_header(
    table: str, kind: InputKind, entries: list[str]
) -> None:
    assert clean(table, kind).entries == entries


@pytest.mark.parametrize("quote", ["", '"'])
def test_delimiters_inside_notes_do_not_change_the_table(quote: str) -> None:
    rows = [["Name", "Phone", "Note"], ["Jane", A, "home, mobile"], ["Rick", B, f"see, {C}"], ["Asa", C, ""]]
    cleaned = clean("".join(";".join(f"{quote}{cell}{quote}" for cell in row) + "\n" for row in rows))

    assert cleaned.header == ("Name", "Phone", "Note")
    assert cleaned.numbers == [A, B, C]


WORDS = ["Name", "Note", "Ort", "Jane", "x", "", "12", "Customers", "home, mobile"]
NOTES = st.sampled_from(
    [*WORDS, "mobile", "Mail", "Tel", "WhatsApp", "phone; see note", "Fax, Tel.", "user|handle", f"see, {C}"]
) | st.text(st.sampled_from("ab1 ,;|\t\"'\n"), max_size=8)  # fmt: skip


@st.composite
def tables_with_a_header(draw: st.DrawFn) -> tuple[str, InputKind, list[str]]:
    """Draw a table whose first row names the column of entries, what the checker takes, and the entries."""
    kind, name, entry = draw(
        st.sampled_from(
            [
                (InputKind.PHONE, "Phone", st.sampled_from([A, B, C, ""])),
                (InputKind.EMAIL, "E-Mail", st.sampled_from(["jane@example.com", "rick@example.com", ""])),
                (InputKind.AS_WRITTEN, "Mobile", st.sampled_from([A, "079", "hello", "mail", "user", ""])),
            ]
        )
    )
    column = draw(st.integers(0, 2))
    rows = draw(st.lists(st.tuples(NOTES, entry, NOTES), min_size=1, max_size=12))
    header = draw(st.permutations(["Name", "Note", "Ort"]))
    entries = [row[1] for row in rows]
    text = StringIO(newline="")
    writer = csv.writer(text, delimiter=draw(st.sampled_from(",;\t|")), lineterminator="\n")
    for other, cell, last in [(header[0], name, header[1]), *rows]:
        cells = [other, last]
        cells.insert(column, cell)
        writer.writerow(cells)
    return text.getvalue(), kind, entries


@pytest.mark.slow
@given(tables_with_a_header())
def test_only_entries_of_the_named_column_are_sent(
    table: tuple[str, InputKind, list[str]],
) -> None:
    text, kind, entries = table
    if not any(entries):
        assert refused_with(text, kind) is ReasonCode.EMPTY_FILE
        return

    assert clean(text, kind).numbers == list(dict.fromkeys(filter(None, entries)))


@pytest.mark.parametrize("hint", ["sep=;", '"sep=;"'])
def test_a_delimiter_hint_is_not_a_row(hint: str) -> None:
    cleaned = clean(f"{hint}\nname;tel\nJane;{A}\n")

    assert cleaned.header == ("name", "tel")
    assert cleaned.numbers == [A]


@pytest.mark.parametrize("nothing", [",,\n,\n", "sep=;\n", '"sep=,"\n\n'])
def test_a_table_without_data_is_refused(nothing: str) -> None:
    assert refused_with(nothing) in {ReasonCode.EMPTY_FILE, ReasonCode.NO_VALID_NUMBERS}


@pytest.mark.parametrize("blank", ["\n\n", ",,\n,,\n"])
def test_rows_above_the_header_may_be_blank(blank: str) -> None:
    cleaned = clean(f"{blank}name,phone,x\nJane,{A},\nRick,y,\n")

    assert cleaned.entries == [A, REJECTED]
    assert cleaned.rejected == [(5, "y", NOT_A_PHONE_NUMBER)]


# Wide tables


FAR = "," * 60_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "table",
    [
        f"phone,x{FAR}\n{A}\n{B}\n",
        f"phone,x\n{A}{FAR}\n{B}\n",
        f"phone,x{', ' * 20_000}\n{A}\n{B}\n",
        f"{FAR}\nphone,x,\n{A},,\n{B}\n",
    ],
    ids=["in the header", "in a row", "made of spaces", "above the header"],
)
def test_blank_cells_far_to_the_right_are_not_columns(table: str) -> None:
    cleaned = clean(table)

    assert cleaned.header == ("phone", "x")
    assert cleaned.numbers == [A, B]


def test_a_table_without_a_header_has_a_column_for_each_cell() -> None:
    assert clean(f"{A},,\n{B},x,\n{C},,\n").header == ("column_1", "column_2")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "row", "column"),
    [
        (f"phone{FAR}x\n{A}\n", "1", "60,001"),
        (f"phone,x\n{A}\n" + f"{B}\n" * 200_000 + f"{C}{FAR}x\n{A}\n", "200,003", "60,001"),
        (f"\n{A},x\n" * 10 + f"{B}{',' * MAX_COLUMNS}x\n", "21", "501"),
    ],
    ids=["the header", "a row of a later block", "a row of a table without a header"],
)
def test_a_row_with_too_many_columns_is_refused_by_number(table: str, row: str, column: str) -> None:
    reason = refusal(table).reason

    assert reason.code is ReasonCode.TOO_LARGE
    assert f"Row {row} of the table extends to column {column}, and at most 500 columns" in reason.message


def test_a_table_with_the_most_columns_is_accepted() -> None:
    assert clean(f"phone,x\n{A}{',' * (MAX_COLUMNS - 1)}x\n").numbers == [A]


def test_a_table_that_one_long_row_makes_too_large_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upload_rows, "_MAX_CELLS", 2_000)
    rows = f"{A}\n" * 98

    assert clean(f"phone,x\n{rows}{B}{',' * 19}x\n").counts.submitted == 2
    assert refused_with(f"phone,x\n{rows}{B}{',' * 20}x\n") is ReasonCode.TOO_LARGE


# Lists that only look like tables


def test_a_list_may_have_a_line_with_a_delimiter() -> None:
    cleaned = clean(f"{A}\n{B},{C}\n")

    assert cleaned.header is None
    assert cleaned.entries == [A, REJECTED]


def test_a_list_may_have_a_first_line_with_a_delimiter() -> None:
    cleaned = clean(f"Customers, 2024\n{A}\n{B}\n")

    assert cleaned.header is None
    assert cleaned.numbers == [A, B]


def test_entries_as_written_are_a_table_if_all_commas_match() -> None:
    lines = ["079 000 00 01, evenings", "079 000 00 02", "079 000 00 03, or later, not now"]

    assert clean("\n".join(lines), InputKind.AS_WRITTEN).numbers == lines
    assert clean("\n".join([lines[0]] * 2), InputKind.AS_WRITTEN).numbers == ["079 000 00 01"]


def test_a_list_of_entries_as_written_may_have_commas() -> None:
    lines = ["Jane, evenings", "Rick, mornings"]

    assert clean("\n".join(lines), InputKind.AS_WRITTEN).numbers == lines


def test_white_space_around_lines_is_not_a_delimiter() -> None:
    cleaned = clean(f"\t{A}\n\t{B}\n")

    assert cleaned.header is None
    assert cleaned.numbers == [A, B]


def test_a_list_in_quotes_is_a_table_with_one_column() -> None:
    cleaned = clean(f'"{A}"\n"{B}"\n')

    assert cleaned.header == ("column_1",)
    assert cleaned.numbers == [A, B]


@pytest.mark.parametrize("start", ["tel:+1 202 555 0101", "Tel. +12025550101", "mobile: +1 (202) 555-0101"])
def test_a_first_line_with_a_number_is_not_a_header(start: str) -> None:
    assert clean(f"{start}\n+12025550102\n".encode(), InputKind.PHONE).header is None


def test_a_header_may_have_an_example_in_brackets() -> None:
    cleaned = clean(b"Phone (e.g. +12025550199)\n+12025550101\n", InputKind.PHONE)

    assert cleaned.header == ("Phone (e.g. +12025550199)",)
    assert cleaned.numbers == ["+12025550101"]
