"""Uploads that are compressed: one layer is unpacked, within limits."""

import gzip
import io
import zipfile

import pytest

from numberdrop.files.uploads import compression
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import ReasonCode
from tests.support.exports import workbook, zipped
from tests.support.uploads import clean, refusal, refused_with

FIRST, SECOND = "+12025550101", "+12025550102"
LIST = f"{FIRST}\n{SECOND}\n".encode()
BOOK = workbook([["Phone"], [FIRST], [SECOND]])


def compressed(content: bytes) -> bytes:
    """Return the content in gzip, without the time: names of tests must not depend on it."""
    return gzip.compress(content, mtime=0)


def format_of(upload: bytes) -> str:
    with open_upload(io.BytesIO(upload), InputKind.PHONE) as rows:
        return rows.file.format


@pytest.mark.parametrize(
    ("upload", "format_"),
    [
        (compressed(LIST), "text in gzip"),
        (compressed(LIST[:13]) + compressed(LIST[13:]), "text in gzip"),
        (compressed(BOOK), "xlsx in gzip"),
        (zipped({"a/list.txt": LIST}), "text in zip"),
        (zipped({"a/": b"", "a/book.xlsx": BOOK, "a/.DS_Store": b"\0"}), "xlsx in zip"),
    ],
    ids=["gzip", "two gzip files joined", "a workbook in gzip", "zip", "a workbook in zip"],
)
def test_one_compressed_file_is_unpacked(upload: bytes, format_: str) -> None:
    assert clean(upload).numbers == [FIRST, SECOND]
    assert format_of(upload) == format_


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        (compressed(LIST)[:-9], "cut off or broken"),
        (compressed(LIST) + b"x", "cut off or broken"),
        (compressed(LIST)[:-8] + bytes(8), "cut off or broken"),
        (compressed(compressed(LIST)), "more than once"),
        (compressed(zipped({"a.txt": LIST})), "more than once"),
        (zipped({"a.zip": zipped({"a.txt": LIST})}), "more than once"),
        (zipped({"a.gz": compressed(LIST)}), "more than once"),
        (zipped({"a.txt": LIST, "b.txt": LIST}), "2 files. Unzip it"),
        (compressed(zipped({"a.txt": LIST, "b.txt": LIST})), "2 files. Unzip it"),
        (zipped({"__MACOSX/._a": LIST}), "without files"),
        (compressed(b"%PDF-1.7"), "a PDF document"),
        (zipped({"contacts": b"BEGIN:VCARD\r\n"}), "a vCard file"),
    ],
)
def test_a_compressed_file_that_cannot_be_read_is_refused(upload: bytes, words: str) -> None:
    reason = refusal(upload).reason

    assert reason.code is ReasonCode.NOT_TEXT
    assert words in reason.message


def test_an_empty_compressed_file_is_refused_as_empty() -> None:
    assert refused_with(compressed(b"")) is ReasonCode.EMPTY_FILE


@pytest.mark.slow
def test_a_file_that_unpacks_to_far_more_is_refused() -> None:
    bomb = compressed(b"\n" * 110_000_000)

    reason = refusal(bomb).reason

    assert reason.code is ReasonCode.NOT_TEXT
    assert "far more than it should" in reason.message


@pytest.mark.parametrize("upload", [compressed(LIST), zipped({"a": LIST}, zipfile.ZIP_STORED)])
def test_a_file_that_unpacks_to_too_many_bytes_is_refused(
    upload: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "MAX_UNPACKED", len(LIST) - 1)

    assert refused_with(upload) is ReasonCode.TOO_LARGE
