"""The submit function: a file that may cost too much ends free of charge."""

import pytest

from local.simulator import Simulator
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.outcomes import ending_of, job_of

REFUSED = (State.FAILED, ReasonCode.TOO_EXPENSIVE, False)


@pytest.mark.parametrize(
    ("key", "stack", "metadata"),
    [
        ("band/a.txt", "0.0099", {}),
        ("band/a.txt", "0", {"max-usd": "0.0099"}),
        ("band/a.txt", "5", {"Max-USD": "0.0099"}),
        ("band/a.txt", "0.0099", {"max-usd": "5"}),
        ("band/a.txt", "0", {"max-usd": "0"}),
        ("band/a.txt", "0", {"max-usd": "cheap"}),
        ("mexc_email/a.txt", "1000000", {}),
        ("task_type=Newest/a.txt", "1000000", {}),
    ],
)
def test_a_file_above_the_ceiling_is_not_sent(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    *,
    key: str,
    stack: str,
    metadata: dict[str, str],
) -> None:
    monkeypatch.setenv("MAX_USD_PER_UPLOAD", stack)
    content = b"jane@example.com\n" if key.startswith("mexc") else file_of()
    upload = account.drop(key, content, metadata)
    functions.submit(upload)
    assert ending_of(account, upload) == REFUSED
    assert (simulator.calls["submit"], account.executions()) == (0, [])
    assert job_of(account, upload).attempts == 0


@pytest.mark.parametrize(("stack", "metadata"), [("0.01", {}), ("0", {"max-usd": "0.01"}), ("0", {})])
def test_a_file_at_the_ceiling_is_sent(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    *,
    stack: str,
    metadata: dict[str, str],
) -> None:
    monkeypatch.setenv("MAX_USD_PER_UPLOAD", stack)
    functions.submit(account.drop("band/a.txt", file_of(), metadata))
    assert [charge.rows for charge in simulator.charges] == [100]


def test_only_distinct_entries_count_for_the_ceiling(
    account: Account, simulator: Simulator, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_USD_PER_UPLOAD", "0.01")
    functions.submit(account.drop("band/a.txt", file_of() * 50))
    assert [charge.rows for charge in simulator.charges] == [100]
