"""Numbers in cells of a workbook as a spreadsheet shows them."""

import pytest

from numberdrop.files.formats.number_formats import number_format

CUSTOM = 164
"""The first id of formats that a workbook defines."""


def shown(code: str, number: float) -> str | None:
    show = number_format(CUSTOM, code, from_1904=False)
    return show(number) if show else None


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        ("+0", 447700900123, "+447700900123"),
        ('"+"0', 447700900123, "+447700900123"),
        ("\\+0", 447700900123, "+447700900123"),
        ("+0;-0", 447700900123, "+447700900123"),
        ('"+49 "0', 15123456789, "+49 15123456789"),
        ('"+"00" "000" "000000', 447700900123, "+447 700 900123"),
        ("[$-409]+0", 7, "+7"),
        ("_(+0_)", 7, "+7"),
        ("00000000000", 7700900123, "07700900123"),
        ("0##########", 7700900123, "07700900123"),
        ("0###", 7, "0007"),
        ("0000 000 000", 412345678, "0412 345 678"),
        ("(000) 000-0000", 212345678, "(021) 234-5678"),
        ('"0"0', 612345678, "0612345678"),
        ('"00"0', 447700900123, "00447700900123"),
    ],
)
def test_a_plus_or_zero_of_the_format_is_shown(code: str, number: float, text: str) -> None:
    assert shown(code, number) == text


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("General", 7),
        ("@", 7),
        ("0", 7),
        ("###", 7),
        ("#,##0", 7000),
        ("0.00", 7),
        ("0%", 7),
        ("0E+00", 7),
        ("# ?/?", 7),
        ('"No. "00000', 7),
        ("[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", 2025550101),
        ("+0", 0.5),
        ("+0", -7),
        ("000", 1234),
        ('+0" items"', 7),
        ("*0+0", 7),
        ('"+', 7),
    ],
)
def test_other_formats_leave_the_plain_number(code: str, number: float) -> None:
    assert shown(code, number) is None


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        ("yyyy-mm-dd", 45293, "2024-01-02 00:00:00"),
        ('d"."m"."yy', 45293.5, "2024-01-02 12:00:00"),
        ("h:mm", 0.75, "18:00:00"),
        ("yyyy", 1, "1900-01-01 00:00:00"),
        ("yyyy", 2025550101, "#VALUE!"),
        ("[h]:mm", 1.5, "1 day, 12:00:00"),
    ],
)
def test_dates_and_times_are_shown(code: str, number: float, text: str) -> None:
    assert shown(code, number) == text


def test_built_in_formats_need_no_code() -> None:
    date, hours, plain = (number_format(format_id, None, from_1904=True) for format_id in (14, 46, 4))

    assert date is not None
    assert hours is not None
    assert date(1) == "1904-01-02 00:00:00"
    assert hours(1) == "1 day, 0:00:00"
    assert plain is None
