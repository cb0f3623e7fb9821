import csv
import io
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.catalogue import MAX_ROWS, InputKind
from numberdrop.files.numbers import UploadCounts, clean_upload
from numberdrop.reasons import JobFailedError, ReasonCode

FIRST = "+41790000001"
SECOND = "+41790000002"

phone_numbers = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)


@dataclass(frozen=True)
class Cleaned:
    counts: UploadCounts
    numbers: str
    rejected: str

    @property
    def entries(self) -> list[str]:
        return self.numbers.splitlines()

    @property
    def rejected_rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.rejected)))

    @property
    def only_reason(self) -> str:
        (row,) = self.rejected_rows
        return row["reason"]


def clean(upload: str | bytes, kind: InputKind = InputKind.PHONE, max_rows: int = MAX_ROWS) -> Cleaned:
    numbers, rejected = io.BytesIO(), io.StringIO()
    source = io.BytesIO(upload.encode() if isinstance(upload, str) else upload)
    counts = clean_upload(source, kind, numbers=numbers, rejected=rejected, max_rows=max_rows)
    return Cleaned(counts, numbers.getvalue().decode(), rejected.getvalue())


def reason_for(
    upload: str | bytes, kind: InputKind = InputKind.PHONE, max_rows: int = MAX_ROWS
) -> ReasonCode:
    with pytest.raises(JobFailedError) as failure:
        clean(upload, kind, max_rows)
    assert "0000001" not in failure.value.reason.message
    return failure.value.reason.code


def test_a_clean_list_is_sent_as_it_is() -> None:
    cleaned = clean(f"{FIRST}\n{SECOND}\n")

    assert cleaned.numbers == f"{FIRST}\n{SECOND}\n"
    assert cleaned.counts == UploadCounts(lines=2, sent=2, rejected=0, duplicates=0)
    assert cleaned.rejected == ""


@pytest.mark.parametrize(
    "upload",
    [
        f"{FIRST}\r\n{SECOND}\r\n",
        f"{FIRST}\r{SECOND}\r",
        f"{FIRST}\n{SECOND}",
        f"{FIRST}\r\n{SECOND}",
        f"\ufeff{FIRST}\n{SECOND}\n",
        f" \t{FIRST} \n\t{SECOND}\u00a0\n",
        f"\n\n{FIRST}\n \n\t\r\n{SECOND}\n\n",
    ],
)
def test_the_way_lines_are_written_does_not_change_the_numbers(upload: str) -> None:
    cleaned = clean(upload)

    assert cleaned.numbers == f"{FIRST}\n{SECOND}\n"
    assert cleaned.counts == UploadCounts(lines=2, sent=2, rejected=0, duplicates=0)


def test_a_line_end_that_two_blocks_share_ends_one_line() -> None:
    block = 1024 * 1024
    padding = b" " * (block - len(FIRST) - 1)
    blank_lines = b"\n" * (block - len(FIRST) - 1)

    assert reason_for(padding + f"{FIRST}\r\n{SECOND}".encode()) is ReasonCode.NOT_TEXT
    cleaned = clean(blank_lines + f"{FIRST}\r\n{SECOND}x\n".encode())

    assert cleaned.entries == [FIRST]
    assert cleaned.rejected_rows[0]["line"] == str(len(blank_lines) + 2)


def test_a_number_that_two_blocks_share_is_whole() -> None:
    many = [f"+4179{number:07d}" for number in range(200_000)]

    assert clean("\r\n".join(many)).entries == many


def test_a_duplicate_is_sent_once_and_counted() -> None:
    cleaned = clean(f"{FIRST}\n{SECOND}\n0041 79 000 00 01\n{FIRST}\n")

    assert cleaned.entries == [FIRST, SECOND]
    assert cleaned.counts == UploadCounts(lines=4, sent=2, rejected=0, duplicates=2)


@pytest.mark.parametrize(
    "written",
    [
        "+41 79 000 00 01",
        "+41-79-000-00-01",
        "+41.79.000.00.01",
        "(+41) 79 0000001",
        "+41 [79] 0000001",
        "0041790000001",
        "00 41 79 000 00 01",
        "+41\u00a079\u202f000\u20110001",
        "\u202a+41790000001\u202c",
    ],
)
def test_punctuation_in_a_phone_number_is_removed(written: str) -> None:
    assert clean(written).entries == [FIRST]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("41790000001", "no country code: write it as +<country><number>"),
        ("079 000 00 01", "no country code: write it as +<country><number>"),
        ("+41 (0)79 000 00 01", "(0) is dialled only inside the country: leave it out"),
        ("+\u0664\u0661\u0667\u0669\u0660\u0660\u0660\u0660\u0660", "digits other than 0-9"),
        ("+4179000000\uff11", "digits other than 0-9"),
        ("hello", "not a phone number"),
        ("+41790000001x", "not a phone number"),
        (f"{FIRST},{SECOND}", "not a phone number"),
        ("+", "not a phone number"),
        ("+417900", "an international number has 7 to 15 digits after the +, and the first is not 0"),
        (
            "+4179000000100000",
            "an international number has 7 to 15 digits after the +, and the first is not 0",
        ),
        ("+041790000001", "an international number has 7 to 15 digits after the +, and the first is not 0"),
    ],
)
def test_a_line_that_is_no_number_is_left_out_and_listed(written: str, reason: str) -> None:
    cleaned = clean(f"{SECOND}\n\n{written}\n")

    assert cleaned.entries == [SECOND]
    assert cleaned.only_reason == reason
    assert cleaned.rejected_rows[0]["line"] == "3"
    assert cleaned.counts == UploadCounts(lines=2, sent=1, rejected=1, duplicates=0)


def test_the_list_of_rejected_lines_is_harmless_and_short() -> None:
    cleaned = clean(f"{FIRST}\n=HYPERLINK(1)\n+1+1\n{'x' * 500}\n")

    assert [row["text"] for row in cleaned.rejected_rows] == ["'=HYPERLINK(1)", "'+1+1", "x" * 100]
    assert cleaned.rejected.startswith("line,text,reason\n2,")


@pytest.mark.parametrize("upload", [b"", b"\n\r\n \t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_an_empty_upload_is_refused(upload: bytes) -> None:
    assert reason_for(upload) is ReasonCode.EMPTY_FILE


@pytest.mark.parametrize("kind", InputKind)
@pytest.mark.parametrize(
    "upload",
    [
        FIRST.encode("utf-16"),
        FIRST.encode("utf-16-be"),
        FIRST.encode("utf-32"),
        b"\xff\xfe",
        b"\xfe\xff" + FIRST.encode("utf-16-be"),
        b"PK\x03\x04" + FIRST.encode(),
        b"PK\x05\x06" + FIRST.encode(),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a\n" + FIRST.encode(),
        b"%PDF-1.7\n" + FIRST.encode(),
        b"{\\rtf1\n" + FIRST.encode(),
        FIRST.encode() + b"\n\0\n",
        FIRST.encode() + b"\n\xe9\n",
    ],
)
def test_what_is_not_text_is_refused(upload: bytes, kind: InputKind) -> None:
    assert reason_for(upload, kind) is ReasonCode.NOT_TEXT


@dataclass
class EndlessLine(io.RawIOBase):
    """A line of 100 MB that is made as it is read."""

    left: int = 100_000_000
    taken: int = 0

    def read(self, size: int = -1) -> bytes:
        size = min(size, self.left)
        self.left -= size
        self.taken += size
        return b"7" * size


def test_a_line_of_100_mb_is_refused_before_it_is_read() -> None:
    source = EndlessLine()

    with pytest.raises(JobFailedError) as failure:
        clean_upload(
            source,  # type: ignore[arg-type]
            InputKind.PHONE,
            numbers=io.BytesIO(),
            rejected=io.StringIO(),
            max_rows=MAX_ROWS,
        )

    assert failure.value.reason.code is ReasonCode.NOT_TEXT
    assert source.taken <= 2 * 1024 * 1024


def test_a_long_line_among_others_is_refused() -> None:
    assert reason_for(f"{FIRST}\n{'7' * 70_000}\n{SECOND}\n") is ReasonCode.NOT_TEXT


@pytest.mark.parametrize("kind", InputKind)
def test_an_upload_without_a_usable_line_is_refused(kind: InputKind) -> None:
    assert reason_for("\x07" * 100, kind) is ReasonCode.NO_VALID_NUMBERS


def test_as_many_rows_as_the_checker_takes_are_sent() -> None:
    assert clean(f"{FIRST}\n{FIRST}\n{SECOND}\nx\n", max_rows=2).counts.sent == 2


def test_more_rows_than_the_checker_takes_are_refused_with_the_limit() -> None:
    with pytest.raises(JobFailedError, match="more than the 1 distinct") as failure:
        clean(f"{FIRST}\n{SECOND}\n", max_rows=1)

    assert failure.value.reason.code is ReasonCode.TOO_LARGE


def test_entries_to_be_judged_are_kept_as_people_wrote_them() -> None:
    written = ["079 000 00 01", "+41 (0)79", "41790000001", "hello", "\u0664\u0661", "x" * 64, "x"]
    cleaned = clean("\n".join(f" {entry}\t" for entry in written), InputKind.AS_WRITTEN)

    assert cleaned.entries == written


def test_entries_to_be_judged_are_the_same_only_as_text() -> None:
    cleaned = clean("+41 79\n+4179\n+41 79\n", InputKind.AS_WRITTEN)

    assert cleaned.entries == ["+41 79", "+4179"]
    assert cleaned.counts.duplicates == 1


@pytest.mark.parametrize("absurd", ["x" * 65, "41\t79", "41\x0b79", "41\u202879", "41\x8579"])
def test_absurd_lines_are_left_out_even_where_anything_goes(absurd: str) -> None:
    cleaned = clean(f"ok\n{absurd}\n", InputKind.AS_WRITTEN)

    assert cleaned.numbers == "ok\n"
    assert cleaned.counts.rejected == 1


def test_addresses_differ_by_case_only_before_the_at_sign() -> None:
    upload = "Bob@Example.com\nbob@example.com\nBob@example.COM\nbob@example.com\n"
    cleaned = clean(upload, InputKind.EMAIL)

    assert cleaned.entries == ["Bob@Example.com", "bob@example.com"]
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
def test_what_is_no_address_is_left_out(written: str) -> None:
    cleaned = clean(f"ok@example.com\n{written}\n", InputKind.EMAIL)

    assert cleaned.entries == ["ok@example.com"]
    assert cleaned.only_reason == "not an e-mail address"


def test_a_user_name_may_have_an_at_sign_before_it() -> None:
    cleaned = clean("@some.one\nsome.one\nno\nno spaces\nn\u00f6\n_ok_\n", InputKind.USERNAME)

    assert cleaned.entries == ["some.one", "_ok_"]
    assert cleaned.counts == UploadCounts(lines=6, sent=2, rejected=3, duplicates=1)


@given(st.lists(phone_numbers, min_size=1))
def test_every_distinct_number_comes_out_once_in_order(numbers: list[str]) -> None:
    cleaned = clean("\n".join(numbers))

    assert cleaned.entries == list(dict.fromkeys(numbers))


@given(st.lists(phone_numbers | st.just(""), min_size=1), st.sampled_from(["\n", "\r\n", "\r"]))
def test_line_ends_and_byte_order_marks_make_no_difference(lines: list[str], end: str) -> None:
    plain = clean("\n".join([FIRST, *lines]))

    assert clean("\ufeff" + end.join([FIRST, *lines, ""])) == plain


@given(st.text(), st.sampled_from(InputKind))
def test_any_text_is_counted_in_full_or_refused(text: str, kind: InputKind) -> None:
    try:
        cleaned = clean(text, kind)
    except JobFailedError:
        return
    counts = cleaned.counts
    assert counts.lines == counts.sent + counts.rejected + counts.duplicates
    assert len(cleaned.numbers.split("\n")) == counts.sent + 1
    assert len(cleaned.rejected_rows) == counts.rejected


@given(st.binary(), st.sampled_from(InputKind))
def test_any_bytes_are_read_or_refused_with_a_reason(upload: bytes, kind: InputKind) -> None:
    try:
        cleaned = clean(upload, kind)
    except JobFailedError as failure:
        assert failure.reason.message.endswith(".")  # noqa: PT017 - both ends are right
    else:
        assert cleaned.counts.sent >= 1
