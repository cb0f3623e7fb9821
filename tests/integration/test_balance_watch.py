"""The balance is read after an accepted file, and nothing depends on it."""

import json
import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest

from local.simulator import Simulator
from numberdrop.jobs.metric_names import BALANCE, NAMESPACE
from numberdrop.jobs.transitions import State
from numberdrop.steps import balance_watch
from numberdrop.steps.balance_watch import PAUSE_AFTER_FAILURE, TIME_NEEDED, BalanceWatch
from numberdrop.vendor.client import VendorClient
from numberdrop.vendor.outcomes import NoAnswer
from numberdrop_cli.vendor_balance import PERIOD, SEARCHED
from tests.support.account import Account
from tests.support.command_line import CommandLine, json_output
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.jobs import NOON
from tests.support.outcomes import job_of


def published(capsys: pytest.CaptureFixture[str], name: str = BALANCE) -> list[float]:
    """Return the values of a metric that were published since the last call."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return [line[name][0] for line in lines if name in line]


def test_the_balance_is_published_after_an_accepted_file(
    account: Account, simulator: Simulator, functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.submit(account.drop("band/a.txt", file_of()))
    assert published(capsys) == [pytest.approx(simulator.balance)]
    assert simulator.calls == {"submit": 1, "balance": 1}


@pytest.mark.parametrize("key", ["no-such-checker/a.txt", "temu/a.txt"])
def test_a_file_that_is_not_sent_asks_for_no_balance(
    account: Account, simulator: Simulator, functions: Functions, key: str
) -> None:
    functions.submit(account.drop(key, file_of()))
    assert simulator.calls == {}


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("never_answer", {}),
        ("drip", {}),
        ("http_error", {"status": 500}),
        ("http_error", {"status": 401}),
        ("html_page", {}),
        ("reset_after_headers", {}),
        ("redirect", {"status": 302}),
    ],
)
def test_a_broken_balance_changes_nothing(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    fault: str,
    parameters: dict[str, Any],
) -> None:
    monkeypatch.setattr(balance_watch, "LOOK_SECONDS", 0.3)
    simulator.inject_fault("balance", fault, **parameters)
    upload = account.drop("band/a.txt", file_of())
    before = time.monotonic()
    assert functions.submit(upload)
    assert time.monotonic() - before < 5
    assert job_of(account, upload).state is State.SUBMITTED
    assert (len(simulator.charges), account.executions()) == (1, [job_of(account, upload).execution_name])
    assert published(capsys) == []


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_the_balance_is_read_last(
    account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    upload = account.drop("band/a.txt", file_of())
    seen: list[tuple[State, list[str]]] = []

    def fail(*_: object, **__: object) -> None:
        job = job_of(account, upload)
        seen.append((job.state, account.executions()))
        assert job.task_id
        raise error

    monkeypatch.setattr(VendorClient, "balance", fail)
    assert functions.submit(upload)
    assert seen == [(State.SUBMITTED, [job_of(account, upload).execution_name])]


# One worker


class Vendor:
    """A vendor whose balance is known or not."""

    def __init__(self, answer: Decimal | NoAnswer) -> None:
        self.answer = answer
        self.calls = 0

    def balance(self, *, seconds: float) -> Decimal | NoAnswer:
        self.calls += 1
        return self.answer


@pytest.mark.parametrize(("answer", "calls"), [(Decimal(5), 3), (NoAnswer(60, "no"), 2)])
def test_a_broken_balance_is_left_alone_for_minutes(answer: Decimal | NoAnswer, calls: int) -> None:
    times = [NOON, NOON + timedelta(seconds=1), NOON + PAUSE_AFTER_FAILURE]
    vendor: Any = Vendor(answer)
    watch = BalanceWatch(vendor, lambda: times.pop(0))
    for _ in range(3):
        watch.publish(NOON + timedelta(hours=1))
    assert vendor.calls == calls


@pytest.mark.parametrize(("left", "calls"), [(TIME_NEEDED, 1), (TIME_NEEDED - timedelta(seconds=1), 0)])
def test_with_little_time_left_nobody_is_asked(left: timedelta, calls: int) -> None:
    vendor: Any = Vendor(Decimal(5))
    BalanceWatch(vendor, lambda: NOON).publish(NOON + left)
    assert vendor.calls == calls


# The command


def put_balance(value: float, at: datetime, stack: str = "numberdrop") -> None:
    dimensions = [{"Name": "service", "Value": stack}]
    data = {"MetricName": BALANCE, "Dimensions": dimensions, "Timestamp": at, "Value": value}
    boto3.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[data])


def test_balance_asks_the_vendor(run: CommandLine, simulator: Simulator) -> None:
    run.cloudformation.vendor_url = simulator.url
    assert run("balance").stdout == "1,000.00 USD\n"
    assert json_output(run("balance", "--json")) == {"balance_usd": 1000, "seen_at": None, "problem": None}


def test_without_the_secret_the_latest_balance_is_shown(run: CommandLine) -> None:
    now = datetime.now().astimezone()
    for value, age in ((7.5, 3), (3.25, 1), (9, 2)):
        put_balance(value, now - timedelta(days=age))
    put_balance(1, now, stack="another")
    result = run("balance")
    assert result.stdout.startswith("3.25 USD, as seen after the file of ")
    assert "The request failed" in result.stderr
    assert json_output(run("balance", "--json"))["balance_usd"] == 3.25


def test_a_balance_that_nobody_knows_is_an_error(run: CommandLine) -> None:
    put_balance(5, datetime.now().astimezone() - timedelta(days=20))
    result = run("balance")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "has seen no balance" in result.stderr


def test_the_latest_balance_is_asked_for_in_one_page() -> None:
    assert SEARCHED / timedelta(seconds=PERIOD) <= 1440
