"""What a job costs on AWS, computed from its operations, and what other ways to follow a task cost.

``python -m benchmarks.cost`` prints the tables of ``docs/cost.md``. One test compares them with the page,
another counts the operations of a job on the local cloud. Prices are those of US East, without free tiers.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.waiting_policies import MEMORY_GB, Outcome, fixed, growing, ours
from benchmarks.waiting_tasks import Shape, Task
from numberdrop.jobs.polling import PollingPolicy

MAX_WAIT_SECONDS = 300
"""The template's default."""

CALLS_OF_A_JOB: Mapping[str, int] = {
    "dynamodb:GetItem": 6,
    "dynamodb:PutItem": 1,
    "dynamodb:UpdateItem": 6,
    "events:PutEvents": 1,
    "s3:GetObject": 2,
    "s3:ListObjects": 1,
    "s3:PutObject": 8,
    "sqs:ChangeMessageVisibility": 1,
    "states:StartExecution": 1,
}
"""AWS requests of a job's functions, without checks of the task. Objects are the fence, the export, four
files of results and the lists of two answers. A job of 1,000,000 numbers has no workbook."""

CALLS_OF_A_TURN: Mapping[str, int] = {"dynamodb:GetItem": 1}
"""AWS requests of each invocation of check_status, however many checks it makes."""

TRANSITIONS_OF_A_JOB = 4
TRANSITIONS_OF_A_TURN = 3

QUEUE_REQUESTS = 3
"""Requests of no function: EventBridge sends; Lambda receives and deletes."""

USD: Mapping[str, float] = {
    "transition": 0.025 / 1000,
    "request": 0.20 / 1_000_000,
    "GB-second": 0.0000133334,
    "dynamodb:GetItem": 0.125 / 1_000_000,
    # The item of a task id, of less than 1 KB.
    "dynamodb:PutItem": 0.625 / 1_000_000,
    # An item of up to 2 KB, and an entry of the index.
    "dynamodb:UpdateItem": 3 * 0.625 / 1_000_000,
    "events:PutEvents": 1.00 / 1_000_000,
    "s3:GetObject": 0.0004 / 1000,
    "s3:ListObjects": 0.005 / 1000,
    "s3:PutObject": 0.005 / 1000,
    "sqs:ChangeMessageVisibility": 0.40 / 1_000_000,
    "states:StartExecution": 0.0,
    "GB-month": 0.023,
    "container hour": 0.25 * 0.03238 + 0.5 * 0.00356,
    "durable operation": 8.00 / 1_000_000,
    "schedule": 1.00 / 1_000_000,
}
"""From the pricing pages of AWS Step Functions (Standard workflows), AWS Lambda (arm64; durable functions),
Amazon DynamoDB (on demand), Amazon EventBridge (custom events; Scheduler), Amazon S3 (Standard), Amazon SQS
and AWS Fargate (arm64; a quarter of a vCPU and half a GB)."""

FUNCTION_GB = 1769 / 1024
"""Memory of submit and collect in GB, as in the template."""

DAYS_KEPT = 90 + 15
"""Default of ``RetentionDays``, plus the days as an old version."""


@dataclass(frozen=True, slots=True)
class Size:
    """A size of job, measured on the local cloud.

    Attributes:
        numbers: rows sent.
        seconds: seconds that submit and collect run in total, without the vendor's time.
        megabytes: total size of upload, export and results.
    """

    numbers: int
    seconds: float
    megabytes: float


SIZES = (Size(1_000, 1.2, 0.15), Size(1_000_000, 16.3, 73.0))

DURATIONS = {"5 minutes": 300.0, "2 hours": 7200.0}


def followed(numbers: int, seconds: float) -> Outcome:
    """Return how numberdrop follows the first task of a checker, whose counts grow steadily."""
    return ours(PollingPolicy(MAX_WAIT_SECONDS))(_task(numbers, seconds))


def _task(numbers: int, seconds: float) -> Task:
    return Task(
        median=seconds,
        seconds=seconds,
        numbers=numbers,
        shape=Shape.LINEAR,
        begin=0.02,
        end=0.98,
        pause=(0.0, 0.0),
        step=0.1,
        is_first=True,
        seed=1,
    )


def parts(size: Size, outcome: Outcome) -> dict[str, float]:
    """Return the USD of one job by item of the bill."""
    calls = {
        name: CALLS_OF_A_JOB[name] + outcome.turns * CALLS_OF_A_TURN.get(name, 0) for name in CALLS_OF_A_JOB
    }
    transitions = TRANSITIONS_OF_A_JOB + outcome.turns * TRANSITIONS_OF_A_TURN
    requests = outcome.turns + 2
    gb_seconds = size.seconds * FUNCTION_GB + outcome.seconds * MEMORY_GB
    return {
        "state transitions": transitions * USD["transition"],
        "functions": requests * USD["request"] + gb_seconds * USD["GB-second"],
        "tables, files, events, queue": sum(count * USD[name] for name, count in calls.items())
        + QUEUE_REQUESTS * USD["sqs:ChangeMessageVisibility"],
        f"{DAYS_KEPT} days of storage": size.megabytes / 1000 * USD["GB-month"] * DAYS_KEPT / 30,
    }


def following_costs(seconds: float) -> dict[str, float]:
    """Return the USD of each way to follow a task, from acceptance until its end is noticed."""
    task = _task(1_000, seconds)
    minutely = fixed(60)(task)
    durable = growing(5, 1.5, 300)(task)
    return {
        "numberdrop": ours(PollingPolicy(MAX_WAIT_SECONDS))(task).usd,
        "a state machine, every 60 s": minutely.usd,
        "a durable function, default waits": (1 + 2 * durable.turns) * USD["durable operation"]
        + _lambda(durable),
        "a schedule, every 60 s": minutely.turns * USD["schedule"] + _lambda(minutely),
        "a container that polls": max(seconds, 60.0) / 3600 * USD["container hour"],
    }


def _lambda(outcome: Outcome) -> float:
    return outcome.turns * USD["request"] + outcome.seconds * MEMORY_GB * USD["GB-second"]


def page() -> str:
    """Return the tables of ``docs/cost.md``."""
    jobs = [(size, name, seconds) for size in SIZES for name, seconds in DURATIONS.items()]
    names = list(parts(SIZES[0], followed(1_000, 300.0)))
    lines = [
        "| numbers | task | turns | checks | " + " | ".join(names) + " | total, USD | 1,000 jobs, USD |",
        "|--:|---|--:|--:|" + "--:|" * (len(names) + 2),
    ]
    for size, name, seconds in jobs:
        outcome = followed(size.numbers, seconds)
        usd = parts(size, outcome)
        cells = [f"{size.numbers:,}", name, str(outcome.turns), str(outcome.calls)]
        cells += [_usd(part) for part in usd.values()]
        total = math.fsum(usd.values())
        lines.append("| " + " | ".join([*cells, f"**{_usd(total)}**", f"{1000 * total:.2f}"]) + " |")
    lines += ["", "| following a task | " + " | ".join(f"{name}, USD" for name in DURATIONS) + " |"]
    lines += ["|---|" + "--:|" * len(DURATIONS)]
    by_duration = [following_costs(seconds) for seconds in DURATIONS.values()]
    lines += [
        f"| {way} | " + " | ".join(_usd(costs[way]) for costs in by_duration) + " |" for way in by_duration[0]
    ]
    return "\n".join(lines) + "\n"


def _usd(amount: float) -> str:
    return f"{amount:.6f}"


def main() -> None:
    """Print the tables."""
    print(page())


if __name__ == "__main__":
    main()
