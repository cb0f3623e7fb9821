"""Phone numbers are read however people and programs write them."""

import pytest

from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.files.uploads.phone_numbers import further_numbers, read_phone_number
from numberdrop.jobs.checkers import InputKind
from tests.support.uploads import NOT_A_PHONE_NUMBER, clean

FIRST = "+12025550101"
SECOND = "+12025550102"
EXTENSION = "has an extension: write the number without it"


@pytest.mark.parametrize(
    "written",
    [
        "\uff0b\uff11 \uff12\uff10\uff12 \uff15\uff15\uff15 \uff10\uff11\uff10\uff11",
        "\uff0b\uff11\uff08\uff12\uff10\uff12\uff09555\uff0d0101",
        "+\u0661 \u0662\u0660\u0662 \u0665\u0665\u0665 \u0660\u0661\u0660\u0661",
        "+\u06f1\u06f2\u06f0\u06f2\u06f5\u06f5\u06f5\u06f0\u06f1\u06f0\u06f1",
        "+\u0967\u0968\u0966\u0968\u096b\u096b\u096b\u0966\u0967\u0966\u0967",
        "\u27951 202 555 0101",
        "+1\u2212202\u2212555\u22120101",
        "+1\u00ad202\u00ad555\u00ad0101",
        "+1\u2013202\u2014555\ufe580101",
        "+1\u00b7202\u00b7555\u00b70101",
        "+1\ufe0d 202 555 0101",
        "\u202d+1 202 555 0101\u202c",
        "\ufeff+1 202 555 0101\u3164",
        "+1\u3000202\u2003555\u00a00101",
    ],
)
def test_digits_and_signs_of_any_script_are_read(written: str) -> None:
    assert read_phone_number(written) == FIRST


@pytest.mark.parametrize("written", ["\uff10\uff12\uff10 7946 0123", "\uff08020\uff09 7946\u22120123"])
def test_national_numbers_of_any_script_are_read(written: str) -> None:
    assert read_phone_number(written, "GB") == "+442079460123"


@pytest.mark.parametrize(
    "written",
    [
        "p:+12025550101",
        "p: +1 202 555 0101",
        "TEL:+1-202-555-0101",
        "tel://+12025550101",
        "whatsapp:+12025550101",
        "sms:+12025550101",
        "Mobile: +1 202 555 0101",
        "12025550101@c.us",
        "12025550101@s.whatsapp.net",
        "12025550101:17@s.whatsapp.net",
        "https://wa.me/12025550101",
        "http://www.wa.me/+12025550101/",
        "wa.me/12025550101?text=hello%20there",
        "https://api.whatsapp.com/send?phone=12025550101&text=hello",
        "https://api.whatsapp.com/send/?text=hello&phone=%2B12025550101",
        "https://web.whatsapp.com/send?phone=12025550101",
        "whatsapp://send?phone=12025550101",
    ],
)
@pytest.mark.parametrize("region", [None, "DE"])
def test_what_apps_write_around_a_number_is_removed(written: str, region: str | None) -> None:
    assert read_phone_number(written, region) == FIRST


@pytest.mark.parametrize(
    "written",
    [
        "120363025555010101@g.us",
        "12025550101@example.com",
        "1234567890123@lid",
        "https://wa.me/message/ABC12345DEF1G1",
        "https://example.com/12025550101",
        "https://wa.me/qr/12025550101",
        "fax: +12025550101",
    ],
)
def test_other_links_and_chats_are_rejected(written: str) -> None:
    with pytest.raises(EntryRejectedError, match="not a phone number"):
        read_phone_number(written)


@pytest.mark.parametrize(
    "written",
    [
        f"{FIRST} ::: {SECOND}",
        f"{FIRST}:::{SECOND} ::: +1 202 555 0103",
        f"{FIRST} ::: n/a",
        f"{FIRST};{SECOND}",
        f"+1 202 555 0101; {SECOND};",
        f"{FIRST}/{SECOND}",
        "+1 202 555 0101 / +1 202 555 0102",
        f"tel:{FIRST};tel:{SECOND}",
    ],
)
def test_the_first_of_several_numbers_is_read(written: str) -> None:
    assert read_phone_number(written) == FIRST


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0301234/0301235", "+49301234"),
        ("03012345/03012346", "+493012345"),
        ("+49 301234/0301235", "+49301234"),
    ],
)
def test_two_numbers_with_a_slash_between_are_not_merged(written: str, number: str) -> None:
    assert read_phone_number(written, "DE") == number
    assert further_numbers(written) == 1


@pytest.mark.parametrize(
    "written",
    [
        f"{FIRST}/2",
        f"{FIRST}; 12",
        f"{FIRST};phone-context=example.com",
        f"{FIRST},{SECOND}",
        f"{FIRST} {SECOND}",
        f"{FIRST} or 0102",
        "+1 202 555/0101/2",
        "+1 202 555 0101 (home)",
    ],
)
def test_a_separator_without_a_second_number_is_rejected(written: str) -> None:
    with pytest.raises(EntryRejectedError, match="not a phone number"):
        read_phone_number(written)


def test_further_numbers_of_a_cell_are_counted() -> None:
    cleaned = clean(
        f"{FIRST} ::: {SECOND} ::: +1 202 555 0103\n+1 202/555-0104\n{FIRST}/2\n+1 202 555 0105\n"
    )

    assert cleaned.numbers == [FIRST, "+12025550104", "+12025550105"]
    assert cleaned.counts.further == 2
    assert cleaned.counts.rejected == 1


@pytest.mark.parametrize(
    "written",
    [
        "+1 202 555 0101 x12",
        "+1 202 555 0101x12",
        "+1 202 555 0101 ext. 5",
        "+1 202 555 0101 Extension: 5",
        "tel:+1-202-555-0101;ext=3",
        "+1 202 555 0101,,44#",
        "+1 202 555 0101 #44",
        "+7 495 123-45-67 \u0434\u043e\u0431. 12",
    ],
)
def test_an_extension_is_rejected_as_such(written: str) -> None:
    with pytest.raises(EntryRejectedError) as caught:
        read_phone_number(written)

    assert caught.value.reason == EXTENSION


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("1) 0176 04069000", "DE", "+4917604069000"),
        ("12) 0176 04069011", "DE", "+4917604069011"),
        ("20. 0176 04069000", "DE", "+4917604069000"),
        ("3) +1 202 555 0101", None, FIRST),
        ("4. +1 202 555 0101", None, FIRST),
        ("(5) +1 202 555 0101", None, FIRST),
        ("6 +1 202 555 0101", None, FIRST),
        ("1. 202 555 0101", "US", FIRST),
        ("44 020 7946 0123", "GB", "+442079460123"),
        ("(44) 020 7946 0123", "GB", "+442079460123"),
        ("(202) 555 0101", "US", FIRST),
    ],
)
def test_the_number_of_a_line_is_dropped(written: str, region: str | None, number: str) -> None:
    assert read_phone_number(written, region) == number


@pytest.mark.parametrize("item", range(1, 300))
@pytest.mark.parametrize("style", ["{})", "{}.", "{}:", "({})", "{}", "{} -"])
def test_the_number_of_a_line_never_joins_the_phone_number(style: str, item: int) -> None:
    for written in ("0176 04069000", "030 23125105", "+49 176 04069000"):
        try:
            number = read_phone_number(f"{style.format(item)} {written}", "DE")
        except EntryRejectedError:
            continue
        assert number == read_phone_number(written, "DE")


def test_foreign_digits_in_a_refusal_are_named() -> None:
    with pytest.raises(EntryRejectedError, match="digits other than 0-9"):
        read_phone_number("+1 202 555 0101\u00b2")


def test_invisible_characters_do_not_reach_the_vendor() -> None:
    upload = "\ufeffann@example.com\n\ufeffbob@example.com\nbob@example.com\n\u200bjohn@example.com\n"
    cleaned = clean(
        f"{upload}john@example.com\njose\u0301@example.com\njos\u00e9@example.com\n", InputKind.EMAIL
    )

    assert cleaned.numbers == [
        "ann@example.com",
        "bob@example.com",
        "john@example.com",
        "jos\u00e9@example.com",
    ]
    assert NOT_A_PHONE_NUMBER not in cleaned.listing


@pytest.mark.parametrize(
    "written",
    ["+49 30 231250 (12)", "030 231250 (2)", "0176 0406900 (0)", "030 2312500 [1]", "30 231250(12)"],
)
def test_digits_in_brackets_behind_a_number_never_join_it(written: str) -> None:
    for region in ("DE", None):
        with pytest.raises(EntryRejectedError) as caught:
            read_phone_number(written, region)
    assert caught.value.reason == "has digits in brackets behind the number: remove them"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+43/664/1234567", "+436641234567"),
        ("0043/664/123 45 67", "+436641234567"),
        ("+49 / 30 / 23125001", "+493023125001"),
        ("(+49)/30/23125001", "+493023125001"),
    ],
)
def test_a_slash_may_stand_behind_the_country_code_too(written: str, number: str) -> None:
    assert read_phone_number(written) == number
    assert further_numbers(written) == 0


@pytest.mark.parametrize(
    "written", ["\u201c{}\u201d", "\u2018{}\u2019", "\u00ab{}\u00bb", "\u2022 {}", "* {}"]
)
def test_quotation_marks_and_bullets_are_dropped(written: str) -> None:
    assert read_phone_number(written.format(FIRST)) == FIRST


@pytest.mark.parametrize(
    "written",
    [
        *(
            "Telefon: {}",
            "Mobil: {}",
            "Handy:{}",
            "T\u00e9l. : {}",
            "\u0442\u0435\u043b.: {}",
            "M\u00f3vil: {}",
        ),
        *("\u7535\u8bdd\uff1a{}", "\U0001f4de {}", "\u260e{}"),
    ],
)
def test_words_and_pictures_for_phone_are_dropped(written: str) -> None:
    assert read_phone_number(written.format(FIRST)) == FIRST


@pytest.mark.parametrize("label", ["Fax", "Telefax", "Kunde", "ID", "Telefonrechnung", "IBAN"])
def test_a_number_behind_another_word_is_rejected(label: str) -> None:
    with pytest.raises(EntryRejectedError):
        read_phone_number(f"{label}: {FIRST}")
