"""Clean uploads in tests, and check why they are refused."""

import csv
import io
from dataclasses import dataclass

import pytest

from numberdrop.files.uploads.cleaning import UploadCounts, clean_upload
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from tests.support.template import PROJECT

NOT_A_PHONE_NUMBER = "not a phone number: write one number, as +<country><number>"

SAMPLES = PROJECT / "tests" / "samples" / "uploads"


@dataclass(frozen=True)
class Cleaned:
    """The result of cleaning an upload.

    Attributes:
        counts: how many rows were sent, rejected or repeated.
        header: the names of a table's columns; None for a plain list.
        entries: the lines of the entries file, one for each row.
        numbers: the entries to send.
        listing: ``rejected.csv``.
    """

    counts: UploadCounts
    header: tuple[str, ...] | None
    entries: list[str]
    numbers: list[str]
    listing: str

    @property
    def rejected(self) -> list[tuple[int, str, str]]:
        """The number, text and reason of each rejected row."""
        _, *rows = csv.reader(io.StringIO(self.listing)) if self.listing else [[]]
        return [(int(line), text, reason) for line, text, reason in rows]

    @property
    def only_reason(self) -> str:
        """The reason of the only rejected row."""
        ((_, _, reason),) = self.rejected
        return reason


def clean(upload: str | bytes, kind: InputKind = InputKind.PHONE, region: str | None = None) -> Cleaned:
    """Clean an upload. Text is encoded as UTF-8."""
    source = io.BytesIO(upload.encode() if isinstance(upload, str) else upload)
    entries, numbers, listing = io.BytesIO(), io.BytesIO(), io.StringIO()
    with open_upload(source, kind, region) as rows:
        counts = clean_upload(rows, entries=entries, numbers=numbers, rejected=listing)
        header = rows.header
    return Cleaned(counts, header, _lines(entries), _lines(numbers), listing.getvalue())


def refusal(
    upload: str | bytes, kind: InputKind = InputKind.PHONE, region: str | None = None
) -> JobFailedError:
    """Return the error with which an upload is refused."""
    with pytest.raises(JobFailedError) as caught:
        clean(upload, kind, region)
    assert "55501" not in caught.value.reason.message
    return caught.value


def refused_with(
    upload: str | bytes, kind: InputKind = InputKind.PHONE, region: str | None = None
) -> ReasonCode:
    """Return the reason code with which an upload is refused."""
    return refusal(upload, kind, region).reason.code


def _lines(file: io.BytesIO) -> list[str]:
    text = file.getvalue().decode()
    assert not text or text.endswith("\n")
    return text.split("\n")[:-1]
