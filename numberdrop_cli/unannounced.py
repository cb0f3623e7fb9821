"""Files that lie in the upload bucket and have no job, as their events never came."""

from dataclasses import dataclass, replace

from numberdrop.aws.buckets import ListedUpload, ObjectMissingError, UploadBucket
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.upload import Upload
from numberdrop.steps.audit import Auditor
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.jobs_table import JobsTable
from numberdrop_cli.printing import safe_to_print, short_id


@dataclass(frozen=True)
class UnannouncedUploads:
    """The upload bucket, beside the ledger that may not know of everything in it."""

    uploads: UploadBucket
    bucket: str
    ledger: Ledger
    jobs: JobsTable
    breaker: CircuitBreaker

    def missing(self) -> list[ListedUpload]:
        """What the daily audit would report.

        Raises:
            RefusedError: uploads wait behind the line, so what is missing cannot be told from them.
        """
        holder = self.breaker.holder()
        if holder:
            raise RefusedError(
                f"The line is stopped by the job {short_id(holder)}, and uploads wait behind it: what is "
                "missing cannot be told from them. Open the line first, or name a KEY."
            )
        return list(Auditor(self.uploads, self.bucket, self.ledger, self.breaker).unannounced())

    def find(self, key: str, version_id: str | None) -> Upload:
        """The upload that an object is, by default its latest version: the same that its event would tell.

        An object without a version gets the second in which it was written for a sequencer, so that it is the
        same job each time it is found. Its event would tell another.

        Raises:
            RefusedError: there is no such object, or the ledger has its job.
        """
        try:
            head = self.uploads.head(self.bucket, key, version_id)
        except ObjectMissingError:
            what = (
                safe_to_print(key)
                if version_id is None
                else f"version {safe_to_print(version_id)} of {safe_to_print(key)}"
            )
            raise RefusedError(
                f"There is no {what} in the bucket {self.bucket}, or not any more. "
                "A key is written whole, for instance band/spring/leads.txt."
            ) from None
        upload = head.upload
        if upload.version_id is None:
            upload = replace(upload, sequencer=f"{int(head.written_at.timestamp()):016X}")
        self._must_have_no_job(upload)
        return upload

    def _must_have_no_job(self, upload: Upload) -> None:
        job_id = upload.job_id
        if upload.version_id is None:
            # Its event would have named the job by a sequencer that nobody can ask for.
            job_id = self.jobs.job_of_upload(upload) or job_id
        job = self.ledger.get(job_id)
        if job:
            short = short_id(job.job_id)
            raise RefusedError(
                f"The ledger has a job of this upload already, and it is {job.state}. "
                f"Look at it: numberdrop show {short}"
            )
