"""The files of one collection: the upload that is read again, the export, and the results made of them."""

import json
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from aws_lambda_powertools import Logger

from numberdrop.files.exports.export import empty_export, read_export
from numberdrop.files.exports.verdicts import NO, UNKNOWN, YES
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.results.answer_lists import answer_list
from numberdrop.files.results.collected import CollectedJob
from numberdrop.files.results.manifest import manifest
from numberdrop.files.results.report import build_report
from numberdrop.files.results.report_html import report_html
from numberdrop.files.results.results import ResultCounts, write_entries, write_results
from numberdrop.files.results.sources import Sources
from numberdrop.files.results.workbook import reasons_of_rows, write_workbook
from numberdrop.files.uploads.cleaning import UploadCounts
from numberdrop.files.uploads.rows import UploadRows
from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.job import Job, StoredResults

logger = Logger()


@dataclass(frozen=True, slots=True)
class ReadUpload:
    """An upload that was read again. Its rows can be read as long as the workspace exists."""

    rows: UploadRows
    counts: UploadCounts


@dataclass(frozen=True, slots=True)
class Workspace:
    """The working files of one collection, in the function's ephemeral storage.

    Attributes:
        folder: the folder of the files.
        opened: the files that stay open until the end.
    """

    folder: Path
    opened: ExitStack

    @property
    def upload(self) -> Path:
        """The upload, as it is in its bucket."""
        return self.folder / "upload"

    @property
    def entries(self) -> Path:
        """The entries file."""
        return self.folder / "entries"

    @property
    def rejected(self) -> Path:
        """The list of rejected rows."""
        return self.folder / "rejected.csv"

    @property
    def export(self) -> Path:
        """The vendor's file."""
        return self.folder / "export"

    @property
    def learnt(self) -> Path:
        """The verdicts to remember."""
        return self.folder / "learnt"

    @property
    def csv(self) -> Path:
        """The results."""
        return self.folder / "results.csv"

    @property
    def xlsx(self) -> Path:
        """The results as a workbook."""
        return self.folder / "results.xlsx"

    def answers(self, verdict: str) -> Path:
        """Return the list of the entries with a verdict."""
        return answer_list(self.folder, verdict)

    @property
    def manifest(self) -> Path:
        """The description for programs."""
        return self.folder / "manifest.json"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.folder / "report.html"


def write_readable_results(
    job: Job, checker: Checker, files: Workspace, upload: ReadUpload | None, sources: Sources | None
) -> tuple[ReadUpload | None, str, ResultCounts]:
    """Write ``results.csv``; return the upload if it was used, the export's extension, and the counts.

    With ``sources``, the verdicts to remember are written, too.

    An older version did not store how it read an upload, and may have sent another column. Then most rows of
    the export answer nothing that is read now, and the results come from the export alone.

    Raises:
        InvalidFileError: the export cannot be read, or answers nothing that was sent.
    """
    if upload and job.layout is None:
        try:
            extension, counts = _write_results(checker, job.region, files, upload, sources)
        except InvalidFileError:
            upload = None
        else:
            if counts.extra <= counts.resolved:
                return upload, extension, counts
            upload = None
        logger.warning("an older version read the upload differently; the results come from the export alone")
    return upload, *_write_results(checker, job.region, files, upload, sources)


def write_remembered_results(
    job: Job, checker: Checker, files: Workspace, upload: ReadUpload, sources: Sources | None
) -> ResultCounts:
    """Write ``results.csv`` of an upload that was not sent; return its counts."""
    with (
        files.entries.open("rb") as entries,
        files.csv.open("w", encoding="utf-8", newline="") as out,
    ):
        export = empty_export(checker, job.region)
        return write_results(entries, upload.rows, export, out, files.folder, sources=sources)


def _write_results(
    checker: Checker,
    region: str | None,
    files: Workspace,
    upload: ReadUpload | None,
    sources: Sources | None,
) -> tuple[str, ResultCounts]:
    """Write ``results.csv``; return the extension for the export's key, and the counts of the results."""
    with (
        files.entries.open("rb" if upload else "w+b") as entries,
        read_export(files.export, checker, region=region, entries=entries if upload else None) as export,
        files.csv.open("w", encoding="utf-8", newline="") as out,
        files.learnt.open("wb") as learnt,
    ):
        if not upload:
            write_entries(export, entries)
        elif sources and export.is_verdict_alone:
            sources = replace(sources, learnt=learnt)
        rows = upload.rows if upload else None
        result_counts = write_results(entries, rows, export, out, files.folder, sources=sources)
        return export.format.extension, result_counts


def write_spreadsheet(files: Workspace, upload: ReadUpload | None, *, created: datetime) -> None:
    """Write ``results.xlsx``, unless the results are too long for it.

    The results are paid for and complete without it, so no error here keeps them from being stored.
    """
    try:
        if upload is None or not upload.counts.rejected:
            write_workbook(files.csv, files.xlsx, created=created)
            return
        is_table = upload.rows.header is not None
        with (
            files.entries.open("rb") as entries,
            files.rejected.open(encoding="utf-8", newline="") as listing,
        ):
            reasons = reasons_of_rows(entries, listing, is_table=is_table)
            write_workbook(files.csv, files.xlsx, reasons=reasons, created=created)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the job must not fail
        logger.warning("the workbook could not be written", cause=type(error).__name__)
        files.xlsx.unlink(missing_ok=True)


def stored_results(bucket: str, prefix: str, extension: str | None, files: Workspace) -> StoredResults:
    """Return where the results of a job are stored, by the files that were written.

    ``extension`` is that of the export, if there is one.
    """

    def key(path: Path) -> str | None:
        return prefix + path.name if path.exists() else None

    return StoredResults(
        bucket=bucket,
        export_key=f"{prefix}export.{extension}" if extension else None,
        csv_key=f"{prefix}results.csv",
        manifest_key=f"{prefix}manifest.json",
        report_key=f"{prefix}report.html",
        xlsx_key=key(files.xlsx),
        yes_key=key(files.answers(YES)),
        no_key=key(files.answers(NO)),
        unknown_key=key(files.answers(UNKNOWN)),
    )


def write_descriptions(collected: CollectedJob, stored: StoredResults, files: Workspace) -> dict[str, Path]:
    """Write the report and the manifest; return all files of the results by key.

    The manifest is last, so that all files that it lists are stored before it.
    """
    prefix = collected.job.upload.results_prefix(collected.checker.name)
    by_key = {stored.csv_key: files.csv}
    answers = {
        stored.xlsx_key: files.xlsx,
        stored.yes_key: files.answers(YES),
        stored.no_key: files.answers(NO),
        stored.unknown_key: files.answers(UNKNOWN),
    }
    by_key |= {key: path for key, path in answers.items() if key}
    if stored.export_key:
        by_key[stored.export_key] = files.export
    if collected.upload and collected.upload.rejected:
        by_key[f"{prefix}rejected.csv"] = files.rejected
    all_by_key = {**by_key, stored.manifest_key: files.manifest}
    files.report.write_text(report_html(build_report(collected, all_by_key, stored.bucket)), encoding="utf-8")
    by_key[str(stored.report_key)] = files.report
    files.manifest.write_text(json.dumps(manifest(collected, by_key), indent=2) + "\n", encoding="utf-8")
    return {**by_key, stored.manifest_key: files.manifest}
