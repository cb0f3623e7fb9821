"""Find the job that a person names: by its id, by the id's first digits, or by the key of its upload."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from numberdrop.aws.fences import Fences
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.listing import UploadListing
from numberdrop.jobs.job import Job
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.jobs_table import ID_DIGITS, JobsTable
from numberdrop_cli.names import composed
from numberdrop_cli.printing import SHORT_ID_DIGITS, safe_to_print, short_id


@dataclass(frozen=True)
class JobFinder:
    """Finds jobs, if possible without reading the whole ledger."""

    ledger: Ledger
    jobs: JobsTable
    fences: Fences
    listing: UploadListing

    def find(self, name: str) -> Job:
        """Return the current state of the job with this id, these first digits or this key.

        Raises:
            RefusedError: no job matches, or several do.
        """
        return self._by_key(name) if "/" in name else self._by_digits(name)

    def _by_digits(self, digits: str) -> Job:
        job = self.ledger.get(self._id_of_sent_job(digits) or self.jobs.full_id(digits))
        if job is None:
            raise RefusedError(f"There is no job {digits}.")
        return job

    def _id_of_sent_job(self, digits: str) -> str | None:
        """Return the only id with these first digits among the jobs that were about to be sent, or None.

        Such jobs have fences, which can be listed by their first digits. The 12 digits that people see are
        unique for all practical purposes; fewer digits may be those of several jobs.
        """
        if not SHORT_ID_DIGITS <= len(digits) < ID_DIGITS:
            return None
        try:
            found = list(self.fences.job_ids(digits))
        except ClientError:
            return None  # without permission to list the bucket, the whole ledger is read
        return found[0] if len(found) == 1 else None

    def _by_key(self, key: str) -> Job:
        """Return the job of the latest version of an object.

        `send` composes keys, and a person may type or paste another Unicode form of the name.
        """
        for each in dict.fromkeys((key, composed(key))):
            if job := self._latest(each):
                return job
        raise RefusedError(
            f"There is no job for {safe_to_print(key)}. Give the whole key of a file that is still in the "
            f"bucket {self.listing.bucket}, or the job's id."
        )

    def _latest(self, key: str) -> Job | None:
        """Return the job of the latest version, or None.

        Raises:
            RefusedError: only an older version has a job.
        """
        for number, listed in enumerate(self.listing.versions_of(key)):
            upload = listed.upload
            job_id = upload.job_id if upload.version_id else self.jobs.job_of_upload(upload)
            job = self.ledger.get(job_id) if job_id else None
            if job and number:
                raise RefusedError(
                    f"The latest version of {safe_to_print(key)} has no job yet. An older version has: "
                    f"name it by its id, {short_id(job.job_id)}."
                )
            if job:
                return job
        return None
