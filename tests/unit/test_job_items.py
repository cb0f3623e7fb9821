"""A job keeps every field when it becomes a ledger item, and old and new items can still be read."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.aws.serialisation import from_attribute, to_attribute
from numberdrop.jobs.job import Job, JobChanges, to_item
from tests.support.jobs import NOON, a_job

SET_BY_THE_LEDGER = {"job_id", "state", "last_write", "announced"}
moments = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - Hypothesis adds the time zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))
st.register_type_strategy(datetime, moments)


@dataclass(frozen=True, slots=True)
class Inspection:
    """Something about a job that only a future version stores."""

    inspected_at: datetime
    repeated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FutureJob(Job):
    """A job with fields that today's jobs do not have."""

    paid_at: datetime | None = None
    inspection: Inspection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWithAPrice(Job):
    price: Decimal | None = None


def item_of(job: Job) -> dict[str, Any]:
    return to_item({field.name: getattr(job, field.name) for field in fields(job)})


@pytest.mark.slow
@given(st.from_type(Job))
def test_any_job_is_read_as_it_was_written(job: Job) -> None:
    assert Job.from_item(item_of(job)) == job


@pytest.mark.slow
@given(st.from_type(Job))
def test_any_job_survives_as_dynamodb_attributes(job: Job) -> None:
    attributes = {name: to_attribute(value) for name, value in item_of(job).items()}
    assert Job.from_item({name: from_attribute(value) for name, value in attributes.items()}) == job


@given(st.from_type(FutureJob))
def test_a_new_datetime_field_is_read_as_a_datetime(job: FutureJob) -> None:
    assert FutureJob.from_item(item_of(job)) == job


def test_an_item_of_an_older_version_gets_defaults() -> None:
    item = item_of(a_job())
    del item["expected_seconds"], item["exported_at"], item["announced"], item["counts"]["lines"]
    read = Job.from_item(item)
    assert (read.expected_seconds, read.exported_at, read.announced) == (None, None, frozenset())
    assert (read.counts.lines, read.counts.submitted) == (None, 100)


def test_an_item_of_a_newer_version_is_read_without_its_news() -> None:
    later = FutureJob(
        **{field.name: getattr(a_job(), field.name) for field in fields(Job)},
        paid_at=NOON,
        inspection=Inspection(NOON, NOON + timedelta(hours=1)),
    )
    assert Job.from_item(item_of(later)) == a_job()


def test_a_type_that_items_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^A ledger item cannot hold a Decimal\. Add a rule"):
        JobWithAPrice.from_item(item_of(a_job()) | {"price": "1.50"})


def test_ledger_changes_have_the_fields_and_types_of_a_job() -> None:
    of_job = get_type_hints(Job)
    assert of_job.keys() >= SET_BY_THE_LEDGER
    settable = {name: hint for name, hint in of_job.items() if name not in SET_BY_THE_LEDGER}
    assert get_type_hints(JobChanges) == settable
    assert JobChanges.__optional_keys__ == settable.keys()
