"""Metrics for dashboards and for the template's alarms.

They are log lines in CloudWatch's embedded metric format, so publishing needs no API call and cannot fail a
job. The dimension ``service`` is the stack's name. Metrics about jobs are published twice: by ``service``
alone, for alarms, and by ``service`` and ``checker``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from numberdrop.jobs.checkers import documented_checker
from numberdrop.jobs.job import Amount, Job, UnsettledJob
from numberdrop.jobs.metric_names import BALANCE, NAMESPACE
from numberdrop.jobs.savings import Savings
from numberdrop.jobs.transitions import State

OTHER_CHECKER = "other"
"""The ``checker`` of all undocumented checkers together: each distinct value is one more billed metric."""

AGES = {
    State.CLAIMED: "OldestClaimAge",
    State.SUBMITTED: "OldestTaskAge",
    State.ANSWERED: "OldestTaskAge",
}
"""The name of the metric for the age of the oldest job in each state."""


class MemoryFailure(StrEnum):
    """What can go wrong with the verdict memory."""

    UNREADABLE = "MemoryUnreadable"
    """Everything was sent, because nothing could be looked up."""
    UNWRITABLE = "MemoryUnwritable"
    """The vendor's answers were not remembered."""
    ANSWERS_LOST = "RememberedAnswersLost"
    """Remembered entries stay unresolved, because what was recalled for a job cannot be read any more."""


_Values = Mapping[str, tuple[MetricUnit, float]]


def count_upload(job: Job) -> None:
    """Count an upload that is seen for the first time."""
    _publish(job, {"Uploads": (MetricUnit.Count, 1)})


def count_charge(job: Job) -> None:
    """Count a file that the vendor accepted and charges for, its numbers, and its list price if known."""
    values = {
        "Charges": (MetricUnit.Count, 1.0),
        "NumbersSent": (MetricUnit.Count, job.counts.submitted or 0),
        **_saved(job),
    }
    checker = documented_checker(job.upload.key)
    price = checker.list_price(job.counts.submitted) if checker else None
    if price is not None:
        values["SpentUsd"] = (MetricUnit.NoUnit, price)
    _publish(job, values)


def count_bill(job: Job, cost: Amount | None) -> None:
    """Count what a task cost by the vendor's own word, if the vendor says so in USD."""
    if cost and cost.currency == "USD":
        _publish(job, {"BilledUsd": (MetricUnit.NoUnit, float(cost.value))})


def record_balance(usd: Decimal) -> None:
    """Publish the balance of the vendor's account in USD.

    >>> record_balance(Decimal("12.34"))
    {..."BalanceUsd":[12.34]}
    """
    metrics = _new_metrics()
    metrics.add_metric(name=BALANCE, unit=MetricUnit.NoUnit, value=float(usd))
    metrics.flush_metrics()


def count_answered(job: Job) -> None:
    """Count a file of which nothing is sent, because all answers are remembered."""
    _publish(job, {"Answered": (MetricUnit.Count, 1.0), **_saved(job)})


def _saved(job: Job) -> _Values:
    """Return what was not sent although the upload has it, and its list price if known."""
    saved = Savings.of(job.counts, documented_checker(job.upload.key))
    values = {
        "DuplicatesSaved": (MetricUnit.Count, float(saved.duplicates or 0)),
        "RememberedSaved": (MetricUnit.Count, float(saved.remembered or 0)),
    }
    if saved.usd is not None:
        values["SavedUsd"] = (MetricUnit.NoUnit, saved.usd)
    return values


def count_memory_failure(name: MemoryFailure) -> None:
    """Count a failure of the verdict memory, which cost money or left entries without their answers.

    >>> count_memory_failure(MemoryFailure.UNREADABLE)
    {..."MemoryUnreadable":[1.0]}
    """
    metrics = _new_metrics()
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()


@dataclass(frozen=True)
class OldestJobs:
    """Finds the oldest job of each checker in each state that has an age."""

    _oldest: dict[tuple[State, str], tuple[timedelta, Job | UnsettledJob]] = field(default_factory=dict)

    def add(self, job: Job | UnsettledJob, age: timedelta) -> None:
        """Add a job; jobs in other states are ignored."""
        group = job.state, _checker(job)
        if job.state in AGES and (group not in self._oldest or age > self._oldest[group][0]):
            self._oldest[group] = age, job

    def publish(self) -> None:
        """Publish one age for each state and checker, with the id of the job."""
        for age, job in self._oldest.values():
            _publish(job, {AGES[job.state]: (MetricUnit.Seconds, age.total_seconds())})


def record_reconciliation(*, has_failed: bool, breaker_is_open: bool) -> None:
    """Publish the outcome of a reconciliation: ``Reconciled`` and ``BreakerOpen`` are each 0 or 1.

    Args:
        has_failed: whether any job could not be repaired.
        breaker_is_open: whether the circuit breaker is open.

    >>> record_reconciliation(has_failed=False, breaker_is_open=False)
    {..."Reconciled":[1.0],"BreakerOpen":[0.0]}
    """
    metrics = _new_metrics()
    metrics.add_metric(name="Reconciled", unit=MetricUnit.Count, value=0 if has_failed else 1)
    metrics.add_metric(name="BreakerOpen", unit=MetricUnit.Count, value=1 if breaker_is_open else 0)
    metrics.flush_metrics()


def count_failed_message() -> None:
    """Count a message of the upload queue that could not be handled and stays in the queue.

    >>> count_failed_message()
    {..."MessagesFailed":[1.0]}
    """
    metrics = _new_metrics()
    metrics.add_metric(name="MessagesFailed", unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()


def count_ending(job: Job) -> None:
    """Count a job that ended or needs a person.

    ``Failed`` is 0 or 1 for every job that ended, so its average is the failure rate.
    """
    match job.state:
        case State.COMPLETED:
            _publish(job, _values_of_completed(job))
        case State.FAILED | State.ABANDONED:
            _publish(job, {"Failed": (MetricUnit.Count, 1)})
        case State.IN_DOUBT:
            _publish(job, {"InDoubt": (MetricUnit.Count, 1)})
        case State.BLOCKED:
            _publish(job, {"Blocked": (MetricUnit.Count, 1)})


def _values_of_completed(job: Job) -> _Values:
    values = {"Completed": (MetricUnit.Count, 1.0), "Failed": (MetricUnit.Count, 0.0)}
    if job.submitted_at and job.finished_at:
        seconds = (job.finished_at - job.submitted_at).total_seconds()
        values["Duration"] = (MetricUnit.Seconds, seconds)
    if job.exported_at and job.finished_at and job.run == 1:
        values["Delay"] = (MetricUnit.Seconds, (job.finished_at - job.exported_at).total_seconds())
    for verdict, count in job.counts.verdicts.items():
        values[f"Verdict{verdict.capitalize()}"] = (MetricUnit.Count, count)
    return values


def _new_metrics() -> EphemeralMetrics:
    """Return an empty set of metrics with the dimension ``service``."""
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    metrics.add_dimension("service", metrics.service or NAMESPACE)
    return metrics


def _publish(job: Job | UnsettledJob, values: _Values) -> None:
    metrics = _new_metrics()
    metrics.add_dimensions(service=metrics.service or NAMESPACE, checker=_checker(job))
    metrics.add_metadata("job_id", job.job_id)
    for name, (unit, value) in values.items():
        metrics.add_metric(name=name, unit=unit, value=value)
    metrics.flush_metrics()


def _checker(job: Job | UnsettledJob) -> str:
    checker = documented_checker(job.upload.key)
    return checker.name if checker else OTHER_CHECKER
