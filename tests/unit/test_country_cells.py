"""The ways in which forms and exports write a country, and which of several country columns counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.uploads.country_cells import names_nothing, regions_of_cell
from tests.support.uploads import clean, refusal

BERLIN = [f"+493023125{row:03}" for row in range(4)]
HOME_NUMBERS = ("030 23125000", "01 99 00 10 11", "(202) 555-0101", "07400 123450", "312 345 6780")
NUMBERS = ["+493023125000", "+33199001011", "+12025550101", "+447400123450", "+393123456780"]

CELLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "a name and a code in brackets": (
        "Country",
        ("Germany (+49)", "France (+33)", "United States (+1)", "United Kingdom (+44)", "Italy (+39)"),
    ),
    "a name and a code": (
        "Country",
        ("Germany +49", "France +33", "United States +1", "United Kingdom +44", "Italy +39"),
    ),
    "a code and a name": (
        "Country",
        ("+49 Germany", "+33 France", "+1 United States", "+44 United Kingdom", "+39 Italy"),
    ),
    "an ISO code and a name": (
        "Country",
        ("DE - Germany", "FR - France", "US - United States", "GB - United Kingdom", "IT - Italy"),
    ),
    "a name and an ISO code": (
        "Country",
        ("Germany (DE)", "France (FR)", "United States (US)", "United Kingdom (GB)", "Italy (IT)"),
    ),
    "an ISO code and a calling code": (
        "Phone country",
        ("DE (+49)", "FR (+33)", "US +1", "GB +44", "IT +39"),
    ),
    "codes of both kinds": ("Dial code", ("DE +49", "FR +33", "US +1", "GB +44", "IT +39")),
    "a flag": ("Country", ("🇩🇪", "🇫🇷", "🇺🇸", "🇬🇧", "🇮🇹")),
    "a flag and a name": ("Country", ("🇩🇪 Germany", "🇫🇷 France", "🇺🇸 USA", "🇬🇧 UK", "🇮🇹 Italy")),
    "a locale": ("Country", ("de-DE", "fr-FR", "en_US", "en-GB", "it-IT")),
    "a city and a name": (
        "Country",
        ("Berlin, Germany", "Paris, France", "Washington, USA", "London, England", "Roma, Italia"),
    ),
    "the letter of cars": ("Land", ("D", "F", "USA", "GB", "I")),
    "a code in brackets": ("Country Code", ("(49)", "(33)", "(1)", "(44)", "(39)")),
    "a code in quotes": ("Country Code", ("'+49", "'+33", "'+1", "'+44", "'+39")),
    "a code with a space": ("Country Code", ("+ 49", "+ 33", "+ 1", "+ 44", "+ 39")),
    "a code that is dialled": ("Country Code", ("0049", "0033", "001", "0044", "0039")),
}  # fmt: skip
"""Country columns: the header, and the cells for ``HOME_NUMBERS``."""


@pytest.mark.parametrize("region", [None, "US", "FR", "international"])
@pytest.mark.parametrize("name", CELLS)
def test_a_country_is_read_however_a_form_writes_it(name: str, region: str | None) -> None:
    header, cells = CELLS[name]
    rows = "".join(f'"{cell}";{number}\n' for cell, number in zip(cells, HOME_NUMBERS, strict=True))

    assert clean(f"{header};Phone\n{rows}", region=region).numbers == NUMBERS


@pytest.mark.parametrize(
    "cell",
    [
        *("Georgia, USA", "Los Angeles, CA", "Ireland (the other)", "Germany (+33)", "DE - France", "Narnia"),
        *("Germany, Austria", "Germany/Austria", "12 345", "+999", "x"),
    ],
)
def test_a_cell_that_may_name_another_country_names_none(cell: str) -> None:
    assert regions_of_cell(cell) == ()


@pytest.mark.parametrize(
    ("cell", "region"), [("Korea, North", "KP"), ("Ireland (Northern)", "GB"), ("Sudan, South", "SS")]
)
def test_a_name_may_be_turned_round(cell: str, region: str) -> None:
    assert regions_of_cell(cell) == (region,)


@pytest.mark.parametrize("cell", ["-", "?", "n/a", "N/A", "null", "NULL", "none", "(blank)", "--"])
def test_a_word_for_nothing_is_no_country(cell: str) -> None:
    assert names_nothing(cell)
    assert clean(f"Land;Tel\nSchweiz;044 668 18 00\n{cell};030 23125000\n", region="DE").numbers == [
        "+41446681800",
        "+493023125000",
    ]


def test_a_slash_in_the_country_is_no_further_number() -> None:
    assert clean("Land;Tel\nSchweiz;044 668 18 00\nN/A;+493023125000\n").counts.further == 0
    assert clean("Land;Tel\nSchweiz;044 668 18 00 / 044 668 18 01\n").counts.further == 1


def test_the_island_of_a_code_is_read() -> None:
    table = "Country Code,Phone\n+1-242,242 359 1234\n+1 (876),876 210 1234\n1-868,868 291 1234\n"

    assert clean(table, region="DE").numbers == ["+12423591234", "+18762101234", "+18682911234"]


@pytest.mark.parametrize("region", [None, "IT"])
def test_rows_of_unknown_countries_are_rejected(region: str | None) -> None:
    places = ["France", "Elsewhere", "Overseas", "France", "Europe", "Frankreich, vielleicht"]
    rows = "".join(f'"{place}";01 99 00 10 1{row}\n' for row, place in enumerate(places))
    cleaned = clean(f"Country;Phone\n{rows}", region=region)

    assert cleaned.numbers == ["+33199001010", "+33199001013"]
    assert "unknown country in its row" in cleaned.rejected[0][2]


def test_digits_with_their_country_code_beside_the_country() -> None:
    cleaned = clean("Country;Phone\nGermany;4915123456770\nGermany;030 23125000\n", region="international")

    assert cleaned.numbers == ["+4915123456770", "+493023125000"]


@pytest.mark.parametrize(
    "header",
    [
        *("Country Name", "ISO", "LKZ", "Ländercode", "Länderkennzeichen", "Wohnsitzland", "Kundenland"),
        *(
            "Nazione",
            "Kod kraju",
            "Код страны",
            "国家代码",
            "国名",
            "국가코드",
            "البلد",
            "देश",
            "Χώρα",
            "Krajina",
        ),
        *("Riik", "Valsts", "Šalis", "Držáva", "Държава", "Landcode", "מדינה"),
    ],
)
def test_a_header_names_a_country_in_many_languages(header: str) -> None:
    rows = "".join(f"CH;044 668 18 0{row}\n" for row in range(3))

    assert clean(f"{header};Telefon\n{rows}", region="DE").numbers[0] == "+41446681800"


@pytest.mark.parametrize(
    "header",
    [
        *("Geburtsland", "Herkunftsland", "Reiseland", "Language", "IP country", "Lieblingsland", "Ausland"),
        *("VAT Country", "Steuer-Land"),
    ],
)
def test_a_country_of_something_else_is_not_used(header: str) -> None:
    rows = "".join(f"Italien;{number.replace('+49', '0')}\n" for number in BERLIN)

    assert clean(f"{header};Telefon\n{rows}", region="DE").numbers == BERLIN


@pytest.mark.parametrize("region", [None, "GB", "US"])
def test_the_country_of_the_delivery_is_better_than_none(region: str | None) -> None:
    rows = "".join(f"{number.replace('+49', '0')};Germany\n" for number in BERLIN)

    assert clean(f"Phone;Shipping Country\n{rows}", region=region).numbers == BERLIN
    with_both = clean(f"Phone;Shipping Country;Country\n{rows.replace('Germany', 'France;Germany')}")
    assert with_both.reading.country_column == "Country"
    assert with_both.numbers == BERLIN


@pytest.mark.parametrize("own", ["Billing", "Shipping", "Home", "Business"])
@given(st.permutations(["own country", "other country", "phone"]))
def test_the_country_belongs_to_the_phone_it_is_named_after(own: str, order: list[str]) -> None:
    other = {"Billing": "Shipping", "Shipping": "Billing", "Home": "Business", "Business": "Home"}[own]
    headers = {"own country": f"{own} Country", "other country": f"{other} Country", "phone": f"{own} Phone"}
    rows = [
        {"own country": "Germany", "other country": "France", "phone": number.replace("+49", "0")}
        for number in BERLIN
    ]
    lines = [";".join(line[name] for name in order) for line in (headers, *rows)]
    cleaned = clean("".join(f"{line}\n" for line in lines), region="FR")

    assert cleaned.numbers == BERLIN
    assert cleaned.reading.country_column == f"{own} Country"


def test_a_code_alone_needs_a_plus() -> None:
    numbers = [number.replace("+49", "0") for number in BERLIN]
    groups = "".join(f"{30 + row};{number}\n" for row, number in enumerate(numbers))

    assert clean(f"Code;Telefon\n{groups}", region="DE").numbers == BERLIN


@pytest.mark.parametrize("region", ["DE", "US", "BR", "PT", "DK", None])
@pytest.mark.parametrize(
    ("area", "codes", "number"),
    [
        ("Vorwahl", ["030", "089", "0711"], "2312500{}"),
        ("Vorwahl", ["30", "89", "711"], "2312500{}"),
        ("Area Code", ["202", "(202)", "310"], "555010{}"),
        ("DDD", ["11", "21", "31"], "96123-456{}"),
        ("Prefisso", ["02", "06", "011"], "1234567{}"),
        ("Код города", ["495", "812", "383"], "123-45-6{}"),
    ],
)
def test_area_codes_in_another_column_are_refused(
    area: str, codes: list[str], number: str, region: str | None
) -> None:
    rows = "".join(f"{code};{number.format(row)}\n" for row, code in enumerate(codes))
    message = refusal(f"{area};Telefon\n{rows}", region=region).reason.message

    assert f'"{area}"' in message
    assert '"Telefon"' in message
    assert "one column" in message


@pytest.mark.parametrize(
    ("area", "number", "region"),
    [("030", "030 2312500{}", "DE"), ("030", "+49 30 2312500{}", "DE"), ("30", "302312500{}", "DE")],
)
def test_area_codes_beside_whole_numbers_do_not_matter(area: str, number: str, region: str) -> None:
    rows = "".join(f"{area};{number.format(row)}\n" for row in range(4))

    assert clean(f"Vorwahl;Telefon\n{rows}", region=region).numbers == [
        f"+49302312500{row}" for row in range(4)
    ]


def test_states_are_not_countries() -> None:
    rows = "BE;030 23125000\nBY;030 23125001\nSN;030 23125002\n"

    assert clean(f"Bundesland;Telefon\n{rows}", region="DE").numbers == BERLIN[:3]


@pytest.mark.parametrize("region", [None, "CN"])
def test_countries_with_short_names_are_names_in_full(region: str | None) -> None:
    rows = "日本;090-1234-5678\n香港;5123 4567\n某地;13800138000\n某地;13800138001\n"

    assert clean(f"国家/地区;手机\n{rows}", region=region).numbers == ["+819012345678", "+85251234567"]


@pytest.mark.parametrize(
    "cell", ["Hong Kong, China", "China (Hong Kong)", "Hong Kong SAR", "香港", "HK (China)"]
)
def test_a_region_of_a_country_counts_more_than_the_country(cell: str) -> None:
    assert regions_of_cell(cell) == ("HK",)
    assert regions_of_cell("United States +1") == ("US",)


@pytest.mark.parametrize(("area", "number"), [("02", "2123-456{}"), ("2", "2123456{}"), ("02", "2345 678{}")])
def test_numbers_may_begin_with_the_digit_of_their_area_code(area: str, number: str) -> None:
    rows = "".join(f"{area};{number.format(row)}\n" for row in range(3))

    assert "지역번호" in refusal(f"지역번호;전화번호\n{rows}", region="KR").reason.message


def test_a_long_cell_of_spaces_takes_no_time() -> None:
    cell = f"Germany{' ' * 60_000}x"

    assert regions_of_cell(cell) == ()
    assert clean(f"Country;Phone\nGermany;030 23125000\n{cell};030 23125001\n").counts.rejected == 1
