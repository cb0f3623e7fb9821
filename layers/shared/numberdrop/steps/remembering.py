"""What collect reads from and writes to the verdict memory.

Import this only if the memory is on: it loads the memory's code.
"""

from datetime import UTC, date
from pathlib import Path

from aws_lambda_powertools import Logger

from numberdrop.files.results.sources import Recall, Remembered, Sources, learnt_blocks
from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.memory.errors import RecalledMissingError, VerdictMemoryError
from numberdrop.memory.recalled import RecalledAnswers
from numberdrop.memory.stamps import checked_on, verdict_of
from numberdrop.metrics import MemoryFailure, count_memory_failure
from numberdrop.steps.memory_use import MemoryUser

logger = Logger()


class Rememberer(MemoryUser):
    """Finds what was remembered when a job was sent, and remembers what the vendor answered."""

    pauses = (0, 5, 15)

    def sources(self, job: Job, *, may_wait: bool) -> Sources | None:
        """Return the sources of a job's answers, or None if the remembered ones cannot be read now.

        Args:
            job: the job.
            may_wait: whether the job may be collected later. If not, the entries of answers that cannot be
                read stay unresolved, so that they do not hold up what was paid for.

        Raises:
            VerdictMemoryError: the answers cannot be read now, and nothing else was paid for. Try again.
        """
        recall = None
        if job.recalled:
            try:
                recall = self._recall(job.recalled)
            except VerdictMemoryError:
                if job.state is State.ANSWERED:
                    raise
                if may_wait:
                    return None
        return Sources(self._day(job), recall)

    def learn(self, job: Job, checker: Checker, learnt: Path) -> None:
        """Remember the verdicts of a job's export. A failure is counted, and costs money at the next upload.

        The day of the verdicts is the one on which the vendor accepted the file, because the results may be
        collected much later. Repeating this writes the same object.

        Args:
            job: the job.
            checker: its checker.
            learnt: the file that ``write_learnt`` wrote.
        """
        day = self._day(job)
        if day is None or not checker.may_be_remembered:
            return
        for _ in self.tries():
            try:
                with learnt.open("rb") as file:
                    self.memory.learn(checker.name, job.job_id, day, learnt_blocks(file))
            except VerdictMemoryError as error:
                logger.warning("the verdicts could not be remembered", cause=error.cause)
            else:
                return
        count_memory_failure(MemoryFailure.UNWRITABLE)

    def _day(self, job: Job) -> date | None:
        return job.submitted_at.astimezone(UTC).date() if job.submitted_at else None

    def _recall(self, key: str) -> Recall | None:
        for further_tries in self.tries():
            try:
                return _answers(self.memory.recalled(key))
            except RecalledMissingError as error:
                logger.warning("the remembered answers are gone", cause=error.cause)
                break
            except VerdictMemoryError as error:
                logger.warning("the remembered answers cannot be read", cause=error.cause)
                if not further_tries:
                    raise
        return None


def _answers(recalled: RecalledAnswers) -> Recall:
    known: dict[int, Remembered | None] = {0: None}

    def recall(keys: list[str]) -> list[Remembered | None]:
        stamps = recalled.stamps(keys)
        for stamp in {*stamps} - known.keys():
            known[stamp] = Remembered(verdict_of(stamp), checked_on(stamp))
        return list(map(known.__getitem__, stamps))

    return recall
