"""Find files in the upload bucket that have no job because their events were lost."""

from dataclasses import dataclass, replace

from numberdrop.aws.buckets import ObjectMissingError, UploadBucket
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.listing import ListedUpload, UploadListing
from numberdrop.jobs.upload import Upload
from numberdrop.steps.audit import Auditor
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.jobs_table import JobsTable
from numberdrop_cli.printing import safe_to_print, short_id


@dataclass(frozen=True)
class UnannouncedUploads:
    """The upload bucket, compared with the ledger."""

    uploads: UploadBucket
    bucket: str
    ledger: Ledger
    jobs: JobsTable
    breaker: CircuitBreaker

    def missing(self) -> list[ListedUpload]:
        """Return the uploads that the daily audit would report.

        Raises:
            RefusedError: the circuit breaker is open. Missing uploads then look like waiting ones.
        """
        holder = self.breaker.holder()
        if holder:
            raise RefusedError(
                f"The circuit breaker is open because of job {short_id(holder)}, and uploads wait behind it. "
                "Missing uploads look like waiting ones. "
                f"Wait until it closes (numberdrop show {short_id(holder)}), or name a KEY."
            )
        listing = UploadListing(self.uploads.client, self.bucket)
        return list(Auditor.of(listing, self.ledger).unannounced())

    def find(self, key: str, version_id: str | None) -> Upload:
        """Return the upload for an object: the given version, or the latest.

        With a version it has the same job id as its event would give it. An object without a version gets the
        second of its last change as its sequencer. So it has the same job id every time it is found, but not
        the one from its event.

        Raises:
            RefusedError: there is no such object, or it already has a job.
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
                f"There is no {what} in the bucket {self.bucket}; it may have been deleted. "
                "Give the whole key, for instance band/spring/leads.txt."
            ) from None
        upload = head.upload
        if upload.version_id is None:
            upload = replace(upload, sequencer=f"{int(head.written_at.timestamp()):016X}")
        self._refuse_if_job_exists(upload)
        return upload

    def _refuse_if_job_exists(self, upload: Upload) -> None:
        job_id = upload.job_id
        if upload.version_id is None:
            # A job made from the event has another id: its sequencer cannot be looked up afterwards.
            job_id = self.jobs.job_of_upload(upload) or job_id
        job = self.ledger.get(job_id)
        if job:
            raise RefusedError(
                f"This upload already has a job, which is {job.state}. "
                f"Look at it: numberdrop show {short_id(job.job_id)}"
            )
