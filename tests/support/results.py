"""Results as the collect function writes them, from an upload and an export as tests write them."""

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path

from numberdrop.files.exports.export import read_export
from numberdrop.files.results.results import ResultCounts, write_entries, write_results
from numberdrop.files.uploads.cleaning import clean_upload
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import InputKind, checkers


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        text: ``results.csv``.
        counts: what was counted on the way.
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
        at = self.header.index(name)
        return [row[at] for row in self.rows]


def results_of(upload: str | bytes, export: Path, kind: InputKind = InputKind.PHONE) -> Written:
    """The results of an upload for a checker called ``band``; text is taken as UTF-8."""
    checker = replace(checkers()["band"], input=kind)
    source = io.BytesIO(upload.encode() if isinstance(upload, str) else upload)
    entries, out = io.BytesIO(), io.StringIO(newline="")
    with open_upload(source, kind) as rows, read_export(export, kind) as answers:
        clean_upload(rows, entries=entries)
        counts = write_results(entries, rows, answers, checker, out)
    return Written(out.getvalue(), counts)


def results_alone(export: Path, kind: InputKind = InputKind.PHONE) -> Written:
    """The results where the upload is gone."""
    checker = replace(checkers()["band"], input=kind)
    entries, out = io.BytesIO(), io.StringIO(newline="")
    with read_export(export, kind) as answers:
        write_entries(answers, kind, entries)
        counts = write_results(entries, None, answers, checker, out)
    return Written(out.getvalue(), counts)
