"""How long the vendor's tasks have taken so far, for each checker.

They give an estimate for the next task. Only a job's first waits depend on it, so errors are logged and the
job goes on without an estimate. Each checker has one item in the jobs table. If two writers overwrite each
other, one task is not counted.
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
"""The key of a checker's item. Existing tables and the IAM policies use it, so it keeps its old name."""

LONGEST_TASK = 31 * 24 * 3600
"""Upper bound of durations in seconds; no execution runs that long."""

WEIGHT = 0.3
"""Weight of the latest task in the running mean."""

MAX_SURPRISE = 10
"""Largest ratio, up or down, between one task and the mean. Larger ratios count as this one."""

IMPATIENT = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
"""For a client that gives up after a second, because no job should wait for an estimate."""

logger = Logger()


@dataclass(frozen=True, slots=True)
class TypicalTask:
    """Duration and size of a checker's typical task, which predict the next one.

    A task takes a fixed time plus some time per number, in unknown shares. So its duration grows with a power
    of its size between 0 (only the fixed time) and 1 (only the time per number). The estimate uses the power
    1/2, which is wrong by at most the square root of the ratio of the sizes: not at all for a task of typical
    size, by a factor of 10 for one that is 100 times as large. This needs only two means. Fitting the power
    would be thrown off by a few unusual tasks.

    >>> TypicalTask(seconds=300, numbers=1000).expected_seconds(4000)
    600

    Attributes:
        seconds: weighted geometric mean of the durations; the latest tasks weigh most.
        numbers: the same mean of the numbers per task.
    """

    seconds: float
    numbers: float

    @classmethod
    def plausible(cls, seconds: float, numbers: float) -> Self:
        """Return a task with its duration and size limited to possible values."""
        return cls(_clamp(seconds, LONGEST_TASK), _clamp(numbers, MAX_ROWS))

    def expected_seconds(self, numbers: int) -> int:
        """Return how long a task with this many numbers is expected to take."""
        return round(_clamp(self.seconds * sqrt(numbers / self.numbers), LONGEST_TASK))

    def after(self, task: "TypicalTask") -> "TypicalTask":
        """Return the typical task after one more task, which changes each mean at most by a factor of two."""
        return TypicalTask(
            _updated_mean(self.seconds, task.seconds), _updated_mean(self.numbers, task.numbers)
        )


@dataclass(frozen=True)
class Durations:
    """The durations of all checkers. Its client should give up quickly, like ``IMPATIENT``.

    >>> durations = Durations.connect("jobs")
    >>> durations.expected_seconds("band", None) is None  # no estimate for a task of unknown size
    True
    """

    client: "DynamoDBClient"
    table: str

    @classmethod
    def connect(cls, table: str) -> Self:
        """Return the durations stored in a table, with a client that gives up quickly."""
        return cls(make_client("dynamodb", IMPATIENT), table)

    def expected_seconds(self, checker: str, numbers: int | None) -> int | None:
        """Return how long a checker's task is expected to take, or None if there is no estimate.

        Args:
            checker: the checker's name.
            numbers: how many numbers the task has, or None if that is unknown.
        """
        if not numbers:
            return None
        try:
            typical = self._read(checker)
        except Exception as error:  # noqa: BLE001 - a missing estimate must not stop a job
            logger.warning("the checker's durations could not be read", cause=type(error).__name__)
            return None
        return typical.expected_seconds(numbers) if typical else None

    def learn(self, job: Job) -> None:
        """Add a completed job's task to the checker's durations.

        Ignores jobs without a size or a start, and later runs: how long their task took is unknown.
        """
        ended_at = job.exported_at or job.finished_at
        if not (job.checker and job.counts.submitted and job.submitted_at and ended_at) or job.run > 1:
            return
        task = TypicalTask.plausible((ended_at - job.submitted_at).total_seconds(), job.counts.submitted)
        try:
            before = self._read(job.checker)
            self._write(job.checker, before.after(task) if before else task)
        except Exception as error:  # noqa: BLE001 - a missing estimate must not stop a job
            logger.warning("the checker's durations could not be written", cause=type(error).__name__)

    def _read(self, checker: str) -> TypicalTask | None:
        answer = self.client.get_item(TableName=self.table, Key=_key(checker))
        item = answer.get("Item")
        return (
            TypicalTask.plausible(float(item["seconds"]["N"]), float(item["numbers"]["N"])) if item else None
        )

    def _write(self, checker: str, typical: TypicalTask) -> None:
        self.client.update_item(
            TableName=self.table,
            Key=_key(checker),
            UpdateExpression="SET #seconds = :seconds, #numbers = :numbers",
            ExpressionAttributeNames={"#seconds": "seconds", "#numbers": "numbers"},
            ExpressionAttributeValues={
                ":seconds": {"N": f"{typical.seconds:.3f}"},
                ":numbers": {"N": f"{typical.numbers:.3f}"},
            },
        )


def _key(checker: str) -> dict[str, dict[str, str]]:
    return {"job_id": {"S": DURATION_KEY.format(checker=checker)}}


def _clamp(value: float, maximum: float) -> float:
    return min(max(value, 1.0), maximum)


def _updated_mean(mean: float, value: float) -> float:
    surprise = min(max(value / mean, 1 / MAX_SURPRISE), MAX_SURPRISE)
    return float(mean * surprise**WEIGHT)
