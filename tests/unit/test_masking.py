"""Phone numbers, e-mail addresses, links and secrets are masked in text from outside."""

import base64
import html
import json
import re
import string
import sys
import unicodedata
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from numberdrop.masking import masked, without_personal_data, without_secrets

NUMBER = "+447946012345"
KEY = "ek_live_51Hx9aQ27LmZ"

ALL_DIGITS = re.findall(r"\d", "".join(map(chr, range(sys.maxunicode + 1))))
DIGITS = [[digit for digit in ALL_DIGITS if int(digit) == value] for value in range(10)]
"""The characters of each digit, in every script."""
SEPARATORS = st.characters(categories=["P", "S", "Z", "Cf", "Mn", "Me"], exclude_characters="@")
GAPS = ["", " ", "-", "\N{NO-BREAK SPACE}", "\n"]
LETTERS = st.characters(categories=["Lu", "Ll", "Zs", "P", "S"], exclude_characters="@%")

Spelling = Callable[[str], str]


def percent_encoded(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def as_character_references(text: str) -> str:
    return "".join(f"&#{ord(letter)};" for letter in text)


def json_string(text: str) -> str:
    return json.dumps(text)[1:-1]


SPELLINGS: list[Spelling] = [
    str,
    percent_encoded,
    as_character_references,
    json_string,
    lambda text: quote(text, safe=""),
    lambda text: quote(quote(text, safe=""), safe=""),
    lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
    lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    lambda text: html.escape(text.replace(" ", "\N{NO-BREAK SPACE}")).replace("\N{NO-BREAK SPACE}", "&nbsp;"),
    lambda text: json_string(json_string(text)),
    lambda text: quote(json_string(text)),
]

# Numbers


@pytest.mark.parametrize(
    "number",
    [
        NUMBER,
        "447946012345",
        "+44 7946 012345",
        "(0044) 7946-012.345",
        "7946/012/345",
        "+4 4 7 9 4 6 0 1 2",
        "447,946,012,345",
        "44_7946_012_345",
        "44\N{MIDDLE DOT}7946\N{MIDDLE DOT}012345",
        "44:7946:012:345",
        "44\N{ZERO WIDTH JOINER}7946\N{ZERO WIDTH JOINER}012345",
        "44\N{NON-BREAKING HYPHEN}7946\N{NON-BREAKING HYPHEN}012345",
        "\N{FULLWIDTH PLUS SIGN}" + "".join(chr(ord(digit) + 0xFEE0) for digit in "447946012345"),
        "".join(chr(ord(digit) + 0x630) for digit in "447946012345"),
        "090\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}1234\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}5678",
        "+44 2026-03-04",
        "+20260304",
    ],
)
def test_a_number_is_masked_in_any_notation(number: str) -> None:
    expected = {"line seven: [digits] is bad", "line seven: ([digits] is bad"}
    assert masked(f"line seven: {number} is bad") in expected
    assert without_personal_data(f"line seven: {number} is bad") in expected


@given(st.data(), st.text(st.sampled_from("0123456789"), min_size=7, max_size=15))
def test_no_number_survives(data: st.DataObject, number: str) -> None:
    gap = st.text(SEPARATORS, max_size=3)
    written = "".join(data.draw(st.sampled_from(DIGITS[int(digit)])) + data.draw(gap) for digit in number)
    assume("://" not in written and not may_hold_an_exception(written))
    assert_no_digits(masked(f"a {written} b"))
    assert_no_digits(without_personal_data(f"a {written} b"))


@given(st.text(st.sampled_from("123456789"), min_size=7, max_size=15), st.data())
def test_no_escaped_number_survives(number: str, data: st.DataObject) -> None:
    parts = re.findall(".{1,4}", number)
    written = data.draw(st.sampled_from(GAPS)).join(parts)
    assume(not may_hold_an_exception(written))
    for spelling in SPELLINGS:
        escaped = spelling(f"+{written}")
        for text in (masked(f"a {escaped} b"), without_personal_data(f"a {escaped} b")):
            assert not any(part in text for part in parts if len(part) == 4), (escaped, text)


@pytest.mark.parametrize(
    "number", ["447<b>946</b>012<br/>345", "447%946%012%345", "7946\\n012\\t345", "44;7946;012;345"]
)
def test_markup_between_digits_does_not_hide_a_number(number: str) -> None:
    assert not re.search("946|012", masked(f"line seven: {number} is bad"))


def may_hold_an_exception(written: str) -> bool:
    """Return whether the text may hold a date or a count, which are kept."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKC", written)
        if unicodedata.category(letter) not in {"Cf", "Mn", "Me"}
    )
    digits = "".join(str(unicodedata.decimal(letter, letter)) for letter in plain)
    return bool(re.search(r"(19|20)\d\d([-/_.]?)[01]\d\2[0-3]\d|\d,\d{3},\d{3}", digits))


def assert_no_digits(text: str) -> None:
    assert not any(unicodedata.decimal(letter, None) is not None for letter in text), ascii(text)


@given(st.text(LETTERS, max_size=100), st.text("0123456789", max_size=5))
def test_a_text_without_six_digits_is_unchanged(text: str, digits: str) -> None:
    plain = unicodedata.normalize("NFKC", text)
    assume("@" not in plain and "://" not in plain)
    assume(all(unicodedata.numeric(letter, None) is None for letter in plain))
    text += digits
    assert masked(text) == " ".join(text.split())
    assert without_personal_data(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "only 12 compliant numbers remain for ws, which is less than the minimum 500",
        "insufficient balance",
        "china_mainland_not_supported",
        "12,000 numbers, 1 + 2",
        "at most 10,000,000 rows",
        "2026-03-04 12:00",
        "2026-03-04T12:00:05.123Z",
        "2026-03-04T12:00:05+02:00",
        "20260304",
        "20260304T120005Z",
        "band/2026/03/04/leads.csv",
        "band/2026-03-04_2.csv",
        "band/sent/2026-03-04-120005-abcdef/leads.csv",
        "2026-03-04 - 2026-03-11",
        "\N{FULLWIDTH LATIN SMALL LETTER A}\N{LATIN SMALL LIGATURE FI} \N{VULGAR FRACTION ONE HALF}",
    ],
)
def test_dates_counts_and_words_are_kept(text: str) -> None:
    assert masked(text) == text
    assert without_personal_data(text) == text


@given(st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001 - only its text matters
def test_every_iso_date_is_kept(moment: datetime) -> None:
    for text in (moment.date().isoformat(), moment.isoformat(), moment.strftime("%Y%m%d")):
        assert masked(text) == text


@given(st.text(st.sampled_from("0123456789 ().-/+x@:\n"), max_size=200))
def test_nine_digits_in_a_row_are_masked(text: str) -> None:
    assert not re.search("[0-9]{9}", masked(text))
    assert not re.search("[0-9]{9}", without_personal_data(text))


def test_a_number_at_the_cut_is_masked() -> None:
    for length in range(250, 320):
        assert "44794" not in masked("x" * length + " " + NUMBER)


# Links and addresses


def test_a_link_is_masked_with_its_signature() -> None:
    assert masked("see HTTPS://host.example/x?sig=abc#y now") == "see [link] now"
    assert masked("see https\N{FULLWIDTH COLON}//host.example/x now") == "see [link] now"
    assert masked(r"see https:\/\/host.example\/x?sig=abc now") == "see [link] now"
    assert masked("see https%3A%2F%2Fhost.example%2Fx%3Fsig%3Dabc now") == "see [link] now"


@pytest.mark.parametrize(
    "address",
    [
        "jo.doe@mail.example!",
        "jane\N{FULLWIDTH COMMERCIAL AT}mail.example",
        "jane\N{SMALL COMMERCIAL AT}mail.example",
        "jane%40mail.example",
        "jane%2540mail.example",
        "jane&#64;mail.example",
        "jane&commat;mail.example",
        r"jane\u0040mail.example",
        "jane\N{ZERO WIDTH SPACE}@mail.example",
    ],
)
def test_an_e_mail_address_is_masked(address: str) -> None:
    assert masked(f"unknown user {address}") == "unknown user [address]"
    assert without_personal_data(f"unknown user {address}") == "unknown user [address]"


# The shape of masked text


def test_masked_text_is_on_one_line() -> None:
    assert masked("  a\r\n\tb\u2028c  ") == "a b c"


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert masked("a\ud83d b\udc00") == "a\ufffd b\ufffd"


def test_format_characters_are_dropped() -> None:
    assert masked("in\u00adva\u200blid\u202e") == "invalid"


@given(st.text(st.characters(exclude_categories=[]), max_size=2000))
def test_masked_text_is_short_encodable_and_on_one_line(text: str) -> None:
    result = masked(text)
    assert len(result) <= 300
    assert len(result.splitlines()) <= 1
    result.encode()


@pytest.mark.parametrize("letter", ["a", "1-", "a.b", ":", "+", "@", "A_b", "\N{ARABIC-INDIC DIGIT ONE}"])
@pytest.mark.timeout(20)
def test_masking_a_megabyte_is_fast(letter: str) -> None:
    assert len(masked(without_secrets(letter * 1024 * 1024, [KEY, letter * 10]))) <= 300


# Secrets


def kept_of(words: str, secret: str) -> str:
    """Return what is kept of the vendor's words about a secret."""
    text = without_secrets(f"wrong: {words}", [secret])
    return text.removeprefix("wrong: ").replace("[secret]", "\0")


@pytest.mark.slow
@given(st.text(string.ascii_letters + string.digits + "_-", min_size=8, max_size=60), st.data())
def test_no_start_or_end_of_a_secret_survives(secret: str, data: st.DataObject) -> None:
    size = data.draw(st.integers(4, len(secret)))
    for part in (secret[:size], secret[-size:], secret[:size].upper()):
        assert part.lower() not in kept_of(f"{part}...", secret).lower()


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=10, max_size=60))
@settings(max_examples=30)
def test_no_spelling_of_a_secret_survives(secret: str) -> None:
    assume(len(re.sub("[^A-Za-z0-9]", "", secret)) >= 8)
    for spelling in SPELLINGS:
        for written in (secret, secret.upper(), secret[:-3], secret[3:]):
            assert spelling(secret[4:-4]) not in kept_of(f"{spelling(written)}, {spelling(written)}", secret)
    for encoded in (base64.b64encode, base64.urlsafe_b64encode, base64.b16encode):
        words = encoded(secret.encode()).decode()
        assert words[:12] not in kept_of(words, secret)


@given(st.text(string.ascii_letters + string.digits, min_size=12, max_size=60), st.data())
def test_a_secret_that_is_broken_up_does_not_survive(secret: str, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 6))
    pieces = [secret[start : start + size] for start in range(0, len(secret), size)]
    gap = data.draw(st.sampled_from([" ", "\n", "\r\n  ", "-", " . ", '" + "', "<br>", "%0A", r"\n"]))
    assert without_secrets(f"wrong: {gap.join(pieces)} !", [secret]) == "wrong: [secret] !"


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", ["000000'\\01", "k3y%41\\nb-%2f77", "ek&amp;live&#39;\\x41zz"])
def test_a_secret_may_look_like_an_escape_sequence(secret: str, spelling: Spelling) -> None:
    for part in (secret[3:], secret[:-3]):
        assert spelling(part) not in kept_of(spelling(part), secret)


def test_the_middle_of_a_secret_is_removed() -> None:
    assert without_secrets(f"key *****{KEY[5:14]}*****", [KEY]) == "key *****[secret]*****"
    assert without_secrets(f"short: {KEY[7:11]}", [KEY]) == f"short: {KEY[7:11]}"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (f"Incorrect API key provided: {KEY}.", "Incorrect API key provided: [secret]"),
        ("key ek_live_****7LmZ", "key [secret]****[secret]"),
        ("ek_l\N{ZERO WIDTH SPACE}ive_51Hx9aQ27LmZ", "[secret]"),
        ("an older key: ek_live_77Jq0aR3d5Wq", "an older key: [secret]"),
        ("user u-9 has no plan for 9", "user [secret] has no plan for 9"),
        ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIi", "Bearer [secret]"),
        ("0123456789abcdef0123", "[secret]"),
    ],
)
def test_the_key_and_tokens_are_removed(words: str, shown: str) -> None:
    assert without_secrets(words, [KEY, "u-9", ""]) == shown


@pytest.mark.parametrize(
    "words",
    [
        "invalid_batch_size: only 12 compliant numbers remain for ws, which is less than the minimum 500",
        "china_mainland_not_supported",
        "error=INSUFFICIENT_BALANCE_OF_ACCOUNT",
        "InsufficientBalanceException",
        "insufficient balance",
    ],
)
def test_the_vendors_words_are_kept(words: str) -> None:
    assert masked(without_secrets(words, [KEY, "u-9"])) == words
