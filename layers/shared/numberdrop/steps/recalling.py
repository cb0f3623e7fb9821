"""Looking up an upload's entries in the verdict memory before they are sent.

Import this only if the memory is on: it loads the memory's code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import BinaryIO

from aws_lambda_powertools import Logger

from numberdrop.clock import Clock, utc_now
from numberdrop.files.exports.matching import Matching
from numberdrop.jobs.job import Counts
from numberdrop.jobs.max_age import max_age_days
from numberdrop.jobs.upload import Upload
from numberdrop.memory.errors import VerdictMemoryError
from numberdrop.memory.memory import Recollection
from numberdrop.metrics import MemoryFailure, count_memory_failure
from numberdrop.steps.memory_use import MemoryUser
from numberdrop.steps.upload_rules import PreparedUpload

logger = Logger()


@dataclass(frozen=True)
class Recaller(MemoryUser):
    """Removes the remembered entries from an upload, and stores their verdicts for the collect function."""

    pauses = (0, 1, 4)
    now: Clock = utc_now

    def recall(
        self, prepared: PreparedUpload, upload: Upload, token: str, metadata: Mapping[str, str]
    ) -> PreparedUpload:
        """Return the upload with only those entries that have to be sent.

        The verdicts are stored under a name that no other attempt uses. So a worker that lost its job cannot
        replace the verdicts that the job's current worker relied on.

        If the memory cannot be read or written, everything is sent.

        Args:
            prepared: the upload that was read. Its file is changed.
            upload: where it is stored.
            token: the token of the attempt.
            metadata: the object's metadata, with names in lower case.
        """
        if not prepared.checker.may_be_remembered:
            return prepared
        for _ in self.tries():
            try:
                return self._recall(prepared, self._name(upload, token), max_age_days(metadata))
            except VerdictMemoryError as error:
                logger.warning("the verdict memory cannot be used", cause=error.cause)
        count_memory_failure(MemoryFailure.UNREADABLE)
        return prepared

    def _name(self, upload: Upload, token: str) -> str:
        return f"{upload.job_id}-{token}"

    def _recall(self, prepared: PreparedUpload, name: str, max_age: int | None) -> PreparedUpload:
        checker = prepared.checker
        with TemporaryFile() as rest:
            recollection = self.memory.recall(
                checker.name,
                prepared.file,
                rest,
                today=self.now().date(),
                min_rows=checker.min_rows,
                max_age_days=max_age,
                keys_of=Matching(checker.input).entry_keys,
            )
            key = self.memory.freeze(recollection, name)
            _replace(prepared.file, rest)
        return replace(prepared, recalled=key, counts=_counts(prepared, recollection))


def _replace(file: BinaryIO, rest: BinaryIO) -> None:
    """Replace the content of a file with that of another."""
    rest.seek(0)
    file.seek(0)
    file.truncate()
    copyfileobj(rest, file)
    file.seek(0)


def _counts(prepared: PreparedUpload, found: Recollection) -> Counts:
    return replace(
        prepared.counts, submitted=found.sent, remembered=found.remembered, refreshed=found.refreshed
    )
