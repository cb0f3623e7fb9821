"""Metrics by checker: what an operator watches, and what the template's alarms go by.

They are log lines in CloudWatch's embedded metric format, so measuring costs no call and cannot fail a job.
Each stands under the stack's name alone, for alarms, and under the stack's name and the checker.
"""

from collections.abc import Mapping
from datetime import datetime

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from numberdrop.catalogue import checkers
from numberdrop.job import Job
from numberdrop.transitions import State

NAMESPACE = "numberdrop"

OTHER_CHECKER = "other"
"""Stands for checkers that the vendor does not document: each name of a metric costs money."""

_Measures = Mapping[str, tuple[MetricUnit, float]]


def count_upload(job: Job) -> None:
    """An upload was seen for the first time."""
    _publish(job, {"Uploads": (MetricUnit.Count, 1)})


def count_charge(job: Job) -> None:
    """The vendor took a file, and charges for it."""
    _publish(
        job,
        {
            "Charges": (MetricUnit.Count, 1),
            "NumbersSent": (MetricUnit.Count, job.counts.submitted or 0),
            "DuplicatesSaved": (MetricUnit.Count, job.counts.duplicates or 0),
        },
    )


def measure_task_age(job: Job, now: datetime) -> None:
    """A task is still with the vendor."""
    _publish(job, {"OldestTaskAge": (MetricUnit.Seconds, job.task_age(now))})


def count_ending(job: Job) -> None:
    """A job ended, or stopped to wait for a person.

    ``Failed`` is 1 or 0 for each job that is over, so that its average is the share of failures.
    """
    match job.state:
        case State.COMPLETED:
            _publish(job, _completed(job))
        case State.FAILED | State.ABANDONED:
            _publish(job, {"Failed": (MetricUnit.Count, 1)})
        case State.IN_DOUBT:
            _publish(job, {"InDoubt": (MetricUnit.Count, 1)})
        case State.BLOCKED:
            _publish(job, {"Blocked": (MetricUnit.Count, 1)})


def _completed(job: Job) -> _Measures:
    measures = {"Completed": (MetricUnit.Count, 1.0), "Failed": (MetricUnit.Count, 0.0)}
    if job.submitted_at and job.finished_at:
        seconds = (job.finished_at - job.submitted_at).total_seconds()
        measures["Duration"] = (MetricUnit.Seconds, seconds)
    if job.exported_at and job.finished_at:
        measures["Delay"] = (MetricUnit.Seconds, (job.finished_at - job.exported_at).total_seconds())
    for verdict, count in job.counts.verdicts.items():
        measures[f"Verdict{verdict.capitalize()}"] = (MetricUnit.Count, count)
    return measures


def _publish(job: Job, measures: _Measures) -> None:
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    stack = metrics.service or NAMESPACE
    metrics.add_dimension("service", stack)
    metrics.add_dimensions(service=stack, checker=_checker(job))
    metrics.add_metadata("job_id", job.job_id)
    for name, (unit, value) in measures.items():
        metrics.add_metric(name=name, unit=unit, value=value)
    metrics.flush_metrics()


def _checker(job: Job) -> str:
    word, _, _ = job.upload.key.lower().partition("/")
    checker = checkers().get(word)
    return checker.name if checker else OTHER_CHECKER
