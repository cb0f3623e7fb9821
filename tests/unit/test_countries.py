"""The country of a number is found by its calling code."""

import pytest
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from numberdrop.files.results.countries import by_country, country_of


@pytest.mark.parametrize(
    ("digits", "country"),
    [
        ("417", "+41 CH"),
        ("491", "+49 DE"),
        ("120", "+1 US"),
        ("790", "+7 RU"),
        ("447", "+44 GB"),
        ("852", "+852 HK"),
        ("800", "+800"),
        ("999", "unassigned"),
        ("210", "unassigned"),
    ],
)
def test_a_number_belongs_to_the_country_of_its_calling_code(digits: str, country: str) -> None:
    assert country_of(digits) == country


def test_no_calling_code_is_a_prefix_of_another() -> None:
    codes = {str(code) for code in COUNTRY_CODE_TO_REGION_CODE}

    assert not [(one, other) for one in codes for other in codes if one != other and other.startswith(one)]


def test_verdicts_are_added_up_by_country_largest_first() -> None:
    counts = [("852", "yes", 1), ("447", "yes", 2), ("447", "no", 5), ("449", "yes", 3), ("120", "no", 4)]

    countries = by_country(counts)

    assert countries == {"+44 GB": {"yes": 5, "no": 5}, "+1 US": {"no": 4}, "+852 HK": {"yes": 1}}
    assert list(countries) == ["+44 GB", "+1 US", "+852 HK"]
