"""Which column of an export carries the verdict, and which verdict the vendor's words stand for."""

import pytest

from numberdrop.files.exports.verdicts import verdict_column, verdict_of


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        *(
            (word, "yes")
            for word in ("yes", "YES", " Yes ", "true", "1", "active", "activated", "registered")
        ),
        *((word, "yes") for word in ("valid", "exists", "是")),
        *((word, "no") for word in ("no", "No", "false", "0", "inactive", "unactivated", "unregistered")),
        *((word, "no") for word in ("invalid", "not registered", "not_registered", "Not  Active", "否")),
        *((word, "unknown") for word in ("unknown", "N/A", "", "ban", "banned", "yes?", "2", "business")),
    ],
)
def test_a_word_means_yes_no_or_unknown(word: str, verdict: str) -> None:
    assert verdict_of(word, "band") == verdict


@pytest.mark.parametrize(("word", "verdict"), [("1", "unknown"), ("0", "unknown"), ("Yes", "yes")])
def test_digits_are_unknown_in_a_column_without_known_name(word: str, verdict: str) -> None:
    assert verdict_of(word, "found_there") == verdict


@pytest.mark.parametrize(
    ("columns", "column"),
    [
        (["band"], "band"),
        (["activated", "activetime", "business"], "activated"),
        (["age", "avatar", "whatsapp", "note"], "whatsapp"),
        (["phonecheck", "region"], "phonecheck"),
        (["result", "note"], "result"),
        (["note", "activestatus"], "activestatus"),
        (["status", "activated"], "activated"),
    ],
)
def test_the_verdict_column_is_found_by_its_known_name(columns: list[str], column: str) -> None:
    assert verdict_column(columns) == column


def test_a_single_column_carries_the_verdict() -> None:
    assert verdict_column(["found_there"]) == "found_there"


@pytest.mark.parametrize(
    "columns",
    [
        [],
        ["number_type", "carrier"],
        ["region", "activated_at"],
        ["telegram_days"],
        ["age"],
        ["last_seen_date"],
    ],
)
def test_other_columns_are_not_taken_for_verdicts(columns: list[str]) -> None:
    assert verdict_column(columns) is None
