"""Uploads as tests write them, cleaned."""

import csv
import io
from dataclasses import dataclass

import pytest

from numberdrop.files.uploads.cleaning import UploadCounts, clean_upload
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from tests.support.template import PROJECT

SAMPLES = PROJECT / "tests" / "samples" / "uploads"


@dataclass(frozen=True)
class Cleaned:
    """What became of an upload.

    Attributes:
        counts: rows.
        header: the names of a table's columns.
        entries: a line for each row.
        numbers: what is sent.
        listing: the list of rejected rows, as CSV.
    """

    counts: UploadCounts
    header: tuple[str, ...] | None
    entries: list[str]
    numbers: list[str]
    listing: str

    @property
    def rejected(self) -> list[tuple[int, str, str]]:
        """Place, text and reason of each rejected row."""
        _, *rows = csv.reader(io.StringIO(self.listing)) if self.listing else [[]]
        return [(int(line), text, reason) for line, text, reason in rows]

    @property
    def only_reason(self) -> str:
        """Why the only rejected row is rejected."""
        ((_, _, reason),) = self.rejected
        return reason


def clean(upload: str | bytes, kind: InputKind = InputKind.PHONE, region: str | None = None) -> Cleaned:
    """An upload, cleaned; text is taken as UTF-8."""
    source = io.BytesIO(upload.encode() if isinstance(upload, str) else upload)
    entries, numbers, listing = io.BytesIO(), io.BytesIO(), io.StringIO()
    with open_upload(source, kind, region) as rows:
        counts = clean_upload(rows, entries=entries, numbers=numbers, rejected=listing)
        header = rows.header
    return Cleaned(counts, header, _lines(entries), _lines(numbers), listing.getvalue())


def refusal(
    upload: str | bytes, kind: InputKind = InputKind.PHONE, region: str | None = None
) -> JobFailedError:
    """Why an upload is refused."""
    with pytest.raises(JobFailedError) as caught:
        clean(upload, kind, region)
    assert "55501" not in caught.value.reason.message
    return caught.value


def refused_with(
    upload: str | bytes, kind: InputKind = InputKind.PHONE, region: str | None = None
) -> ReasonCode:
    """The code with which an upload is refused."""
    return refusal(upload, kind, region).reason.code


def _lines(file: io.BytesIO) -> list[str]:
    text = file.getvalue().decode()
    assert not text or text.endswith("\n")
    return text.split("\n")[:-1]
