"""Mutants of what the pipeline does with the files of failed jobs."""

from collections.abc import Mapping

from numberdrop.aws.failure_files import FailureFiles
from numberdrop.jobs.job import Job
from tests.support.crash.wiring import Wiring


class _LeavingFiles(FailureFiles):
    def remove(self, job: Job) -> None:
        """Do nothing."""


class LeavesFilesBesideResults(Wiring):
    failure_files_class = _LeavingFiles


class _ForgetfulFiles(FailureFiles):
    """Writes no files for a job that is in doubt."""

    def write(self, job: Job) -> None:
        if job.task_id is not None:
            super().write(job)


class WritesNoFilesForADoubt(Wiring):
    failure_files_class = _ForgetfulFiles


FAILURE_FILE_MUTANTS: Mapping[type[Wiring], tuple[str, ...]] = {
    LeavesFilesBesideResults: (
        "a_late_task_that_is_collected_again",
        "a_table_restored_to_before_a_rejection",
    ),
    WritesNoFilesForADoubt: ("a_doubt_that_is_resolved_wrongly", "an_abandoned_doubt"),
}
