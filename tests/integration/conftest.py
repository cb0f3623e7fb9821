"""Integration tests: AWS is moto, the vendor is the simulator on loopback, and nothing else is reachable."""

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from moto import mock_aws
from pytest_socket import enable_socket, socket_allow_hosts
from requests.adapters import HTTPAdapter

from local.simulator import Simulator
from numberdrop.aws import clients
from numberdrop.aws.bus import Announcer
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.upload import Upload
from numberdrop.steps import submission
from numberdrop.steps.collection import PAUSES
from numberdrop_cli import following
from tests.support.account import Account, client
from tests.support.command_line import CommandLine, Meanwhile
from tests.support.files import file_of
from tests.support.invocations import Functions, LogLines
from tests.support.outcomes import submitted
from tests.support.vendor_by_hand import VendorByHand

REALLY_SEND = HTTPAdapter.send


@pytest.fixture(autouse=True)
def _only_loopback() -> Iterator[None]:
    socket_allow_hosts(["127.0.0.1", "localhost", "::1"])
    yield
    socket_allow_hosts(None)
    enable_socket()


@pytest.fixture(scope="module", autouse=True)
def _make_clients_once() -> Iterator[None]:
    """Let cold functions share their clients: making one takes longer than most requests of a test."""
    session = clients._session()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "create_client", cache(session.create_client))
        yield


@pytest.fixture
def account() -> Iterator[Account]:
    # Keeping the session avoids reading the models of all services again for each test.
    with mock_aws(config={"core": {"reset_boto3_session": False}}), pytest.MonkeyPatch.context() as patch:
        # moto also patches `requests` and then loses streamed bodies; botocore does not need that patch.
        patch.setattr(HTTPAdapter, "send", REALLY_SEND)
        yield Account.create()


@pytest.fixture
def ledger(account: Account) -> Ledger:
    return Ledger(client("dynamodb"), account.jobs_table)


@pytest.fixture
def announcer(account: Account, ledger: Ledger) -> Announcer:
    return account.announcer(ledger)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(duration_seconds=0) as running:
        yield running


@pytest.fixture
def vendor(simulator: Simulator) -> Iterator[VendorByHand]:
    """Return a client of the simulated vendor for hand-made requests."""
    with VendorByHand(simulator.url) as by_hand:
        yield by_hand


@pytest.fixture
def functions(account: Account, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    for name, value in account.variables(vendor_url=simulator.url).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("numberdrop.steps.collection.PAUSES", tuple(0 for _ in PAUSES))
    fresh = Functions(account)
    yield fresh
    fresh.start_cold()


@pytest.fixture
def logged() -> Iterator[LogLines]:
    """Yield the log lines of the package, formatted as CloudWatch would get them."""
    lines = LogLines()
    logger = logging.getLogger(submission.logger.name)
    logger.addHandler(lines)
    yield lines
    logger.removeHandler(lines)


@pytest.fixture
def upload(account: Account, functions: Functions) -> Upload:
    """Return an upload whose task the vendor has finished."""
    return submitted(account, functions, "band/leads.txt", file_of())


@pytest.fixture
def run(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine.on(account, tmp_path, monkeypatch)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    things: Meanwhile = []
    monkeypatch.setattr(following, "sleep", lambda _: things.pop(0)())
    return things
