"""Clean uploads in tests, and check why they are refused."""

import csv
import io
from dataclasses import dataclass

import pytest

from numberdrop.files.uploads.cleaning import UploadCounts, clean_upload
from numberdrop.files.uploads.reading import Reading
from numberdrop.files.uploads.rows import NO_CHOICE, open_upload
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reading_choice import Choice, UploadLayout
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
        layout: how the upload was read, as the ledger stores it.
        reading: what was read, and what was not.
    """

    counts: UploadCounts
    header: tuple[str, ...] | None
    entries: list[str]
    numbers: list[str]
    listing: str
    layout: UploadLayout
    reading: Reading

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


def clean(
    upload: str | bytes,
    kind: InputKind = InputKind.PHONE,
    region: str | None = None,
    *,
    choice: Choice = NO_CHOICE,
    phones_only: bool = False,
    layout: UploadLayout | None = None,
) -> Cleaned:
    """Clean an upload. Text is encoded as UTF-8."""
    source = io.BytesIO(upload.encode() if isinstance(upload, str) else upload)
    entries, numbers, listing = io.BytesIO(), io.BytesIO(), io.StringIO()
    opened = open_upload(source, kind, region, choice=choice, phones_only=phones_only, layout=layout)
    with opened as rows:
        counts = clean_upload(rows, entries=entries, numbers=numbers, rejected=listing)
        header, used, reading = rows.header, rows.layout, rows.reading()
    return Cleaned(counts, header, _lines(entries), _lines(numbers), listing.getvalue(), used, reading)


def refusal(
    upload: str | bytes,
    kind: InputKind = InputKind.PHONE,
    region: str | None = None,
    *,
    choice: Choice = NO_CHOICE,
    phones_only: bool = False,
) -> JobFailedError:
    """Return the error with which an upload is refused."""
    with pytest.raises(JobFailedError) as caught:
        clean(upload, kind, region, choice=choice, phones_only=phones_only)
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
