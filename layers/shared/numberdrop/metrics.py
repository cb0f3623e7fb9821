"""Metrics by checker: what an operator watches, and what the template's alarms go by.

They are log lines in CloudWatch's embedded metric format, so measuring costs no call and cannot fail a job.
Each stands under the stack's name alone, for alarms, and those about jobs under the stack's name and the
checker too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from numberdrop.jobs.checkers import documented_checker
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State

NAMESPACE = "numberdrop"

OTHER_CHECKER = "other"
"""Stands for checkers that the vendor does not document: each name of a metric costs money."""

AGES = {State.CLAIMED: "OldestClaimAge", State.SUBMITTED: "OldestTaskAge"}
"""The metrics of how long jobs in a state have been on their way."""

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


@dataclass(frozen=True)
class OldestJobs:
    """How long the oldest job of each checker has waited for the vendor to take it, or to end its task."""

    _oldest: dict[tuple[State, str], tuple[timedelta, Job]] = field(default_factory=dict)

    def note(self, job: Job, age: timedelta) -> None:
        """Remembers the job if no older one is known; jobs in other states count nowhere."""
        place = job.state, _checker(job)
        if job.state in AGES and (place not in self._oldest or age > self._oldest[place][0]):
            self._oldest[place] = age, job

    def publish(self) -> None:
        """Publishes one age for each state and checker, with the id of the job."""
        for age, job in self._oldest.values():
            _publish(job, {AGES[job.state]: (MetricUnit.Seconds, age.total_seconds())})


def measure_reconciliation(*, has_failed: bool, breaker_is_open: bool) -> None:
    """All jobs that are not settled were looked at, and some could not be mended or none.

    ``Reconciled`` and ``BreakerOpen`` are 1 or 0, each time.
    """
    metrics = _metrics()
    metrics.add_metric(name="Reconciled", unit=MetricUnit.Count, value=0 if has_failed else 1)
    metrics.add_metric(name="BreakerOpen", unit=MetricUnit.Count, value=1 if breaker_is_open else 0)
    metrics.flush_metrics()


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
    if job.exported_at and job.finished_at and job.run == 1:
        measures["Delay"] = (MetricUnit.Seconds, (job.finished_at - job.exported_at).total_seconds())
    for verdict, count in job.counts.verdicts.items():
        measures[f"Verdict{verdict.capitalize()}"] = (MetricUnit.Count, count)
    return measures


def _metrics() -> EphemeralMetrics:
    """Metrics under the stack's name."""
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    metrics.add_dimension("service", metrics.service or NAMESPACE)
    return metrics


def _publish(job: Job, measures: _Measures) -> None:
    metrics = _metrics()
    metrics.add_dimensions(service=metrics.service or NAMESPACE, checker=_checker(job))
    metrics.add_metadata("job_id", job.job_id)
    for name, (unit, value) in measures.items():
        metrics.add_metric(name=name, unit=unit, value=value)
    metrics.flush_metrics()


def _checker(job: Job) -> str:
    checker = documented_checker(job.upload.key)
    return checker.name if checker else OTHER_CHECKER
