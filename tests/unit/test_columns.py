"""Choosing the column with the entries of a table by its header and its filled cells."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reading_choice import Choice
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from tests.support.uploads import clean, refusal

A, B, C = "+12025550101", "+12025550102", "+12025550103"

IDS: dict[str, tuple[str, Callable[[random.Random, int], str], list[str]]] = {
    "German ids": ("DE", lambda rng, _: str(rng.randrange(10**7, 10**8)), ["Kunden-Nr.", "ID", "Auftrag"]),
    "German ids in order": ("DE", lambda _, row: str(30010000 + 137 * row), ["Kundennummer", "ID"]),
    "Finnish dates": ("FI", lambda rng, row: f"20{row:02}-{rng.randrange(1, 13):02}-03", ["Päiväys"]),
    "Swedish dates": ("SE", lambda rng, row: f"20{row:02}-{rng.randrange(1, 13):02}-03", ["Datum", "Skapad"]),
    "Danish dates": ("DK", lambda rng, row: f"20{row:02}-{rng.randrange(1, 13):02}-03", ["Oprettet", "Dato"]),
    "US ids": ("US", lambda rng, _: str(rng.randrange(10**9, 10**10)), ["Customer ID", "Ticket", "Order"]),
    "US ids in order": ("US", lambda _, row: str(2025550000 + row), ["Customer", "Ticket"]),
    "French ids": ("FR", lambda rng, _: str(rng.randrange(10**8, 10**9)), ["Client", "SIREN"]),
}  # fmt: skip
"""Columns of digits, most of which are numbers of a region: the region, a cell, and headers."""

PHONES: dict[str, tuple[str, list[str]]] = {
    "DE": ("030 231250{:02}", ["Telefon geschäftlich", "Telefon", "Kontakt"]),
    "FI": ("09 4245 50{:02}", ["Puh.", "Puhelin", "Yhteys"]),
    "SE": ("08-465 004 {:02}", ["Tfn", "Telefon", "Kontakt"]),
    "DK": ("70 10 10 {:02}", ["Tlf.", "Telefon", "Kontakt"]),
    "US": ("(202) 555-01{:02}", ["Phone", "Mobile Phone", "Contact"]),
    "FR": ("01 99 00 10 {:02}", ["Tél.", "Téléphone", "Contact"]),
}
"""Phone numbers of a region and headers above them."""


@pytest.mark.slow
@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("has_header", [True, False], ids=["with a header", "without one"])
@given(seed=st.integers(0, 10**6), blank=st.sampled_from([0, 0.3, 0.6]))
def test_ids_beside_phones_are_never_sent(name: str, has_header: bool, seed: int, blank: float) -> None:
    rng = random.Random(seed)
    region, make_id, headers = IDS[name]
    spelling, phone_headers = PHONES[region]
    phones = ["" if rng.random() < blank else spelling.format(row) for row in range(11)] + [
        spelling.format(11)
    ]
    rows = [[make_id(rng, row), "Anna Amsel", phone] for row, phone in enumerate(phones)]
    header = [[rng.choice(headers), "Name", rng.choice(phone_headers)]] if has_header else []
    expected = clean("".join(f"{phone}\n" for phone in phones), region=region).numbers

    table = "".join(f"{';'.join(row)}\n" for row in [*header, *rows])
    try:
        sent = clean(table, region=region).numbers
    except JobFailedError:
        sent = []

    assert sent in ([], expected)
    assert sent or blank


@pytest.mark.slow
@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize(
    "header", ["id", "silent", None], ids=["an id header", "a silent header", "no header"]
)
@given(seed=st.integers(0, 10**6))
def test_ids_without_phones_are_refused(name: str, header: str | None, seed: int) -> None:
    rng = random.Random(seed)
    region, make_id, headers = IDS[name]
    first = {"id": [[rng.choice(headers), "Name"]], "silent": [["Feld", "Name"]]}.get(header or "", [])
    rows = [[make_id(rng, row), "Anna Amsel"] for row in range(12)]

    reason = refusal("".join(f"{';'.join(row)}\n" for row in [*first, *rows]), region=region).reason

    assert reason.code is ReasonCode.NO_VALID_NUMBERS
    assert "--column" in reason.message


@pytest.mark.parametrize("header", ["Kunden-Nr.", "Customer", "Order number"])
def test_a_list_below_the_header_of_ids_is_refused(header: str) -> None:
    reason = refusal(f"{header}\n30010000\n30010137\n30010274\n", region="DE").reason

    assert reason.code is ReasonCode.NO_VALID_NUMBERS
    assert header in reason.message


def test_a_list_of_dates_is_refused() -> None:
    assert refusal("2024-01-10\n2024-02-11\n", region="DK").reason.code is ReasonCode.NO_VALID_NUMBERS


def test_a_half_empty_column_of_phones_beats_a_full_one_of_ids() -> None:
    rows = "".join(f"3001{row:04};{'030 2312' + f'{row:04}' if row % 3 else ''}\n" for row in range(12))

    assert clean(f"Kunde;Kontakt\n{rows}", region="DE").counts.submitted == 8


def test_a_specific_header_beats_a_bare_number() -> None:
    rows = f"70000;030 23125001;{A}\n70001;030 23125002;{B}\n"

    assert clean(f"Nummer;Telefon privat;Name\n{rows}", region="DE").numbers == [
        "+493023125001",
        "+493023125002",
    ]


def test_a_bare_number_is_read_if_nothing_is_better() -> None:
    assert (
        clean("Extension,Number,Type\n,2025550101,Mobile\n12,2025550102,Work\n", region="US").counts.submitted
        == 2
    )


def test_a_bare_number_above_ids_is_refused() -> None:
    rows = "".join(f"{number},x\n" for number in ["2025550101", "1025550102", "0025550103", "5550104", "77"])

    assert "--column" in refusal(f"Number,Type\n{rows}", region="US").reason.message


@pytest.mark.parametrize("header", ["Fax", "Telefax", "Tel./Fax"])
def test_fax_numbers_are_never_read(header: str) -> None:
    assert refusal(f"{header};Name\n{A};x\n{B};y\n").reason.code is ReasonCode.NO_VALID_NUMBERS


def test_numbers_with_a_plus_are_read_below_any_other_header() -> None:
    assert clean(f"customer,name\n{A},x\n{B},y\n").numbers == [A, B]


def test_the_clearly_fuller_of_two_phone_columns_is_read() -> None:
    rows = "".join(f"{A if row == 4 else ''},+1202555010{row}\n" for row in range(8))

    assert clean(f"Phone,MobilePhone\n{rows}").counts.submitted == 8


def test_the_first_of_numbered_phone_columns_is_read() -> None:
    assert clean(f"Phone 2 - Value,Phone 1 - Value\n{A},{B}\n").numbers == [B]


@pytest.mark.parametrize(
    "headers", [("Phone", "Mobile"), ("Telefon privat", "Telefon dienstlich"), ("home", "work")]
)
def test_two_close_columns_are_refused_by_name(headers: tuple[str, str]) -> None:
    message = refusal(f"{headers[0]},{headers[1]}\n{A},{B}\n{B},{C}\n").reason.message

    assert f'"{headers[0]}", "{headers[1]}"' in message
    assert "--column" in message


def test_a_nearly_empty_phone_column_beside_a_full_is_refused() -> None:
    rows = "".join(f"{A if row == 4 else ''},+1202555010{row}\n" for row in range(8))

    assert '"Phone", "Kontakt"' in refusal(f"Phone,Kontakt\n{rows}").reason.message


def test_a_header_may_stand_below_a_long_preamble() -> None:
    preamble = "".join(f"Setting {letter}: x\n" for letter in "abcdefghijklmnop")
    cleaned = clean(f"{preamble}\nName,Customer ID,Phone\nAnna,1,{A}\nBert,2,{B}\n")

    assert cleaned.header == ("Name", "Customer ID", "Phone")
    assert cleaned.numbers == [A, B]


def test_a_date_is_not_a_number() -> None:
    rows = "Anna;2023-01-10;70 10 10 00\nBert;2023-02-11;70 10 10 01\n"

    assert clean(f"Navn;Siden;Andet\n{rows}", region="DK").numbers == ["+4570101000", "+4570101001"]


# A list in one line


@pytest.mark.parametrize("delimiter", [",", ", ", ";", " ; ", "\t", "|"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_numbers_in_one_line_are_a_list(delimiter: str, end: str) -> None:
    cleaned = clean(delimiter.join([A, B, "x", C, A, A, B]) + end)

    assert cleaned.header is None
    assert cleaned.entries == [A, B, "\0", C, A, A, B]
    assert cleaned.rejected[0][0] == 3


def test_a_line_of_many_numbers_is_a_list() -> None:
    numbers = [f"+1202{number:07}" for number in range(2000000, 2200000)]

    assert clean(",".join(numbers)).counts.submitted == 200_000


def test_a_table_of_one_row_is_not_a_list() -> None:
    assert clean(f"Jane;Bern;{A}\n").header == ("column_1", "column_2", "column_3")


# phoneCheck


def test_phone_check_takes_only_phone_numbers() -> None:
    def sent(table: str) -> list[str]:
        return clean(table, InputKind.AS_WRITTEN, phones_only=True).numbers

    assert sent(f"Name,Email,Phone 1\nAnna,anna@example.com,{A}\n") == [A]
    assert sent("Customer;City;Contact no.\nAnna;Bonn;+49 30 23125101\nBert;Bonn;\n") == ["+49 30 23125101"]
    assert sent("a;b\n079 000 00 01;2024-01-01\n") == ["079 000 00 01"]
    assert sent("079 1\nJane\njane2000@example.com\n(0)\n") == ["079 1"]


@pytest.mark.parametrize(
    "table",
    [
        "name,Handle\nJane,@jane_doe\nRick,rick.roe\n",
        "Name;Email\nJane;jane@example.com\nRick;rick@example.com\n",
        "Customer;City;Note\nJane;Bonn;\nRick;Bonn;\nAsa;Mainz;x\n",
        "Nickname;Kunden-Nr.\njane;30010000\nrick;30010137\n",
    ],
)
def test_phone_check_gets_no_other_column_and_no_whole_row(table: str) -> None:
    reason = refusal(table, InputKind.AS_WRITTEN, phones_only=True).reason

    assert reason.code is ReasonCode.NO_VALID_NUMBERS


# What was not read


def test_other_columns_with_numbers_are_reported_with_counts() -> None:
    rows = "".join(f"{row},{A if row < 2 else ''},+120255501{row:02},30010000,{C}\n" for row in range(8))
    reading = clean(f"id,Phone,MobilePhone,Customer,Fax\n{rows}").reading

    assert reading.column == "MobilePhone"
    assert [(other.name, other.numbers) for other in reading.other_columns] == [("Phone", 2), ("Fax", 8)]


# Digits that only look like phones

LOOK_ALIKE: dict[str, tuple[str, list[str]]] = {
    "computers' addresses": ("DK", [f"45.12.34.{row}" for row in range(10, 16)]),
    "insurance numbers": ("FR", [f"123-45-67{row}" for row in range(80, 86)]),
    "tax numbers": ("BR", [f"119.876.543-{row}" for row in range(20, 26)]),
    "numbers of contracts": ("US", [f"2024-455-{row:03}" for row in range(100, 106)]),
}
"""Cells in groups whose digits are numbers of a region."""


@pytest.mark.parametrize("name", LOOK_ALIKE)
@pytest.mark.parametrize("header", ["Feld;Name\n", ""], ids=["a silent header", "no header"])
def test_groups_that_no_phone_has_are_weak_evidence(name: str, header: str) -> None:
    region, cells = LOOK_ALIKE[name]
    message = refusal(header + "".join(f"{cell};x\n" for cell in cells), region=region).reason.message

    assert "nothing but the digits says" in message
    assert "--column" in message


@pytest.mark.parametrize(
    ("region", "cell"),
    [
        *(("ES", "612 34 56 7{}"), ("DK", "70 10 10 1{}"), ("US", "202-555-010{}")),
        *(
            ("US", "1-202-555-010{}"),
            ("PL", "22 123 45 6{}"),
            ("RU", "912 345-67-8{}"),
        ),
        *(("international", "44 20 7946 010{}"), ("HU", "20 123 456{}"), ("GB", "07400 12345{}")),
    ],
)
def test_groups_of_phones_are_evidence(region: str, cell: str) -> None:
    rows = "".join(f"x;{cell.format(row)}\n" for row in range(4))

    assert clean(f"Name;Feld\n{rows}", region=region).counts.submitted == 4


@pytest.mark.parametrize("header", ["REGON", "Kunden-Nr.", "Socios", "Membership"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_bare_digits_below_another_word_are_refused(header: str, quote: str) -> None:
    lines = "".join(f"{quote}{612345670 + row}{quote}\n" for row in range(5))

    assert header in refusal(f"{quote}{header}{quote}\n{lines}", region="ES").reason.message
    assert clean(f"{quote}Telefono{quote}\n{lines}", region="ES").counts.submitted == 5
    assert clean(lines, region="ES").counts.submitted == 5


def test_numbers_with_a_plus_are_read_below_any_word() -> None:
    assert clean(f"Gewinner\n{A}\n{B}\n").numbers == [A, B]
    assert clean("Gewinner\n030 23125001\n030 23125002\n", region="DE").counts.submitted == 2


def test_a_list_of_dates_without_separators_is_refused() -> None:
    dates = "".join(f"202401{day:02}\n" for day in range(1, 20))

    assert refusal(dates, region="DK").reason.code is ReasonCode.NO_VALID_NUMBERS
    assert clean("20240101\n20240102\n", region="DK").counts.submitted == 2


# Several tables


def test_two_tables_side_by_side_are_refused_by_letter() -> None:
    table = f"Name,Phone,,Name,Phone\nAnna,{A},,Bert,{B}\nCleo,{C},,Dora,{A}\n"

    assert '"Phone (column B)", "Phone (column E)"' in refusal(table).reason.message
    assert clean(table, choice=Choice("E")).numbers == [B, A]


@pytest.mark.parametrize("blank", ["", "\n", "\n\n"])
def test_another_table_below_is_refused_with_its_row(blank: str) -> None:
    above = "Name;Telefon\n" + "".join(f"Anna;030 2312500{row}\n" for row in range(3))
    below = "Name;Kunden-Nr.\n" + "".join(f"Anna;3001000{row}\n" for row in range(3))
    message = refusal(above + blank + below, region="DE").reason.message

    assert (
        f'In row {5 + len(blank)} begins another table: its column "Kunden-Nr." stands below "Tel' in message
    )
    assert clean(above + blank + above, region="DE").counts.submitted == 3


def test_a_note_in_place_of_a_number_is_no_table() -> None:
    rows = "Anna;030 23125001\nBert;Kunde will nicht\nName unbekannt;Fax\n"

    assert clean(f"Name;Telefon\n{rows}", region="DE").counts.rejected == 2


@pytest.mark.parametrize("choice", ["Rufnummer", "B"])
def test_area_codes_apart_are_refused_beside_a_chosen_column(choice: str) -> None:
    table = "Vorwahl;Rufnummer\n030;23125001\n030;23125002\n"

    assert '"Vorwahl"' in refusal(table, region="DE", choice=Choice(choice)).reason.message


@pytest.mark.parametrize(
    "header",
    [
        *("Correo electr\u00f3nico", "\u30e1\u30fc\u30eb\u30a2\u30c9\u30ec\u30b9", "\u90ae\u7bb1"),
        *("\u041f\u043e\u0447\u0442\u0430", "E-posta", "\uc774\uba54\uc77c"),
    ],
)
def test_a_header_of_addresses_decides_between_columns(header: str) -> None:
    rows = "a@example.com,x@example.com\nb@example.com,y@example.com\n"

    assert clean(f"{header},Reply to\n{rows}", InputKind.EMAIL).numbers == ["a@example.com", "b@example.com"]


@pytest.mark.parametrize(
    ("other", "own"),
    [
        ("Spouse mobile", "Home phone"),
        ("Old phone", "New phone"),
        ("Emergency Contact Number", "Contact Number"),
        ("Notfall Telefon", "Telefon privat"),
    ],
)
def test_the_phone_of_another_person_is_the_last_choice(other: str, own: str) -> None:
    assert clean(f"{other},{own}\n{A},{B}\n").numbers == [B]


def test_a_letterhead_is_not_a_header() -> None:
    cleaned = clean(f"Acme GmbH;Tel. 030 9999999;\nName;Telefon;Ort\nAnna;{A};Bonn\nBert;{B};Bonn\n")

    assert cleaned.header == ("Name", "Telefon", "Ort")
    assert cleaned.counts.rejected == 0


@pytest.mark.parametrize("land", ["", "DE"], ids=["no country", "a country"])
def test_an_id_that_moved_into_the_column_is_rejected(land: str) -> None:
    end = f";{land}" if land else ""
    rows = "".join(f"Anna{end};3001000{row};030 2312500{row}\n" for row in range(3))
    cleaned = clean(
        f"Name{';Land' if land else ''};Kunde;Telefon\n{rows}Bert; jr.{end};30010004;030 23125004\n",
        region="DE",
    )

    assert cleaned.numbers == ["+493023125000", "+493023125001", "+493023125002"]
    ((line, text, reason),) = cleaned.rejected
    assert (line, text.partition(" ")[0]) == (5, "30010004")
    assert "more cells than the header" in reason


def test_cells_behind_the_header_do_not_matter_otherwise() -> None:
    rows = f"Anna;{A};a note;with a delimiter\nBert;030 23125001;{B};{C}\n"

    assert clean(f"Name;Telefon\n{rows}", region="DE").counts.submitted == 2
