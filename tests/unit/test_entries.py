"""Reading entries, kind by kind."""

import subprocess
import sys
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.uploads.entries import email_key, entry_rule
from numberdrop.files.uploads.errors import EntryRejectedError
from numberdrop.files.uploads.text import MAX_LINE_LENGTH
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import ReasonCode
from tests.support.template import PROJECT
from tests.support.uploads import NOT_A_PHONE_NUMBER, clean, refusal

FIRST = "+12025550101"
SECOND = "+12025550102"

WRONG_LENGTH = "wrong length or first digit: write 7 to 15 digits after the +, and do not start with 0"


# Phone numbers in international form


@pytest.mark.parametrize(
    "written",
    [
        "+1 202 555 01 01",
        "+1-202-555-0101",
        "+1.202.555.0101",
        "(+1) 202 5550101",
        "+1 [202] 5550101",
        "0012025550101",
        "00 1 202 555 01 01",
        "+1\u00a0202\u202f555\u20110101",
        "\u202a+12025550101\u202c",
        "'+12025550101",
        '"+1 202 555 0101"',
        '="+12025550101"',
        "+12025550101.0",
        "+12025550101.00",
        "'+12025550101.000",
        "+12025550101.0000",
        "\uff0b1 202 555 0101",
        "tel:+1-202-555-0101",
        "Tel: 001 202 555 0101",
        "+1 202/555-0101",
        "+1 (202)/5550101",
        "001 202 / 555 01 01",
    ],
)
def test_punctuation_around_digits_is_removed(written: str) -> None:
    assert entry_rule(InputKind.PHONE).read(written) == FIRST


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("12025550101", "no country code"),
        ("202 555 0101", "no country code"),
        ("2025550101.0", "no country code"),
        ("+1 202 555 0101\u00b2", "has digits other than 0-9: write it with 0-9"),
        ("4.47E+11", "rounded by a spreadsheet"),
        ("4,47E+11", "rounded by a spreadsheet"),
        ("1.2025550101e10", "rounded by a spreadsheet"),
        ("hello", NOT_A_PHONE_NUMBER),
        ("=HYPERLINK(1)", NOT_A_PHONE_NUMBER),
        ("+12025550101x", NOT_A_PHONE_NUMBER),
        (f"{FIRST},{SECOND}", NOT_A_PHONE_NUMBER),
        (f"{FIRST}/2", NOT_A_PHONE_NUMBER),
        ("+49 301234/0301235", NOT_A_PHONE_NUMBER),
        ("0301234/0301235", NOT_A_PHONE_NUMBER),
        ("+1 202 555/0101/2", NOT_A_PHONE_NUMBER),
        ("1202555/0101234", NOT_A_PHONE_NUMBER),
        ("0011 1 202 555 0101", "0011 is only dialled from a few countries: replace it with +"),
        ("0011447400123456", "0011 is only dialled from a few countries: replace it with +"),
        ("+", NOT_A_PHONE_NUMBER),
        ("+120255", WRONG_LENGTH),
        ("+1202555010100000", WRONG_LENGTH),
        ("+012025550101", WRONG_LENGTH),
    ],
)
def test_an_invalid_number_is_rejected_with_a_plain_reason(written: str, reason: str) -> None:
    cleaned = clean(f"{SECOND}\n\n{written}\n")

    assert cleaned.numbers == [SECOND]
    ((number, text, full_reason),) = cleaned.rejected
    assert (number, text.removeprefix("'")) == (3, written)
    assert full_reason.startswith(reason)


# Phone numbers without a country code


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("(202) 555-0101", "US", FIRST),
        ("202.555.0101", "us", FIRST),
        ("1 202 555 0101", "US", FIRST),
        ("1 202 555 0101", "CA", FIRST),
        ("2025550101.0", "US", FIRST),
        ("020 7946 0123", "GB", "+442079460123"),
        ("(020) 7946-0123", "GB", "+442079460123"),
        ("2079460123", "GB", "+442079460123"),
        ("442079460123", "GB", "+442079460123"),
        ("(0)44 668 18 00", "CH", "+41446681800"),
        ("06 6982", "IT", "+39066982"),
        ("011 44 20 7946 0123", "US", "+442079460123"),
        ("0011 44 7400 123456", "AU", "+447400123456"),
        ("30123456.00", "DE", "+4930123456"),
        ("030/123456", "DE", "+4930123456"),
        ("(030)/123456", "DE", "+4930123456"),
        ("tel:030 123456", "DE", "+4930123456"),
    ],
)
def test_a_national_number_gets_its_country_code(written: str, region: str, number: str) -> None:
    assert entry_rule(InputKind.PHONE, region).read(written) == number


def test_four_zeros_after_a_point_belong_to_the_number() -> None:
    assert entry_rule(InputKind.PHONE).read("+1202555.0000") == "+12025550000"


@pytest.mark.parametrize("written", ["+44 20 7946 0123", "0044 20 7946 0123", "+442079460123"])
@pytest.mark.parametrize("region", ["US", "DE", "AU"])
def test_an_international_number_is_the_same_in_every_region(written: str, region: str) -> None:
    assert entry_rule(InputKind.PHONE, region).read(written) == "+442079460123"


@pytest.mark.parametrize("region", ["US", "DE"])
def test_an_unknown_country_code_after_00_is_rejected(region: str) -> None:
    with pytest.raises(EntryRejectedError, match="unknown country code"):
        entry_rule(InputKind.PHONE, region).read("00 999 123 456 789")


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("0049 30 1234567", "SG", "+49301234567"),
        ("0091 78678 54334", "JP", "+917867854334"),
        ("00375 15 2689190", "JP", "+375152689190"),
        ("0044 7400 123456", "KR", "+447400123456"),
        ("0055 34 99123-4567", "BR", "+5534991234567"),
        ("0057 1 2345678", "DE", "+5712345678"),
        ("0044 7400 123456", "US", "+447400123456"),
        ("001 416 555 0123", "DE", "+14165550123"),
        ("00 800 1234 5678", "DE", "+80012345678"),
        ("001 44 7400 123456", "SG", "+447400123456"),
        ("0015 1 212 555 2368", "BR", "+12125552368"),
        ("002 81 90 1234 5678", "KR", "+819012345678"),
    ],
)
def test_00_is_read_as_a_plus_if_that_makes_a_number(written: str, region: str, number: str) -> None:
    assert entry_rule(InputKind.PHONE, region).read(written) == number


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("0044 121 396 6182", "SG"),
        ("0044 121 396 6182", "TH"),
        ("0049 1512 3456789", "SG"),
        ("0091 78678 54334", "TH"),
        ("0091 78678 54334", "KR"),
        ("0081 90 1234 5678", "KR"),
        ("005551987654321", "BR"),
        ("0055 47 3212-3456", "BR"),
        ("0057 301 1234567", "CO"),
    ],
)
def test_an_ambiguous_number_after_00_is_rejected(written: str, region: str) -> None:
    with pytest.raises(EntryRejectedError, match=r"write \+ instead of 00"):
        entry_rule(InputKind.PHONE, region).read(written)


def test_a_number_that_is_too_long_abroad_is_rejected() -> None:
    with pytest.raises(EntryRejectedError, match="7 to 15 digits"):
        entry_rule(InputKind.PHONE, "DE").read("81015658328484")


@pytest.mark.parametrize(
    ("written", "region", "reason"),
    [
        ("555-0101", "US", "too short for a phone number in US: add the area code"),
        ("12", "GB", "too short for a phone number in GB: check the digits"),
        ("0", "GB", "not a valid phone number in GB: check the digits"),
        ("99999999999", "GB", "too long for a phone number in GB: check the digits"),
        ("1" * 30, "GB", "not a valid phone number in GB: check the digits"),
        ("0230000000", "GB", "not a valid phone number in GB: check the digits"),
        ("1-800-FLOWERS", "US", NOT_A_PHONE_NUMBER),
        ("202 555 0101 x5", "US", "has an extension: write the number without it"),
    ],
)
def test_a_number_that_its_country_does_not_have_is_rejected(written: str, region: str, reason: str) -> None:
    with pytest.raises(EntryRejectedError) as caught:
        entry_rule(InputKind.PHONE, region).read(written)

    assert caught.value.reason == reason


@pytest.mark.parametrize("region", ["XX", "UK", "USA", "44", "+44", "Germany", "ÜÜ"])
def test_an_unknown_region_is_refused_with_advice(region: str) -> None:
    failure = refusal("020 7946 0123\n", region=region)

    assert failure.reason.code is ReasonCode.NO_VALID_NUMBERS
    assert "default-region" in failure.reason.message
    assert region not in failure.reason.message


def test_a_region_that_no_line_needs_is_not_checked() -> None:
    assert clean(f"{FIRST}\n", region="XX").numbers == [FIRST]


def test_libphonenumber_is_imported_only_when_needed() -> None:
    script = (
        "import io, sys\n"
        "from numberdrop.jobs.checkers import InputKind\n"
        "from numberdrop.files.uploads.cleaning import clean_upload\n"
        "from numberdrop.files.uploads.rows import open_upload\n"
        "with open_upload(io.BytesIO(sys.argv[1].encode()), InputKind.PHONE, 'US') as rows:\n"
        "    clean_upload(rows, entries=io.BytesIO())\n"
        "print('phonenumbers' in sys.modules)\n"
    )

    def loaded(upload: str) -> str:
        command = [sys.executable, "-c", script, upload]
        path = {"PYTHONPATH": str(PROJECT / "layers" / "shared")}
        return subprocess.run(command, env=path, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()

    assert loaded("+1 202 555 0101\nhello\n") == "False"
    assert loaded("202 555 0101\n") == "True"
    assert loaded("0012025550102\n") == "True"


@pytest.mark.parametrize("kind", sorted(set(InputKind) - {InputKind.PHONE}))
def test_other_kinds_ignore_the_region(kind: InputKind) -> None:
    assert entry_rule(kind, "no region") == entry_rule(kind)


# Entries as they are written


def test_entries_taken_as_written_are_not_changed() -> None:
    written = ["079 000 00 01", "+41 (0)79", "12025550101", "hello", "\u0664\u0661", "x" * 64, "x", "=1"]
    cleaned = clean("\n".join(f" {entry}\t" for entry in written), InputKind.AS_WRITTEN)

    assert cleaned.numbers == written


def test_entries_taken_as_written_are_compared_as_text() -> None:
    cleaned = clean("+41 79\n+4179\n+41 79\n", InputKind.AS_WRITTEN)

    assert cleaned.numbers == ["+41 79", "+4179"]
    assert cleaned.counts.duplicates == 1


@pytest.mark.parametrize("absurd", ["x" * 65, "41\t79", "41\x0b79", "41\u202879", "41\x8579"])
def test_absurd_entries_are_rejected_even_as_written(absurd: str) -> None:
    cleaned = clean(f"ok\n{absurd}\n", InputKind.AS_WRITTEN)

    assert cleaned.numbers == ["ok"]
    assert cleaned.counts.rejected == 1


# E-mail addresses


def test_only_the_domain_of_an_address_ignores_case() -> None:
    upload = "Bob@Example.com\nbob@example.com\nBob@example.COM\nbob@example.com\n"
    cleaned = clean(upload, InputKind.EMAIL)

    assert cleaned.numbers == ["Bob@Example.com", "bob@example.com"]
    assert cleaned.counts.duplicates == 2


@pytest.mark.parametrize(
    "written",
    [
        "bob",
        "bob@localhost",
        "@example.com",
        "bob@",
        "a@b@example.com",
        "bob smith@example.com",
        "Bob <bob@example.com>",
        "a@example.com,b@example.com",
        "bob@example..com",
        "bob\x07@example.com",
        f"bob@{'x' * 250}.com",
    ],
)
def test_an_invalid_address_is_rejected(written: str) -> None:
    cleaned = clean(f"ok@example.com\n{written}\n", InputKind.EMAIL)

    assert cleaned.numbers == ["ok@example.com"]
    assert cleaned.only_reason == "not an e-mail address: write one address, as name@example.com"


# All kinds


@given(st.text(min_size=1), st.sampled_from(InputKind), st.sampled_from([None, "US", "DE"]))
def test_an_entry_has_no_line_feed_and_no_rejection_mark(
    text: str, kind: InputKind, region: str | None
) -> None:
    try:
        entry = entry_rule(kind, region).read(text)
    except EntryRejectedError:
        return
    assert entry
    assert not {"\n", "\r", "\0"} & set(entry)


@pytest.mark.parametrize("kind", InputKind)
@pytest.mark.parametrize("region", [None, "US"])
@pytest.mark.parametrize("part", ["7", "(", " 1", "(0", "1,", "a@", "a.", "-", "+", "\u0661", ".0"])
def test_no_line_takes_long_to_read(part: str, region: str | None, kind: InputKind) -> None:
    begun = process_time()

    with pytest.raises(EntryRejectedError):
        entry_rule(kind, region).read(part * (MAX_LINE_LENGTH // len(part)))

    assert process_time() - begun < 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane@EXAMPLE.com", "jane@example.com"),
        ("jane@example.com\u200b", "jane@example.com"),
        ("\ufeffja\u00adne@example.com", "jane@example.com"),
        ("jose\u0301@example.com", "jos\u00e9@example.com"),
        ("jane@MU\u0308NCHEN.example", "jane@m\u00fcnchen.example"),
    ],
)
def test_spellings_of_one_address_have_one_key(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)


@pytest.mark.parametrize(
    "other", ["Jane@example.com", "jan@example.com", "jane@example.org", "jan\u00e9@example.com"]
)
def test_different_addresses_have_different_keys(other: str) -> None:
    assert email_key("jane@example.com") != email_key(other)
