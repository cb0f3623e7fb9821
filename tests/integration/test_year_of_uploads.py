"""A year of weekly uploads through the whole pipeline, on the clock of the simulated vendor.

``NUMBERDROP_YEAR_NUMBERS=20000`` in the environment makes it a long list.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import boto3
import pytest

from functions.compact import app as compact
from local.simulator import Simulator, verdict
from numberdrop import clock
from numberdrop.aws.memory_bucket import MemoryBucket
from numberdrop.memory.store import listing
from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.outcomes import job_of, rows_of

WEEKS = 52
NUMBERS = int(os.environ.get("NUMBERDROP_YEAR_NUMBERS", "200"))
NEW = NUMBERS // 20


@pytest.fixture
def on_the_vendors_clock(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the functions read the clock that the simulated vendor's tests can move."""

    class VendorsTime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            own = simulator.clock
            return datetime.fromtimestamp(own.unix_second(own.now()), tz)

    monkeypatch.setattr(clock, "datetime", VendorsTime)


@pytest.fixture
def with_memory(account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in account.variables_of_memory().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REMEMBER_YES_DAYS", "90")


@pytest.mark.timeout(0)
@pytest.mark.usefixtures("with_memory", "on_the_vendors_clock")
def test_a_year_of_weekly_uploads_pays_a_fifth(
    account: Account,
    functions: Functions,
    simulator: Simulator,
    record_property: Callable[[str, object], None],
) -> None:
    numbers = [f"+10{index:09}" for index in range(NUMBERS)]
    s3 = boto3.client("s3")
    bucket = MemoryBucket(s3, "memory")
    remembered = 0
    for week in range(WEEKS):
        if week:
            first = NUMBERS + (week - 1) * NEW
            numbers = numbers[NEW:] + [f"+10{index:09}" for index in range(first, first + NEW)]
        upload = account.drop(f"band/week{week}.txt", file_of(*numbers))
        assert functions.submit(upload)
        assert functions.check_status(upload)["next"] == "collect"
        assert functions.collect(upload)["next"] == "done"

        job = job_of(account, upload)
        assert job.results
        stored = s3.get_object(Bucket=job.results.bucket, Key=job.results.csv_key)
        rows = rows_of(stored["Body"].read())
        assert {row["number"]: row["verdict"] for row in rows} == {
            number: verdict(number) for number in numbers
        }
        day = datetime.fromtimestamp(simulator.clock.unix_second(simulator.clock.now()), UTC).date()
        assert all(
            day - timedelta(days=90) < datetime.fromisoformat(row["checked_on"]).date() <= day for row in rows
        )
        remembered += job.counts.remembered or 0
        compact.handler({}, functions.context)
        simulator.advance(timedelta(weeks=1).total_seconds())

    paid, without = sum(charge.rows for charge in simulator.charges), WEEKS * NUMBERS
    assert paid + remembered == without
    assert 0.15 < paid / without < 0.22
    assert len(listing(bucket, "band").runs) <= 16
    record_property("share paid", paid / without)
    print(f"{WEEKS} uploads of {NUMBERS:,} numbers: paid for {paid:,} rows instead of {without:,}")
