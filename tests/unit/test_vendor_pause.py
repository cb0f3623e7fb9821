"""The pause that a Retry-After header gives: between one second and 15 minutes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.vendor.answers import DEFAULT_PAUSE, pause_seconds

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 1),
        ("900", 900),
        ("901", 900),
        ("315360000", 900),
        ("999999999999", 900),
        ("Wed, 04 Mar 2026 12:02:00 GMT", 120),
        ("Wednesday, 04-Mar-26 12:02:00 GMT", 120),
        ("Wed Mar  4 12:02:00 2026", 120),
        ("Wed, 04 Mar 2026 13:02:00 +0100", 120),
        ("Wed, 04 Mar 2026 11:00:00 GMT", 1),
        ("Wed, 04 Mar 2036 12:00:00 GMT", 900),
        (None, DEFAULT_PAUSE),
        ("", DEFAULT_PAUSE),
        ("soon", DEFAULT_PAUSE),
        ("-5", DEFAULT_PAUSE),
        ("1.5", DEFAULT_PAUSE),
        ("1e3", DEFAULT_PAUSE),
        ("٣٠", DEFAULT_PAUSE),
        ("9" * 400, DEFAULT_PAUSE),
    ],
)
def test_a_pause_is_read_from_seconds_or_a_date(header: str | None, seconds: int) -> None:
    assert pause_seconds(header, now=NOW) == seconds


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -0100",
        "Mon, 01 Jan 0001 00:00:00 +0100",
        "Mon, 01 Jan 99999999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +999999999999999",
    ],
)
def test_an_impossible_date_gives_a_pause_within_bounds(date: str) -> None:
    assert 1 <= pause_seconds(date, now=NOW) <= 900


@given(
    st.text(max_size=60)
    | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,30} [0-9:]{0,12} [+-]?[0-9]{0,30}")
)
def test_any_header_gives_a_pause_within_bounds(header: str) -> None:
    assert 1 <= pause_seconds(header, now=NOW) <= 900
