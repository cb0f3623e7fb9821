"""Write results as the collect function does, from uploads and exports of tests."""

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

from numberdrop.files.exports.export import read_export
from numberdrop.files.results.results import ResultCounts, write_entries, write_results
from numberdrop.files.results.sources import Sources
from numberdrop.files.uploads.cleaning import clean_upload
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import InputKind, checkers


@dataclass(frozen=True)
class Written:
    """The written results.

    Attributes:
        text: the content of ``results.csv``.
        counts: the counts that ``write_results`` returned.
    """

    text: str
    counts: ResultCounts

    @property
    def header(self) -> list[str]:
        return next(csv.reader(io.StringIO(self.text, newline="")))

    @property
    def rows(self) -> list[list[str]]:
        """The rows below the header."""
        _, *rows = csv.reader(io.StringIO(self.text, newline=""))
        return rows

    def column(self, name: str) -> list[str]:
        index = self.header.index(name)
        return [row[index] for row in self.rows]


def results_of(
    upload: str | bytes,
    export: Path,
    kind: InputKind = InputKind.PHONE,
    region: str | None = None,
    name: str = "band",
    sources: Sources | None = None,
) -> Written:
    """Return the results of an upload for a checker of this name and kind. Text is encoded as UTF-8."""
    checker = replace(checkers()[name], input=kind)
    source = io.BytesIO(upload.encode() if isinstance(upload, str) else upload)
    entries, out = io.BytesIO(), io.StringIO(newline="")
    with open_upload(source, kind, region) as rows:
        clean_upload(rows, entries=entries)
        with read_export(export, checker, region=region, entries=entries) as opened:
            counts = write_results(entries, rows, opened, out, sources=sources)
    return Written(out.getvalue(), counts)


def results_without_upload(export: Path, kind: InputKind = InputKind.PHONE) -> Written:
    """Return the results if the upload is gone."""
    checker = replace(checkers()["band"], input=kind)
    entries, out = io.BytesIO(), io.StringIO(newline="")
    with read_export(export, checker) as opened:
        write_entries(opened, entries)
        counts = write_results(entries, None, opened, out)
    return Written(out.getvalue(), counts)
