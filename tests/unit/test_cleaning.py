"""Cleaning an upload: each row is sent, listed as rejected, or counted as a duplicate."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.formats.entries_file import REJECTED
from numberdrop.files.uploads import cleaning
from numberdrop.files.uploads import text as upload_text
from numberdrop.files.uploads.cleaning import UploadCounts, clean_upload
from numberdrop.files.uploads.encoding import BLOCK
from numberdrop.files.uploads.entries import entry_rule
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from tests.support.uploads import NOT_A_PHONE_NUMBER, clean, refusal, refused_with

FIRST = "+12025550101"
SECOND = "+12025550102"

phone_numbers = st.from_regex(r"\+1[0-9]{10}|\+39[0-9]{6,12}|\+999[0-9]{4,9}", fullmatch=True)
mixed_lines = st.lists(
    phone_numbers
    | st.sampled_from([FIRST, SECOND, f" {FIRST}", "001 202 555 0101", "", " ", "x", "+1", "202 555 0101"])
)


def test_a_clean_list_is_sent_unchanged() -> None:
    cleaned = clean(f"{FIRST}\n{SECOND}\n")

    assert cleaned.entries == cleaned.numbers == [FIRST, SECOND]
    assert cleaned.counts == UploadCounts(lines=2, submitted=2, rejected=0, duplicates=0)
    assert cleaned.listing == ""


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
def test_line_ends_and_spaces_do_not_change_the_numbers(upload: str) -> None:
    cleaned = clean(upload)

    assert cleaned.numbers == [FIRST, SECOND]
    assert cleaned.counts == UploadCounts(lines=2, submitted=2, rejected=0, duplicates=0)


def test_a_duplicate_is_sent_once_and_counted() -> None:
    cleaned = clean(f"{FIRST}\n{SECOND}\n001 202 555 01 01\n{FIRST}\n")

    assert cleaned.numbers == [FIRST, SECOND]
    assert cleaned.counts == UploadCounts(lines=4, submitted=2, rejected=0, duplicates=2)


def test_the_entries_file_has_a_line_for_each_row_of_a_list() -> None:
    cleaned = clean(f"\n {FIRST}\nx\n{SECOND}\n\n{FIRST}\n")

    assert cleaned.entries == ["", FIRST, REJECTED, SECOND, "", FIRST]


def test_the_entries_file_has_a_line_for_each_row_of_a_table() -> None:
    cleaned = clean(f"\nname,phone\nJane,{FIRST}\n\nRick,x\nAsa,\n,{SECOND}\n")

    assert cleaned.entries == [FIRST, "", REJECTED, "", SECOND]
    assert cleaned.counts == UploadCounts(lines=3, submitted=2, rejected=1, duplicates=0)
    assert cleaned.rejected == [(5, "x", NOT_A_PHONE_NUMBER)]


def test_a_row_of_several_lines_is_counted_once() -> None:
    cleaned = clean(f'name,phone\n"Jane\n\nDoe",{FIRST}\n"Rick\nRoe",x\n')

    assert cleaned.entries == [FIRST, REJECTED]
    assert cleaned.rejected == [(3, "x", NOT_A_PHONE_NUMBER)]


@pytest.mark.parametrize("kind", InputKind)
def test_a_cell_with_two_entries_is_rejected(kind: InputKind) -> None:
    entry = "jane@example.com" if kind is InputKind.EMAIL else "+12025550101"
    two, one = f'"{entry}\n{entry}"', entry
    cleaned = clean(f"phone,email,username\n{two},{two},{two}\n{one},{one},{one}\n", kind)

    assert cleaned.entries == [REJECTED, entry]


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n\n", "\t"])
def test_line_ends_around_an_entry_in_its_cell_are_ignored(end: str) -> None:
    assert clean(f'name,phone\nJane,"{FIRST}{end}"\nRick,"{end}{SECOND}"\n').numbers == [FIRST, SECOND]


def test_the_rows_of_a_table_can_be_read_again() -> None:
    upload = f"\nname,phone,city\nJane,{FIRST},Oslo\nRick\n\nAsa,{SECOND},Bern,x\n,y,,,\n".encode()
    with open_upload(io.BytesIO(upload), InputKind.PHONE) as rows:
        clean_upload(rows, entries=io.BytesIO())
        again = [row for block in rows.table_blocks() for row in block]

    assert clean(upload).entries == [FIRST, "", "", SECOND, REJECTED]
    assert again == [["Jane", FIRST, "Oslo"], ["Rick"], [], ["Asa", SECOND, "Bern", "x"], ["", "y", ""]]


def test_a_plain_list_has_no_table() -> None:
    with open_upload(io.BytesIO(f"{FIRST}\n".encode()), InputKind.PHONE) as rows, pytest.raises(TypeError):
        next(rows.table_blocks())


def test_texts_of_rejected_lines_are_escaped_and_cut() -> None:
    cleaned = clean(f"{FIRST}\n=HYPERLINK(1)\n@x\n{'x' * 500}\n")

    assert [text for _, text, _ in cleaned.rejected] == ["'=HYPERLINK(1)", "'@x", "x" * 100]
    assert cleaned.listing.startswith("line,text,reason\n2,")


def test_cleaning_works_without_the_optional_files() -> None:
    with open_upload(io.BytesIO(f"{FIRST}\nx\n{FIRST}\n".encode()), InputKind.PHONE) as rows:
        counts = clean_upload(rows, entries=io.BytesIO())

    assert counts == UploadCounts(lines=3, submitted=1, rejected=1, duplicates=1)


@pytest.mark.parametrize(
    "upload",
    [
        b"",
        b"\n\r\n \t\n",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf\r\n",
        b"\xff\xfe",
        b"phone\n",
        b"name,phone\n",
        b"name,phone\nJane,\n",
    ],
)
def test_an_empty_upload_is_refused(upload: bytes) -> None:
    assert refused_with(upload) is ReasonCode.EMPTY_FILE


@pytest.mark.parametrize("kind", InputKind)
def test_an_upload_without_a_valid_line_is_refused(kind: InputKind) -> None:
    assert refused_with("\x07" * 100, kind) is ReasonCode.NO_VALID_NUMBERS


def test_the_refusal_names_the_most_common_reason_and_its_line() -> None:
    message = refusal("\nhello\n5550101\n5550102\n+12\n").reason.message

    assert message.startswith("No line of the file can be sent: each must be a phone number in international")
    assert "The reason in 2 of 4 lines, first in line 3: no country code: write +<country>" in message


def test_the_refusal_counts_reasons_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_text, "BLOCK", 8)

    assert "in 3 of 5 lines, first in line 2: not a" in refusal("5551\nx\nx\n5551\n\nx\n").reason.message


def test_the_refusal_names_the_column() -> None:
    assert 'line of the column "Phone Number" can' in refusal("a,Phone Number\nx,y\n").reason.message
    assert 'nothing in the column "Phone"' in refusal("a,Phone\nx,\n").reason.message


def test_a_file_with_too_many_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "MAX_LINES", 10)

    assert clean(f"phone\n{FIRST}\n" + "\n" * 9).counts.submitted == 1
    for line in (FIRST, "x", ""):
        reason = refusal(f"{FIRST}\n" + f"{line}\n" * 10).reason
        assert reason.code is ReasonCode.TOO_LARGE
        assert "more than 10 lines" in reason.message


def test_cleaning_can_be_stopped_after_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_text, "BLOCK", len(FIRST) + 1)
    blocks = []

    def stop_after_three() -> None:
        blocks.append("read")
        if len(blocks) == 3:
            raise TimeoutError

    upload = io.BytesIO(f"{FIRST}\n".encode() * 9)
    with open_upload(upload, InputKind.PHONE) as rows, pytest.raises(TimeoutError):
        clean_upload(rows, entries=io.BytesIO(), after_block=stop_after_three)

    assert len(blocks) == 3


def test_a_number_across_two_blocks_stays_whole() -> None:
    many = [f"+4179{number:07d}" for number in range(200_000)]

    assert clean("\r\n".join(many)).numbers == many


@pytest.mark.slow
def test_line_numbers_continue_across_blocks() -> None:
    blank_lines = "\n" * (BLOCK - len(FIRST) - 1)
    cleaned = clean(f"{blank_lines}{FIRST}\r\n{SECOND}x\n")

    assert cleaned.numbers == [FIRST]
    assert [number for number, _, _ in cleaned.rejected] == [len(blank_lines) + 2]


@pytest.mark.slow
@given(st.lists(st.from_regex(r"\+1[2-9][0-9]{9}|\+39[0-9]{6,12}", fullmatch=True), min_size=1))
def test_each_distinct_number_is_sent_once_in_order(numbers: list[str]) -> None:
    cleaned = clean("\n".join(numbers))

    assert cleaned.numbers == list(dict.fromkeys(numbers))


@pytest.mark.slow
@given(mixed_lines, st.sampled_from(["\n", "\r\n", "\r"]))
def test_line_ends_and_byte_order_marks_do_not_matter(lines: list[str], end: str) -> None:
    plain = clean("\n".join([FIRST, *lines, ""]))

    assert clean("\ufeff" + end.join([FIRST, *lines, ""])) == plain


@pytest.mark.slow
@given(mixed_lines, st.integers(1, 64), st.sampled_from([None, "US"]))
def test_the_size_of_blocks_does_not_matter(lines: list[str], size: int, region: str | None) -> None:
    table = "".join(f'{line},"a\nb"\n' for line in ["phone", FIRST, *lines])
    for upload in ("\r\n".join([FIRST, *lines]), table):
        whole = clean(upload, region=region)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(upload_text, "BLOCK", size)
            assert clean(upload, region=region) == whole


@pytest.mark.slow
@given(mixed_lines, st.sampled_from([None, "US"]))
def test_each_line_is_read_independently(lines: list[str], region: str | None) -> None:
    rule = entry_rule(InputKind.PHONE, region)
    cleaned = clean("\n".join([FIRST, *lines, ""]), region=region)

    rejected = {number: text for number, text, _ in cleaned.rejected}
    for number, (line, entry) in enumerate(zip([FIRST, *lines], cleaned.entries, strict=True), 1):
        if entry == REJECTED:
            assert rejected.pop(number) == line.strip()
        else:
            assert entry == (rule.read(line.strip()) if line.strip() else "")
    assert not rejected


@given(st.text(), st.sampled_from(InputKind))
def test_any_text_is_counted_in_full_or_refused(text: str, kind: InputKind) -> None:
    try:
        cleaned = clean(text, kind)
    except JobFailedError:
        return
    counts = cleaned.counts
    present = [entry for entry in cleaned.entries if entry not in {"", REJECTED}]
    key = entry_rule(kind).key or str
    assert counts.lines == counts.submitted + counts.rejected + counts.duplicates
    assert len(cleaned.numbers) == len(set(map(key, present))) == counts.submitted
    assert set(cleaned.numbers) <= set(present)
    assert len(cleaned.rejected) == cleaned.entries.count(REJECTED) == counts.rejected


@given(st.binary(), st.sampled_from(InputKind))
def test_any_bytes_are_read_or_refused_with_a_reason(upload: bytes, kind: InputKind) -> None:
    try:
        cleaned = clean(upload, kind)
    except JobFailedError as failure:
        assert failure.reason.message.endswith(".")  # noqa: PT017 - both outcomes are right
    else:
        assert cleaned.counts.submitted >= 1
