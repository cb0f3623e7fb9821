"""Collecting: from a finished task to results stored under the key of their upload."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aws_lambda_powertools import Logger

from numberdrop.aws.api_key import ApiKey
from numberdrop.aws.buckets import (
    STREAMING,
    ReadRefusedError,
    ResultsBucket,
    StreamNotStoredError,
    UploadBucket,
)
from numberdrop.aws.bus import Announcer
from numberdrop.aws.clients import make_client
from numberdrop.aws.durations import Durations
from numberdrop.aws.ledger import Ledger, TransitionRefusedError
from numberdrop.clock import Clock, utc_now
from numberdrop.files.exports.format import likely_format
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.results.collected import CollectedJob
from numberdrop.files.results.results import ResultCounts
from numberdrop.files.uploads.cleaning import clean_upload
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import Checker, submitted_checker
from numberdrop.jobs.decision import Decision, Next, PollState, already_over
from numberdrop.jobs.job import Counts, Job, StoredResults, timestamp
from numberdrop.jobs.polling import wait_for_export
from numberdrop.jobs.reading_choice import Choice
from numberdrop.jobs.reasons import JobFailedError, Reason, ReasonCode
from numberdrop.jobs.transitions import COMPLETE, COMPLETE_ANSWERED, State
from numberdrop.metrics import MemoryFailure, count_bill, count_memory_failure
from numberdrop.scratch import scratch_folder
from numberdrop.settings import CollectSettings, MemorySettings
from numberdrop.steps.result_files import (
    ReadUpload,
    Workspace,
    stored_results,
    write_descriptions,
    write_readable_results,
    write_remembered_results,
    write_spreadsheet,
)
from numberdrop.vendor.client import VendorClient
from numberdrop.vendor.download import (
    Download,
    Downloader,
    DownloadFailedError,
    ExportMissingError,
    LinkRefusedError,
)
from numberdrop.vendor.outcomes import TaskStatus

if TYPE_CHECKING:
    from numberdrop.steps.remembering import Rememberer

PAUSES = (0, 5, 15)
"""Seconds to pause before each try to fetch the export with a fresh link. After the last try, it fails."""

PATIENCE_WITH_MISSING_EXPORT = timedelta(minutes=10)
"""How long fresh links must lead to 404 before the export counts as unavailable."""

PATIENCE_WITH_MEMORY = timedelta(minutes=30)
"""How long a paid job waits for remembered answers that cannot be read."""

WAIT_FOR_MEMORY = 300
"""Seconds until the next try to read them."""

TIME_TO_STORE = 120
"""Seconds of the function's time that are reserved for reading the export and storing the results."""

CONTENT_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".gz": "application/gzip",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}

UPLOAD_GONE_UNSENT = Reason(
    ReasonCode.UPLOAD_GONE,
    "The file was deleted before its remembered answers were stored. Nothing was charged. Upload it again.",
)

logger = Logger()


@dataclass(frozen=True)
class Collector:
    """Fetches a task's export and stores it together with the results. Every step can run twice.

    Attributes:
        rememberer: reads and writes the verdict memory; None if the memory is off.
    """

    ledger: Ledger
    uploads: UploadBucket
    vendor: VendorClient
    downloader: Downloader
    results: ResultsBucket
    announcer: Announcer
    durations: Durations
    rememberer: "Rememberer | None" = None
    now: Clock = utc_now
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def from_env(cls) -> Self:
        """Return the collector for the environment of the collect function."""
        settings = CollectSettings.from_env()
        ledger = Ledger.connect(settings.jobs_table)
        s3 = make_client("s3", STREAMING)
        return cls(
            ledger=ledger,
            uploads=UploadBucket(s3),
            vendor=VendorClient.from_settings(settings, ApiKey.connect(settings.api_key_secret)),
            downloader=Downloader(settings.result_hosts, settings.vendor_proxy),
            results=ResultsBucket(s3, settings.results_bucket),
            announcer=Announcer.from_settings(settings, ledger),
            durations=Durations.connect(settings.jobs_table),
            rememberer=_connect_rememberer(),
        )

    def collect(self, job_id: str, seen: Mapping[str, Any] | None = None, *, seconds: float) -> Decision:
        """Collect a job's results within ``seconds``, then complete and announce the job.

        Args:
            job_id: the job.
            seen: what the state machine remembers, as ``PollState``'s JSON. Executions of older versions do
                not hand it over.
            seconds: the time that is left for the function.

        Raises:
            JobMissingError: the ledger has no such job.
        """
        logger.append_keys(job_id=job_id)
        job = self.ledger.require(job_id)
        if job.state is State.COMPLETED:
            self.announcer.announce(job)
            return Decision(Next.DONE)
        if job.state is State.ANSWERED:
            with scratch_folder() as folder, ExitStack() as opened:
                return self._store_remembered(job, Workspace(folder, opened))
        if job.state is not State.SUBMITTED or job.task_id is None:
            return already_over(job)
        end = self.now() + timedelta(seconds=seconds - TIME_TO_STORE)
        poll_state = PollState.from_payload(seen or {})
        with scratch_folder() as folder, ExitStack() as opened:
            return self._collect(job, job.task_id, Workspace(folder, opened), end, poll_state)

    def _collect(self, job: Job, task_id: str, files: Workspace, end: datetime, seen: PollState) -> Decision:
        checker = submitted_checker(job.upload.key)
        upload = self._read_upload(job, checker, files)
        failure: Exception = DownloadFailedError("The export could not be fetched.")
        for pause in PAUSES:
            self.sleep(pause)
            status = self.vendor.status(checker, task_id)
            if not isinstance(status, TaskStatus) or not status.result_url:
                return self._wait(job, seen)
            try:
                prefix = job.upload.results_prefix(checker.name)
                stored_key = self._fetch(status.result_url, prefix, files, end)
                return self._store(job, checker, files, upload, status, stored_key=stored_key, seen=seen)
            except (ExportMissingError, LinkRefusedError, DownloadFailedError, InvalidFileError) as error:
                logger.warning("the export is fetched again", cause=str(error))
                failure = error
            except JobFailedError as error:
                return Decision(Next.FAIL, reason=error.reason)
        match failure:
            case ExportMissingError():
                return self._wait_for_missing_export(job, failure, seen)
            case LinkRefusedError():
                message = f"{failure} This happened with {len(PAUSES)} fresh links. Ask the vendor."
                return Decision(Next.FAIL, reason=Reason(ReasonCode.RESULT_UNAVAILABLE, message))
            case _ if not files.export.stat().st_size:
                return self._wait(job, seen)
            case _:
                return self._keep_unreadable_export(job, checker, files, failure)

    def _fetch(self, link: str, prefix: str, files: Workspace, end: datetime) -> str | None:
        """Download the export into its file and, if possible, into the bucket at the same time.

        Returns:
            The key if the export is in the bucket now, or None. The key's extension is guessed from the first
            bytes.
        """
        seconds = (end - self.now()).total_seconds()
        with (
            files.export.open("wb") as file,
            self.downloader.open(link, file, seconds=seconds) as download,
        ):
            key = f"{prefix}export.{likely_format(download.start).extension}"
            is_stored = self._store_while_downloading(download, key)
            download.finish()
        return key if is_stored else None

    def _store_while_downloading(self, download: Download, key: str) -> bool:
        """Return whether the export was stored. If not, it is stored from its file after the download."""
        if download.length is None:
            return False
        content_type = CONTENT_TYPES[Path(key).suffix]
        try:
            self.results.put_stream(key, download, length=download.length, content_type=content_type)
        except StreamNotStoredError as error:
            logger.warning("the export could not be stored while downloading", cause=error.cause)
            return False
        return True

    def _wait(self, job: Job, seen: PollState) -> Decision:
        if self.now() < job.deadline:
            seconds = round(wait_for_export(job.task_age(self.now())))
            return Decision(Next.WAIT, seconds, replace(seen, export_missing_since=None))
        reason = Reason(
            ReasonCode.RESULT_UNAVAILABLE, "The vendor gave no link to the export in time. Ask the vendor."
        )
        return Decision(Next.FAIL, reason=reason)

    def _wait_for_missing_export(self, job: Job, error: Exception, seen: PollState) -> Decision:
        since = datetime.fromisoformat(seen.export_missing_since) if seen.export_missing_since else self.now()
        if self.now() - since < PATIENCE_WITH_MISSING_EXPORT:
            decision = self._wait(job, seen)
            return replace(decision, seen=replace(seen, export_missing_since=timestamp(since)))
        message = f"{error} Fresh links did not help for ten minutes. Ask the vendor."
        return Decision(Next.FAIL, reason=Reason(ReasonCode.RESULT_UNAVAILABLE, message))

    def _may_wait_for_memory(self, job: Job, since: str) -> bool:
        """Return whether the job can be collected after a wait, within our patience and its deadline."""
        next_try = self.now() + timedelta(seconds=WAIT_FOR_MEMORY)
        return next_try < min(job.deadline, datetime.fromisoformat(since) + PATIENCE_WITH_MEMORY)

    def _keep_unreadable_export(
        self, job: Job, checker: Checker, files: Workspace, error: Exception
    ) -> Decision:
        key = job.upload.results_prefix(checker.name) + "export.unreadable"
        with files.export.open("rb") as export:
            self.results.put(key, export, "application/octet-stream")
        return Decision(Next.FAIL, reason=Reason(ReasonCode.RESULT_INVALID, f"{error} Ask the vendor."))

    def _read_upload(self, job: Job, checker: Checker, files: Workspace) -> ReadUpload | None:
        """Read the upload again for its entries and rows; return None if it cannot be read any more.

        The export is paid for, so a withdrawn permission or a lost bucket must not keep it from being stored.
        """
        for pause in PAUSES:
            if pause:
                self.sleep(pause)
            try:
                return self._clean_upload(job, checker, files)
            except JobFailedError as failure:
                logger.warning("the upload is gone", reason=failure.reason.code)
                break
            except ReadRefusedError as error:
                logger.warning("the upload cannot be read", cause=error.code)
        logger.warning("the results come from the export alone")
        return None

    def _clean_upload(self, job: Job, checker: Checker, files: Workspace) -> ReadUpload:
        upload = files.opened.enter_context(files.upload.open("w+b"))
        metadata = self.uploads.copy_to(job.upload, upload)
        opened = open_upload(
            upload,
            checker.input,
            job.region,
            choice=Choice.from_metadata(metadata),
            phones_only=checker.takes_only_phones,
            layout=job.layout,
        )
        rows = files.opened.enter_context(opened)
        with (
            files.entries.open("w+b") as entries,
            files.rejected.open("w", encoding="utf-8", newline="") as rejected,
        ):
            return ReadUpload(rows, clean_upload(rows, entries=entries, rejected=rejected))

    def _store(
        self,
        job: Job,
        checker: Checker,
        files: Workspace,
        upload: ReadUpload | None,
        status: TaskStatus,
        *,
        stored_key: str | None,
        seen: PollState,
    ) -> Decision:
        sources = None
        if self.rememberer:
            since = seen.memory_unreadable_since or timestamp(self.now())
            sources = self.rememberer.sources(job, may_wait=self._may_wait_for_memory(job, since))
            if sources is None:
                return Decision(Next.WAIT, WAIT_FOR_MEMORY, replace(seen, memory_unreadable_since=since))
        upload, extension, result_counts = write_readable_results(job, checker, files, upload, sources)
        write_spreadsheet(files, upload, created=self.now())
        counts = _counts(job, status, result_counts)
        collected = CollectedJob(
            job,
            checker,
            upload.counts if upload else None,
            counts,
            result_counts,
            cost=status.cost,
            collected_at=self.now(),
            reading=upload.rows.reading() if upload else None,
        )
        stored = self._put(collected, files, extension, stored_key)
        if self.rememberer:
            self.rememberer.learn(job, checker, files.learnt)
        return self._complete(job, counts, stored, status)

    def _store_remembered(self, job: Job, files: Workspace) -> Decision:
        """Store the results of an upload whose entries are all remembered."""
        checker = submitted_checker(job.upload.key)
        upload = self._read_upload(job, checker, files)
        if upload is None:
            return Decision(Next.FAIL, reason=UPLOAD_GONE_UNSENT)
        sources = self.rememberer.sources(job, may_wait=False) if self.rememberer else None
        result_counts = write_remembered_results(job, checker, files, upload, sources)
        write_spreadsheet(files, upload, created=self.now())
        counts = _counts(job, None, result_counts)
        collected = CollectedJob(
            job,
            checker,
            upload.counts,
            counts,
            result_counts,
            cost=None,
            collected_at=self.now(),
            reading=upload.rows.reading(),
        )
        return self._complete(job, counts, self._put(collected, files, None, None), None)

    def _put(
        self, collected: CollectedJob, files: Workspace, extension: str | None, stored_key: str | None
    ) -> StoredResults:
        """Describe and store the results, except the export if it is stored under its key already."""
        prefix = collected.job.upload.results_prefix(collected.checker.name)
        stored = stored_results(self.results.bucket, prefix, extension, files)
        for key, path in write_descriptions(collected, stored, files).items():
            if key != stored_key:
                with path.open("rb") as content:
                    self.results.put(key, content, CONTENT_TYPES[Path(key).suffix])
        self.announcer.failure_files.remove(collected.job)
        if collected.has_lost_answers:
            logger.warning("the remembered answers are lost")
            count_memory_failure(MemoryFailure.ANSWERS_LOST)
        return stored

    def _complete(
        self, job: Job, counts: Counts, stored: StoredResults, status: TaskStatus | None
    ) -> Decision:
        now = self.now()
        try:
            completed = self.ledger.move(
                job,
                COMPLETE_ANSWERED if job.state is State.ANSWERED else COMPLETE,
                counts=counts,
                results=stored,
                reason=None,
                exported_at=_plausible(status.updated_at if status else None, job, now),
                finished_at=now,
            )
        except TransitionRefusedError as refused:
            if refused.current is None or refused.current.state is not State.COMPLETED:
                raise
            completed = refused.current
        else:
            count_bill(completed, status.cost if status else None)
        self.announcer.announce(completed)
        self.durations.learn(completed)
        return Decision(Next.DONE, total=counts.total, success=counts.success)


def _connect_rememberer() -> "Rememberer | None":
    """Return the rememberer for the environment of the collect function, or None if the memory is off."""
    settings = MemorySettings.from_env()
    if not settings.is_on:
        return None
    from numberdrop.steps.remembering import Rememberer  # noqa: PLC0415 - loads the memory's code

    return Rememberer.from_settings(settings)


def _plausible(exported_at: datetime | None, job: Job, now: datetime) -> datetime | None:
    """Return the vendor's time of the export if it is between the task's start and now, or None."""
    if exported_at and job.submitted_at and job.submitted_at <= exported_at <= now:
        return exported_at
    return None


def _counts(job: Job, status: TaskStatus | None, result_counts: ResultCounts) -> Counts:
    submitted = job.counts.submitted
    if submitted is None:
        submitted = result_counts.resolved + result_counts.unresolved
    entries = submitted + (job.counts.remembered or 0)
    # Without the upload, extra rows of the export cannot be recognised, and neither can their verdicts.
    resolved = min(result_counts.resolved, entries)
    return replace(
        job.counts,
        total=status.total if status else None,
        success=status.success if status else None,
        failure=status.failure if status else None,
        resolved=resolved,
        unresolved=entries - resolved,
        verdicts=result_counts.verdicts if resolved == result_counts.resolved else {},
    )
