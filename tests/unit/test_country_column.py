"""Numbers whose country is in a column of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.uploads.country_cells import region_of
from tests.support.uploads import clean, refusal

UNKNOWN = "unknown country in its row: write its ISO code there, or the number as +<country><number>"


@pytest.mark.parametrize("region", [None, "US", "DE"])
@pytest.mark.parametrize("plus", ["", "+", "00"])
def test_a_calling_code_is_joined_with_its_number(region: str | None, plus: str) -> None:
    table = f"Country Code,Phone Number\n{plus}91,7012345601\n{plus}1,2025550104\n{plus}44,1614960106\n"

    assert clean(table, region=region).numbers == ["+917012345601", "+12025550104", "+441614960106"]


@pytest.mark.parametrize("region", [None, "US"])
@pytest.mark.parametrize(
    "country", ["CH", "ch", "CHE", "Switzerland", "Schweiz", "Suisse", "швейцария", "瑞士", "+41"]
)
@pytest.mark.parametrize("header", ["Country", "Land", "Pays", "país"])
def test_a_country_may_be_a_code_or_a_name(region: str | None, country: str, header: str) -> None:
    assert clean(f"{header};Tel\n{country};044 668 18 00\n", region=region).numbers == ["+41446681800"]


def test_a_country_settles_which_of_two_numbers_is_meant() -> None:
    assert clean("Land;Tel\nDeutschland;15123456789\nDE;0171 2345678\n").numbers[0] == "+4915123456789"


def test_an_unknown_country_rejects_the_row() -> None:
    rows = "".join(f"Schweiz;044 668 18 0{row}\n" for row in range(5))
    cleaned = clean(f"Land;Tel\n{rows}Narnia;030 23125001\n", region="DE")

    assert cleaned.counts.submitted == 5
    assert cleaned.rejected == [(7, "030 23125001 (Narnia)", UNKNOWN)]


def test_a_plus_beats_the_country_of_the_row() -> None:
    assert clean("Land;Tel\nSchweiz;+493023125001\nSchweiz;004930 23125002\n").numbers == [
        "+493023125001",
        "+493023125002",
    ]


def test_a_row_without_a_country_has_the_default_region() -> None:
    table = "Land;Tel\nSchweiz;044 668 18 00\n;030 23125001\n"

    assert clean(table, region="DE").numbers == ["+41446681800", "+493023125001"]
    assert clean(table).counts.rejected == 1


@given(st.sampled_from(["FR", "IT", "GB", "US", "AT", "Italia"]))
def test_no_number_is_read_in_another_country_than_its_row_names(country: str) -> None:
    cleaned = clean(f"Land;Tel\n{country};030 23125001\nDE;030 23125002\n", region="DE")

    assert "+493023125001" not in cleaned.numbers


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("Sprache", ["FR", "IT"]),
        ("Birth country", ["FR", "IT"]),
        ("Vorwahl", ["030", "089"]),
        ("Land", ["Bayern", "Hessen"]),
    ],
)
def test_other_columns_are_not_countries(header: str, values: list[str]) -> None:
    rows = "".join(f"{value};030 2312500{index}\n" for index, value in enumerate(values))

    assert clean(f"{header};Tel\n{rows}", region="DE").numbers == ["+493023125000", "+493023125001"]


def test_the_country_column_is_reported() -> None:
    reading = clean("Land;Tel\nSchweiz;044 668 18 00\n").reading

    assert (reading.column, reading.country_column) == ("Tel", "Land")


def test_a_country_that_two_names_share_is_unknown() -> None:
    assert region_of("Kongo") is None
    assert region_of("Congo-Brazzaville") == "CG"


@pytest.mark.parametrize("text", ["N/A", "n/a", "N / A"])
def test_not_available_is_not_namibia(text: str) -> None:
    assert region_of(text) is None


def test_a_number_that_its_country_does_not_have_is_rejected() -> None:
    assert "FR" in refusal("Land;Tel\nFrance;030 23125001\n", region="DE").reason.message
