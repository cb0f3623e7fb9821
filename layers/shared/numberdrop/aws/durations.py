"""The pace of each checker: how long the vendor took over its tasks so far.

It is a guess at how long the next task takes, and nothing hangs on it but the first waits of a job: what goes
wrong here is logged, and the job goes on without. Each pace is one item of the jobs table. Two writers may
overwrite each other; then one task is forgotten.
"""

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Self

from aws_lambda_powertools import Logger
from botocore.config import Config

from numberdrop.aws.clients import make_client
from numberdrop.aws.ledger import NON_JOB_PREFIX
from numberdrop.jobs.checkers import MAX_ROWS
from numberdrop.jobs.job import Job

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DURATION_KEY = NON_JOB_PREFIX + "pace of {checker}"
"""An item's key."""

LONGEST_TASK = 8 * 24 * 3600
"""Seconds after which no execution runs any more."""

WEIGHT = 0.3
"""Of the latest task beside all earlier ones."""

MAX_SURPRISE = 10
"""A task that took more than so many times what the others took, or less than such a part, counts as that."""

IMPATIENT = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
"""For a client that gives up at once: no job waits for a guess."""

logger = Logger()


@dataclass(frozen=True, slots=True)
class TypicalTask:
    """What a checker's tasks so far tell of the next one.

    A task takes some time whatever its size, and some more for each number; nobody knows how much of which.
    So its duration grows with a power of its size between 0, all of the first, and 1, all of the second. The
    power of a half is wrong by at most the root of the ratio of sizes: by nothing for a task of the usual
    size, by a factor of 10 for one a hundred times as large. It needs two means and no fitting, which a few
    odd tasks would lead astray.

    Attributes:
        seconds: geometric mean of the tasks' durations, in which the latest weigh most.
        numbers: the same of their sizes.
    """

    seconds: float
    numbers: float

    @classmethod
    def plausible(cls, seconds: float, numbers: float) -> Self:
        """The pace that one task tells, held within what is possible."""
        return cls(_held(seconds, LONGEST_TASK), _held(numbers, MAX_ROWS))

    def expected_seconds(self, numbers: int) -> int:
        """How long a task of so many numbers is expected to take."""
        return round(_held(self.seconds * sqrt(numbers / self.numbers), LONGEST_TASK))

    def after(self, task: "TypicalTask") -> "TypicalTask":
        """The pace after one more task, which moves it by no more than a factor of two."""
        return TypicalTask(_moved(self.seconds, task.seconds), _moved(self.numbers, task.numbers))


@dataclass(frozen=True)
class Durations:
    """The durations of all checkers. The client should be one that gives up soon."""

    client: "DynamoDBClient"
    table: str

    @classmethod
    def connect(cls, table: str) -> Self:
        """Return the durations in a table, with a client that gives up soon."""
        return cls(make_client("dynamodb", IMPATIENT), table)

    def expected_seconds(self, checker: str, numbers: int | None) -> int | None:
        """How long a checker's task of so many numbers is expected to take; None where nothing tells."""
        if not numbers:
            return None
        try:
            pace = self._read(checker)
        except Exception as error:  # noqa: BLE001 - a guess must not stop a job
            logger.warning("the checker's pace could not be read", cause=type(error).__name__)
            return None
        return pace.expected_seconds(numbers) if pace else None

    def learn(self, job: Job) -> None:
        """Remembers how long a completed job's task took, if its times tell that.

        Those of a job that a person had collected again do not.
        """
        ended_at = job.exported_at or job.finished_at
        if not (job.checker and job.counts.submitted and job.submitted_at and ended_at) or job.run > 1:
            return
        task = TypicalTask.plausible((ended_at - job.submitted_at).total_seconds(), job.counts.submitted)
        try:
            before = self._read(job.checker)
            self._write(job.checker, before.after(task) if before else task)
        except Exception as error:  # noqa: BLE001 - a guess must not stop a job
            logger.warning("the checker's pace could not be written", cause=type(error).__name__)

    def _read(self, checker: str) -> TypicalTask | None:
        answer = self.client.get_item(TableName=self.table, Key=_key(checker))
        item = answer.get("Item")
        return (
            TypicalTask.plausible(float(item["seconds"]["N"]), float(item["numbers"]["N"])) if item else None
        )

    def _write(self, checker: str, pace: TypicalTask) -> None:
        self.client.update_item(
            TableName=self.table,
            Key=_key(checker),
            UpdateExpression="SET #seconds = :seconds, #numbers = :numbers",
            ExpressionAttributeNames={"#seconds": "seconds", "#numbers": "numbers"},
            ExpressionAttributeValues={
                ":seconds": {"N": f"{pace.seconds:.3f}"},
                ":numbers": {"N": f"{pace.numbers:.3f}"},
            },
        )


def _key(checker: str) -> dict[str, dict[str, str]]:
    return {"job_id": {"S": DURATION_KEY.format(checker=checker)}}


def _held(value: float, most: float) -> float:
    return min(max(value, 1.0), most)


def _moved(mean: float, value: float) -> float:
    surprise = min(max(value / mean, 1 / MAX_SURPRISE), MAX_SURPRISE)
    return float(mean * surprise**WEIGHT)
