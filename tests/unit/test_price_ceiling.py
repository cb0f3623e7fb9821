"""The most that a file may cost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.jobs.checkers import checkers
from numberdrop.jobs.price_ceiling import ceiling, check_price
from numberdrop.jobs.reasons import JobFailedError, ReasonCode

AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=4)
PRICED = sorted(name for name, checker in checkers().items() if checker.usd_per_10k is not None)


def is_refused(name: str, rows: int, most: Decimal | None) -> bool:
    """Return whether rows for a checker are refused because of their price."""
    try:
        check_price(checkers()[name], rows, most)
    except JobFailedError as error:
        return error.reason.code is ReasonCode.TOO_EXPENSIVE
    return False


@given(st.sampled_from(PRICED), st.integers(1, 10_000_000), AMOUNTS)
def test_rows_are_refused_if_they_cost_more(name: str, rows: int, most: Decimal) -> None:
    per_10k = Decimal(str(checkers()[name].usd_per_10k))
    assert is_refused(name, rows, most) == (rows * per_10k > most * 10_000)


@given(st.sampled_from(sorted(checkers())), st.integers(1, 10_000_000))
def test_without_a_ceiling_any_price_is_paid(name: str, rows: int) -> None:
    assert not is_refused(name, rows, None)


@given(AMOUNTS)
def test_an_unknown_price_is_above_every_ceiling(most: Decimal) -> None:
    assert is_refused("mexc_email", 1, most)


@given(AMOUNTS, st.none() | AMOUNTS)
def test_metadata_lowers_the_ceiling_and_never_raises_it(own: Decimal, stack: Decimal | None) -> None:
    lowest = ceiling({"max-usd": f" {own} "}, stack=stack)
    assert lowest == min(own, own if stack is None else stack)


@pytest.mark.parametrize("metadata", [{}, {"max-usd": ""}, {"max-usd": " "}])
def test_without_metadata_the_ceiling_is_the_stacks(metadata: dict[str, str]) -> None:
    assert ceiling(metadata, stack=Decimal(5)) == 5
    assert ceiling(metadata, stack=None) is None


@pytest.mark.parametrize(
    "text", ["five", "-1", "1,50", "1e3", "NaN", "Infinity", "$5", "5 USD", "٣", "1" * 10]
)
def test_an_unreadable_ceiling_is_refused_not_ignored(text: str) -> None:
    with pytest.raises(JobFailedError, match="max-usd is not an amount") as caught:
        ceiling({"max-usd": text}, stack=None)
    assert caught.value.reason.code is ReasonCode.TOO_EXPENSIVE
    assert text not in caught.value.reason.message or text == "five"


def test_the_message_says_both_amounts_and_what_to_do() -> None:
    with pytest.raises(JobFailedError) as caught:
        check_price(checkers()["band"], 123_456, Decimal("12.30"))
    assert caught.value.reason.message == (
        "At list price, 123,456 entries for band cost 12.3456 USD, and the file may cost at most 12.30 USD. "
        "Split the file, or raise this ceiling (the parameter MaxUsdPerUpload, or the object's metadata "
        "max-usd), and upload it again."
    )
