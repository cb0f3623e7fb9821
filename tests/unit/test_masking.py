"""Phone numbers, e-mail addresses and links are masked in text from outside."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.masking import masked

NUMBER = "+447946012345"


@pytest.mark.parametrize(
    "number",
    [NUMBER, "447946012345", "+44 7946 012345", "(0044) 7946-012.345", "7946/012/345", "+4 4 7 9 4 6 0 1 2"],
)
def test_a_number_is_masked_in_any_notation(number: str) -> None:
    assert masked(f"line 7: {number} is bad") in {
        "line 7: [digits] is bad",
        "line 7: ([digits] is bad",
        "line [digits] is bad",
    }


def test_a_link_is_masked_with_its_signature() -> None:
    assert masked("see HTTPS://host.example/x?sig=abc#y now") == "see [link] now"


def test_an_e_mail_address_is_masked() -> None:
    assert masked("unknown user jo.doe@mail.example!") == "unknown user [address]"


def test_short_counts_are_kept() -> None:
    text = "only 12 compliant numbers remain for ws, which is less than the minimum 500"
    assert masked(text) == text


def test_masked_text_is_on_one_line() -> None:
    assert masked("  a\r\n\tb\u2028c  ") == "a b c"


@given(st.text(st.sampled_from("0123456789 ().-/+x@:\n"), max_size=200))
def test_six_digits_in_a_row_are_masked(text: str) -> None:
    assert not re.search("[0-9]{6}", masked(text))


@given(st.text(max_size=2000))
def test_masked_text_is_short_and_has_no_line_breaks(text: str) -> None:
    result = masked(text)
    assert len(result) <= 300
    assert len(result.splitlines()) <= 1


@pytest.mark.parametrize("letter", ["a", "1-", "a.b", ":"])
@pytest.mark.timeout(20)
def test_masking_a_megabyte_is_fast(letter: str) -> None:
    assert len(masked(letter * 1024 * 1024)) <= 300


def test_a_number_at_the_cut_is_masked() -> None:
    for length in range(250, 320):
        assert "44794" not in masked("x" * length + " " + NUMBER)
