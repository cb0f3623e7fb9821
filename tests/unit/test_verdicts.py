"""Which column of an export carries the verdict, and which verdict the vendor's words stand for."""

import pytest

from numberdrop.files.exports.verdicts import verdict_column, verdict_of
from numberdrop.jobs.checkers import checkers


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        *(
            (word, "yes")
            for word in ("yes", "YES", " Yes ", "true", "1", "active", "activated", "registered")
        ),
        *((word, "yes") for word in ("valid", "exists", "是", "已激活", "已注册")),
        *((word, "no") for word in ("no", "No", "false", "0", "inactive", "unactivated", "unregistered")),
        *(
            (word, "no")
            for word in ("invalid", "not registered", "not_registered", "Not  Active", "否", "未激活")
        ),
        *(
            (word, "yes")
            for word in (
                "1.0",
                "有",
                "注册",
                "已註冊",
                "found",
                "\uff39\uff25\uff33",
                "Yes.",
                "yes\u200b",
                ' "yes"',
                '="yes"',
            )
        ),
        *(
            (word, "no")
            for word in ("0.0", "无", "没有", "未註冊", "not found", "Not-Registered", "non-active")
        ),
        *(
            (word, "unknown")
            for word in ("-1", "yes/no", "no data", "no result", "nope", "未知", "未检测", "=yes")
        ),
        *((word, "unknown") for word in ("unknown", "N/A", "", "ban", "banned", "yes?", "2", "business")),
    ],
)
def test_a_word_means_yes_no_or_unknown(word: str, verdict: str) -> None:
    assert verdict_of(word) == verdict


@pytest.mark.parametrize(("word", "verdict"), [("1", "unknown"), ("0", "unknown"), ("Yes", "yes")])
def test_digits_are_unknown_in_a_column_without_known_name(word: str, verdict: str) -> None:
    assert verdict_of(word, has_digits=False) == verdict


@pytest.mark.parametrize(
    ("name", "columns", "column"),
    [
        ("band", ["band"], "band"),
        ("band", ["whatsapp", "band"], "band"),
        ("band", ["activated", "band"], "band"),
        ("band", ["whatsapp", "activated"], "activated"),
        ("band", ["band_days", "has_band"], "has_band"),
        ("band", ["result", "note"], "result"),
        ("band", ["note", "activestatus"], "activestatus"),
        ("band", ["status", "activated"], "activated"),
        ("band", ["note", "是否注册"], "是否注册"),
        ("ws_active", ["activated", "activetime", "business"], "activated"),
        ("ws", ["whatsapp", "telegram"], "whatsapp"),
        ("wa-deep", ["age", "avatar", "whatsapp", "note"], "whatsapp"),
        ("wa-detail", ["signature", "status_update", "whatsapp"], "whatsapp"),
        ("netflix-simple", ["status", "whatsapp_business"], "whatsapp_business"),
        ("phonecheck", ["phonecheck", "region"], "phonecheck"),
        ("tg_active", ["telegram_days", "activated"], "activated"),
        ("apple_email", ["mexc", "apple"], "apple"),
        ("x-simple", ["note", "x"], "x"),
        ("twitter", ["x", "twitter"], "twitter"),
        ("band", ["valid", "active"], "active"),
        ("band", ["is_valid", "is_active"], "is_active"),
        ("band", ["status", "exists"], "exists"),
        ("band", ["status", "is_registered"], "is_registered"),
        ("band", ["bandstatus", "whatsappstatus"], "bandstatus"),
        ("band", ["band_yes_no", "note"], "band_yes_no"),
        ("band", ["isregistered", "createdat"], "isregistered"),
        ("band", ["是否注册_activated", "备注"], "是否注册_activated"),
        ("ws", ["hastelegram", "haswhatsapp"], "haswhatsapp"),
        ("ws", ["whatsapp_active", "whatsapp_registered"], "whatsapp_registered"),
        ("band", ["band_active", "has_band"], "has_band"),
    ],
)
def test_the_verdict_column_belongs_to_the_checker(name: str, columns: list[str], column: str) -> None:
    assert verdict_column(columns, checkers()[name]) == column


@pytest.mark.parametrize("name", ["found_there", "column_2", "account", "check", "list"])
def test_a_single_column_carries_the_verdict(name: str) -> None:
    assert verdict_column([name], checkers()["band"]) == name


@pytest.mark.parametrize(
    "name",
    [
        *("unregistered", "not_registered", "no_band", "invalid", "is_inactive", "未注册", "error", "banned"),
        *("country", "iso", "language", "name", "gender", "online", "business", "has_avatar", "premium"),
        *("landline", "ported", "duplicate", "band_business"),
    ],
)
def test_a_single_column_about_anything_else_does_not(name: str) -> None:
    assert verdict_column([name], checkers()["band"]) is None


@pytest.mark.parametrize(
    "columns",
    [
        [],
        ["number_type", "carrier"],
        ["region", "activated_at"],
        ["telegram_days"],
        ["age"],
        ["last_seen_date"],
        ["whatsapp"],
        ["is_telegram"],
        ["whatsapp", "telegram"],
        ["telegram是否注册"],
    ],
)
def test_other_columns_are_not_taken_for_verdicts(columns: list[str]) -> None:
    assert verdict_column(columns, checkers()["band"]) is None
