"""Metrics are log lines in CloudWatch's embedded metric format."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from numberdrop.jobs.job import Amount, Counts
from numberdrop.jobs.transitions import State
from numberdrop.metrics import (
    AGES,
    OldestJobs,
    count_answered,
    count_bill,
    count_charge,
    count_ending,
    count_upload,
    record_reconciliation,
)
from tests.support.jobs import NOON, a_job, an_upload

STACK = "the-stack"


@pytest.fixture(autouse=True)
def _stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", STACK)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def measured(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Return the metrics of the only log line, by name."""
    (line,) = lines(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    return {metric["Name"]: line[metric["Name"]][0] for metric in directive["Metrics"]}


def test_a_metric_has_the_dimensions_stack_and_checker(
    capsys: pytest.CaptureFixture[str],
) -> None:
    count_upload(a_job(upload=an_upload("BAND/numbers.txt")))

    (line,) = lines(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "numberdrop"
    assert directive["Dimensions"] == [["service"], ["service", "checker"]]
    assert (line["service"], line["checker"]) == (STACK, "band")


@pytest.mark.parametrize("key", ["task_type=brand-new/numbers.txt", "no-such-checker/a.txt", "no-folder"])
def test_undocumented_checkers_share_one_dimension(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    count_upload(a_job(upload=an_upload(key)))

    (line,) = lines(capsys)
    assert line["checker"] == "other"


@pytest.mark.parametrize(
    ("key", "price"),
    [("band/a.txt", 0.001), ("ws/a.txt", 0.0009), ("Twitter/a.txt", None), ("task_type=new/a.txt", None)],
)
def test_a_charge_counts_its_list_price(
    key: str, price: float | None, capsys: pytest.CaptureFixture[str]
) -> None:
    count_charge(a_job(upload=an_upload(key), counts=Counts(submitted=10)))
    assert measured(capsys).get("SpentUsd") == price


@pytest.mark.parametrize(
    ("cost", "billed"),
    [(Amount(Decimal("0.45"), "USD"), [{"BilledUsd": 0.45}]), (Amount(Decimal(3), "CNY"), []), (None, [])],
)
def test_a_bill_counts_in_dollars_only(
    cost: Amount | None, billed: list[dict[str, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    count_bill(a_job(), cost)
    assert [{"BilledUsd": line["BilledUsd"][0]} for line in lines(capsys)] == billed


def test_a_verbatim_documented_task_type_has_its_dimension(
    capsys: pytest.CaptureFixture[str],
) -> None:
    count_upload(a_job(upload=an_upload("task_type=band/numbers.txt")))

    (line,) = lines(capsys)
    assert line["checker"] == "band"


def test_a_metric_names_the_job_but_not_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    job = a_job(upload=an_upload("band/of +447700900123.txt"))

    count_upload(job)

    (line,) = lines(capsys)
    assert line["job_id"] == job.job_id
    assert "7700900" not in json.dumps(line)


def test_an_answered_job_counts_what_it_saved(capsys: pytest.CaptureFixture[str]) -> None:
    count_answered(a_job(State.ANSWERED, counts=Counts(submitted=0, remembered=3, duplicates=5)))

    assert measured(capsys) == {"Answered": 1, "DuplicatesSaved": 5, "RememberedSaved": 3, "SavedUsd": 0.0008}


def test_a_charge_counts_numbers_and_duplicates(capsys: pytest.CaptureFixture[str]) -> None:
    count_charge(a_job(counts=Counts(lines=18, submitted=10, remembered=3, duplicates=5)))

    expected = {
        "Charges": 1,
        "NumbersSent": 10,
        "DuplicatesSaved": 5,
        "RememberedSaved": 3,
        "SavedUsd": 0.0008,
        "SpentUsd": 0.001,
    }
    assert measured(capsys) == expected


def test_a_completed_job_counts_verdicts_and_duration(capsys: pytest.CaptureFixture[str]) -> None:
    job = a_job(
        State.COMPLETED,
        counts=Counts(verdicts={"yes": 3, "no": 1}),
        submitted_at=NOON,
        finished_at=NOON + timedelta(seconds=90),
    )

    count_ending(job)

    assert measured(capsys) == {"Completed": 1, "Failed": 0, "Duration": 90, "VerdictYes": 3, "VerdictNo": 1}


def test_the_delay_runs_from_the_export_to_the_results(capsys: pytest.CaptureFixture[str]) -> None:
    job = a_job(
        State.COMPLETED,
        counts=Counts(),
        submitted_at=NOON,
        exported_at=NOON + timedelta(seconds=80),
        finished_at=NOON + timedelta(seconds=90),
    )

    count_ending(job)

    assert measured(capsys) == {"Completed": 1, "Failed": 0, "Duration": 90, "Delay": 10}


def test_a_job_collected_again_has_no_delay(
    capsys: pytest.CaptureFixture[str],
) -> None:
    job = a_job(State.COMPLETED, run=2, exported_at=NOON - timedelta(days=3), finished_at=NOON)

    count_ending(job)

    assert "Delay" not in measured(capsys)


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (State.FAILED, "Failed"),
        (State.ABANDONED, "Failed"),
        (State.IN_DOUBT, "InDoubt"),
        (State.BLOCKED, "Blocked"),
    ],
)
def test_every_other_ending_counts_once(state: State, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    count_ending(a_job(state))

    assert measured(capsys) == {name: 1}


@pytest.mark.parametrize(("state", "name"), AGES.items())
def test_the_oldest_job_in_progress_is_measured_in_seconds(
    state: State, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ages = OldestJobs()
    for hours in (3, 7, 5):
        ages.add(a_job(state, upload=an_upload(f"band/{hours}.txt")), timedelta(hours=hours))

    ages.publish()

    assert measured(capsys) == {name: 7 * 3600}


def test_each_checker_has_an_oldest_job(capsys: pytest.CaptureFixture[str]) -> None:
    ages = OldestJobs()
    for key in ("band/a.txt", "ws/a.txt"):
        ages.add(a_job(State.SUBMITTED, upload=an_upload(key)), timedelta(hours=1))

    ages.publish()

    assert {line["checker"] for line in lines(capsys)} == {"band", "ws"}


@pytest.mark.parametrize("state", sorted(set(State) - AGES.keys()))
def test_a_job_in_another_state_has_no_age(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    ages = OldestJobs()
    ages.add(a_job(state), timedelta(days=300))

    ages.publish()

    assert lines(capsys) == []


@pytest.mark.parametrize("has_failed", [False, True])
@pytest.mark.parametrize("breaker_is_open", [False, True])
def test_reconciliation_publishes_success_and_the_breaker(
    capsys: pytest.CaptureFixture[str], *, has_failed: bool, breaker_is_open: bool
) -> None:
    record_reconciliation(has_failed=has_failed, breaker_is_open=breaker_is_open)

    assert measured(capsys) == {"Reconciled": int(not has_failed), "BreakerOpen": int(breaker_is_open)}
