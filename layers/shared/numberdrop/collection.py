"""Collecting: from a finished task to results that lie under their upload's name."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_lambda_powertools import Logger

from numberdrop.announcement import Announcer
from numberdrop.catalogue import Checker, checker_for_key
from numberdrop.clock import Clock, utc_now
from numberdrop.download import Downloader, DownloadFailedError, LinkRefusedError
from numberdrop.files.export import ExportInvalidError, read_export
from numberdrop.files.numbers import UploadCounts, clean_upload
from numberdrop.files.results import ResultCounts, write_results
from numberdrop.job import Counts, Job, StoredResults, timestamp
from numberdrop.ledger import Ledger, TransitionRefusedError
from numberdrop.reasons import JobFailedError, Reason, ReasonCode
from numberdrop.storage import ResultsBucket, UploadBucket
from numberdrop.transitions import COMPLETE, State
from numberdrop.vendor import TaskStatus, VendorClient
from numberdrop.watching import Decision, Next, already_over

MOST_TRIES = 3
"""Fresh links, each with a download, before the export is given up."""

WAIT_SECONDS = 60
"""How long the workflow waits when the vendor cannot be asked, or has nothing, right now."""

TIME_TO_STORE = 120
"""Seconds of the function's time kept for reading the export and storing the results."""

CONTENT_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}

logger = Logger()


@dataclass(frozen=True, slots=True)
class _Workspace:
    """The working files of one collection, in the function's ephemeral storage."""

    folder: Path

    @property
    def upload(self) -> Path:
        return self.folder / "upload"

    @property
    def numbers(self) -> Path:
        return self.folder / "numbers"

    @property
    def rejected(self) -> Path:
        return self.folder / "rejected.csv"

    @property
    def export(self) -> Path:
        return self.folder / "export"

    @property
    def csv(self) -> Path:
        return self.folder / "results.csv"

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"


@dataclass(frozen=True)
class Collection:
    """Fetches a task's export and stores it with our reading of it. Every step can run twice."""

    ledger: Ledger
    uploads: UploadBucket
    vendor: VendorClient
    downloader: Downloader
    results: ResultsBucket
    announcer: Announcer
    now: Clock = utc_now

    def collect(self, job_id: str, *, seconds: float) -> Decision:
        """Collects a job's results within ``seconds``, then completes and announces the job.

        Raises:
            JobMissingError: the ledger has no such job.
        """
        logger.append_keys(job_id=job_id)
        job = self.ledger.existing(job_id)
        if job.state is State.COMPLETED:
            self.announcer.announce(job)
            return Decision(Next.DONE)
        if job.state is not State.SUBMITTED or job.task_id is None:
            return already_over(job)
        end = self.now() + timedelta(seconds=seconds - TIME_TO_STORE)
        with TemporaryDirectory() as folder:
            return self._collect(job, job.task_id, _Workspace(Path(folder)), end)

    def _collect(self, job: Job, task_id: str, files: _Workspace, end: datetime) -> Decision:
        checker = checker_for_key(job.upload.key, allow_sensitive=True)
        cleaned = self._read_upload(job, checker, files)
        failure = Reason(ReasonCode.RESULT_UNAVAILABLE, "The export could not be fetched.")
        for _ in range(MOST_TRIES):
            status = self.vendor.status(checker, task_id)
            if not isinstance(status, TaskStatus) or not status.result_url:
                return self._wait(job)
            try:
                with files.export.open("wb") as export:
                    seconds = (end - self.now()).total_seconds()
                    self.downloader.fetch(status.result_url, export, seconds=seconds)
                return self._store(job, checker, files, cleaned, status)
            except LinkRefusedError as error:
                failure = Reason(
                    ReasonCode.RESULT_UNAVAILABLE,
                    f"{error} Fresh links were asked for {MOST_TRIES} times. Ask the vendor.",
                )
            except (DownloadFailedError, ExportInvalidError) as error:
                failure = Reason(ReasonCode.RESULT_INVALID, f"{error} Ask the vendor.")
            except JobFailedError as error:
                return Decision(Next.FAIL, reason=error.reason)
            logger.warning("the export is fetched again", cause=failure.message)
        return self._give_up(job, checker, files, failure)

    def _wait(self, job: Job) -> Decision:
        if self.now() < job.deadline:
            return Decision(Next.WAIT, WAIT_SECONDS)
        reason = Reason(ReasonCode.RESULT_UNAVAILABLE, "The vendor gave no link to the export in time.")
        return Decision(Next.FAIL, reason=reason)

    def _give_up(self, job: Job, checker: Checker, files: _Workspace, failure: Reason) -> Decision:
        if failure.code is ReasonCode.RESULT_INVALID:
            if not files.export.stat().st_size:
                return self._wait(job)
            key = job.upload.results_prefix(checker.name) + "export.unreadable"
            with files.export.open("rb") as kept:
                self.results.put(key, kept, "application/octet-stream")
        return Decision(Next.FAIL, reason=failure)

    def _read_upload(self, job: Job, checker: Checker, files: _Workspace) -> UploadCounts | None:
        """Reads the submitted numbers again from the upload, or nothing if it is gone by now."""
        try:
            with files.upload.open("w+b") as upload:
                self.uploads.copy_to(job.upload, upload)
                upload.seek(0)
                with (
                    files.numbers.open("wb") as numbers,
                    files.rejected.open("w", encoding="utf-8", newline="") as rejected,
                ):
                    return clean_upload(
                        upload,
                        checker.input,
                        numbers=numbers,
                        rejected=rejected,
                        max_rows=checker.max_rows,
                    )
        except JobFailedError as failure:
            logger.warning("the upload is gone; the export stands alone", reason=failure.reason.code)
            return None

    def _store(
        self,
        job: Job,
        checker: Checker,
        files: _Workspace,
        cleaned: UploadCounts | None,
        status: TaskStatus,
    ) -> Decision:
        with read_export(files.export) as export:
            extension = export.format.extension
            if cleaned is None:
                found = dict.fromkeys(" ".join(number.split()) for number, _ in export.rows())
                files.numbers.write_text("".join(f"{number}\n" for number in found), encoding="utf-8")
            with (
                files.numbers.open("rb") as numbers,
                files.csv.open("w", encoding="utf-8", newline="") as out,
            ):
                read = write_results(numbers, export, checker.input, out)
        counts = _counts(job, status, read)
        prefix = job.upload.results_prefix(checker.name)
        stored = StoredResults(
            bucket=self.results.bucket,
            export_key=f"{prefix}export.{extension}",
            csv_key=f"{prefix}results.csv",
            manifest_key=f"{prefix}manifest.json",
        )
        contents = {stored.export_key: files.export, stored.csv_key: files.csv}
        if cleaned and cleaned.rejected:
            contents[f"{prefix}rejected.csv"] = files.rejected
        manifest = _manifest(job, counts, cleaned, read, contents, collected_at=self.now())
        files.manifest.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        for key, path in {**contents, stored.manifest_key: files.manifest}.items():
            with path.open("rb") as content:
                self.results.put(key, content, CONTENT_TYPES[Path(key).suffix])
        return self._complete(job, counts, stored)

    def _complete(self, job: Job, counts: Counts, stored: StoredResults) -> Decision:
        try:
            completed = self.ledger.move(
                job,
                COMPLETE,
                counts=counts,
                results=stored,
                reason=None,
                finished_at=self.now(),
            )
        except TransitionRefusedError as refused:
            if refused.current is None or refused.current.state is not State.COMPLETED:
                raise
            completed = refused.current
        self.announcer.announce(completed)
        return Decision(Next.DONE, total=counts.total, success=counts.success)


def _counts(job: Job, status: TaskStatus, read: ResultCounts) -> Counts:
    submitted = job.counts.submitted
    if submitted is None:
        submitted = read.resolved + read.unresolved
    # Without the upload, rows of the export that were never asked for cannot be told from the others.
    resolved = min(read.resolved, submitted)
    return replace(
        job.counts,
        total=status.total,
        success=status.success,
        failure=status.failure,
        resolved=resolved,
        unresolved=submitted - resolved,
        verdicts=read.verdicts,
    )


def _manifest(
    job: Job,
    counts: Counts,
    cleaned: UploadCounts | None,
    read: ResultCounts,
    contents: dict[str, Path],
    *,
    collected_at: datetime,
) -> dict[str, Any]:
    return {
        "schema_version": "1",
        "job_id": job.job_id,
        "checker": job.checker,
        "task_type": job.task_type,
        "task_id": job.task_id,
        "upload": asdict(job.upload),
        "upload_counts": asdict(cleaned) if cleaned else None,
        "counts": asdict(counts),
        "export_counts": {"extra": read.extra, "doubled": read.doubled},
        "files": {key.rpartition("/")[2]: _described(key, path) for key, path in contents.items()},
        "submitted_at": timestamp(job.submitted_at) if job.submitted_at else None,
        "collected_at": timestamp(collected_at),
    }


def _described(key: str, path: Path) -> dict[str, Any]:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {"key": key, "size": path.stat().st_size, "sha256": digest}
