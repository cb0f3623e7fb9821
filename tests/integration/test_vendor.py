"""Submitting a file over real sockets: what each answer means, and how often it was charged."""

import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import format_datetime
from io import BytesIO
from time import monotonic, sleep

import pytest

from local.simulator import Simulator
from numberdrop.jobs.checkers import Checker
from numberdrop.vendor.client import VendorClient
from numberdrop.vendor.outcomes import Accepted, Blocked, InDoubt, Rejected, Retryable
from tests.support.bare_server import captured_request, full_backlog, listening
from tests.support.files import file_of
from tests.support.jobs import NOON
from tests.support.vendor_client import BAND, FAMILIES, Key, client, submit


@pytest.fixture
def vendor(simulator: Simulator) -> VendorClient:
    return client(simulator.url)


# Accepted


@pytest.mark.parametrize("checker", FAMILIES)
def test_an_accepted_file_arrives_whole_and_is_charged_once(
    simulator: Simulator, vendor: VendorClient, checker: Checker
) -> None:
    outcome = submit(vendor, checker)
    (charge,) = simulator.charges
    (submission,) = simulator.submissions
    assert isinstance(outcome, Accepted)
    assert outcome.task_id == charge.task_id
    assert (charge.path, submission.rows) == (checker.path, 100)
    assert submission.sha256 == hashlib.sha256(file_of()).hexdigest()
    assert submission.framing == "content-length"


def test_a_file_of_many_blocks_arrives_whole(simulator: Simulator, vendor: VendorClient) -> None:
    content = file_of() * 1000
    outcome = vendor.submit(BAND, BytesIO(content), seconds=20)
    assert isinstance(outcome, Accepted)
    assert simulator.submissions[0].sha256 == hashlib.sha256(content).hexdigest()


def test_202_means_accepted_like_200(simulator: Simulator, vendor: VendorClient) -> None:
    simulator.inject_fault("submit", "accepted_with_202")
    assert isinstance(submit(vendor), Accepted)
    assert len(simulator.charges) == 1


# Refused free of charge


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_rejected_file_is_not_charged(simulator: Simulator, vendor: VendorClient, status: int) -> None:
    simulator.inject_fault(
        "submit", "http_error", status=status, error="invalid", message="line 3 holds +447946012345"
    )
    outcome = submit(vendor)
    assert outcome == Rejected(status, "invalid: line 3 holds [digits]")
    assert simulator.charges == []


@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_the_vendors_words_hold_neither_key_nor_user_id(simulator: Simulator, status: int) -> None:
    key = Key("ek_live_51Hx9aQ27LmZ")
    quoted = f"Incorrect API key provided: {key.value} (****{key.value[-4:]}), account test-user, \ud83d"
    simulator.inject_fault("submit", "http_error", status=status, error="invalid_request", message=quoted)
    outcome = submit(client(simulator.url, key=key))
    words = outcome.message if isinstance(outcome, (Rejected, Blocked)) else getattr(outcome, "cause", "")
    assert words.endswith("Incorrect API key provided: [secret] (****[secret]), account [secret], \ufffd")
    assert "invalid_request" in words


def test_a_rejection_with_an_html_body_is_a_rejection(simulator: Simulator, vendor: VendorClient) -> None:
    simulator.inject_fault("submit", "http_error", status=413, html=True)
    assert submit(vendor) == Rejected(413, "HTTP 413")


@pytest.mark.parametrize(("status", "concerns_key"), [(401, True), (403, True), (402, False)])
def test_a_refused_account_blocks_without_a_charge(
    simulator: Simulator, vendor: VendorClient, *, status: int, concerns_key: bool
) -> None:
    simulator.inject_fault("submit", "http_error", status=status)
    outcome = submit(vendor)
    assert isinstance(outcome, Blocked)
    assert (outcome.status, outcome.concerns_key) == (status, concerns_key)
    assert (simulator.charges, simulator.calls["submit"]) == ([], 1)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, 60),
        ("7", 7),
        ("0", 1),
        ("315360000", 900),
        ("soon", 60),
        (format_datetime(NOON + timedelta(seconds=90), usegmt=True), 90),
        ("Fri, 31 Dec 9999 23:59:59 -0100", 60),
    ],
)
def test_429_is_retried_after_a_pause_within_bounds(
    simulator: Simulator, vendor: VendorClient, retry_after: str | None, seconds: int
) -> None:
    simulator.inject_fault("submit", "http_error", status=429, retry_after=retry_after)
    outcome = submit(vendor)
    assert isinstance(outcome, Retryable)
    assert (outcome.after_seconds, outcome.server_error) == (seconds, False)
    assert (simulator.charges, simulator.calls["submit"]) == ([], 1)


def test_500_is_retried_as_a_server_error(simulator: Simulator, vendor: VendorClient) -> None:
    simulator.inject_fault("submit", "http_error", status=500)
    outcome = submit(vendor)
    assert isinstance(outcome, Retryable)
    assert outcome.server_error
    assert simulator.charges == []


# Not sent


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_refused_connection_sends_nothing(unused_port: int) -> None:
    assert isinstance(submit(client(f"http://127.0.0.1:{unused_port}")), Retryable)


def test_an_unresolvable_host_name_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unresolved(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    assert isinstance(submit(client("https://vendor.example")), Retryable)


def test_a_failed_tls_handshake_sends_nothing(simulator: Simulator) -> None:
    outcome = submit(client(simulator.url.replace("http://", "https://")))
    assert isinstance(outcome, Retryable)
    assert "SSL" in outcome.cause
    assert (simulator.charges, simulator.calls["submit"]) == ([], 0)


def test_a_connect_timeout_sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("numberdrop.vendor.client.CONNECT_SECONDS", 0.2)
    with full_backlog() as url:
        outcome = submit(client(url))
    assert isinstance(outcome, Retryable)
    assert "ConnectTimeout" in outcome.cause


def test_nothing_is_sent_if_no_time_is_left(simulator: Simulator, vendor: VendorClient) -> None:
    assert isinstance(submit(vendor, seconds=0), Retryable)
    assert simulator.charges == []


# In doubt


@pytest.mark.parametrize(
    ("fault", "parameters", "charges"),
    [
        ("reset_before_headers", {}, 0),
        ("reset_after_headers", {}, 0),
        ("reset_mid_body", {}, 0),
        ("reset_after_work", {}, 1),
        ("http_error", {"status": 502, "html": True}, 0),
        ("http_error", {"status": 502, "html": True, "charged": True}, 1),
        ("http_error", {"status": 503}, 0),
        ("http_error", {"status": 504, "charged": True}, 1),
        ("http_error", {"status": 404}, 0),
        ("http_error", {"status": 409}, 0),
        ("redirect", {"status": 301}, 0),
        ("redirect", {"status": 307}, 0),
        ("redirect", {"status": 308, "charged": True}, 1),
        ("html_page", {}, 0),
        ("html_page", {"charged": True}, 1),
        ("error_in_body", {"charged": True}, 1),
        ("no_task_id", {}, 1),
        ("truncated", {}, 1),
        ("wrong_length", {"by": 50}, 1),
    ],
)
@pytest.mark.parametrize("checker", FAMILIES)
def test_any_other_outcome_is_in_doubt_and_not_repeated(
    simulator: Simulator,
    vendor: VendorClient,
    checker: Checker,
    *,
    fault: str,
    parameters: dict[str, object],
    charges: int,
) -> None:
    simulator.inject_fault("submit", fault, **parameters)  # type: ignore[arg-type]
    outcome = vendor.submit(checker, BytesIO(file_of() * 1000), seconds=20)
    assert isinstance(outcome, InDoubt)
    assert (len(simulator.charges), simulator.calls["submit"]) == (charges, 1)


@pytest.mark.parametrize(("fault", "parameters"), [("drip", {"interval": 0.05}), ("never_answer", {})])
def test_a_missing_answer_is_in_doubt_at_the_deadline(
    simulator: Simulator, vendor: VendorClient, fault: str, parameters: dict[str, float]
) -> None:
    simulator.inject_fault("submit", fault, **parameters)  # type: ignore[arg-type]
    start = monotonic()
    outcome = submit(vendor, seconds=0.5)
    assert monotonic() - start < 3
    assert isinstance(outcome, InDoubt)
    assert (len(simulator.charges), simulator.calls["submit"]) == (1, 1)


def test_a_redirect_gets_neither_the_key_nor_the_body(simulator: Simulator) -> None:
    with captured_request(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as elsewhere:
        simulator.inject_fault("submit", "redirect", status=307, location=elsewhere.url)
        assert isinstance(submit(client(simulator.url)), InDoubt)
        assert elsewhere.raw == b""


def test_a_vendor_that_pauses_while_reading_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numberdrop.vendor.client.CONNECT_SECONDS", 0.2)

    def read_after_a_pause(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            sleep(0.6)
            received = b""
            while not received.endswith(b"--\r\n"):
                received = received[-100:] + connection.recv(1 << 20)
            body = b'{"task_id": "abc"}'
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with listening() as (url, server), ThreadPoolExecutor(1) as pool:
        vendor = pool.submit(read_after_a_pause, server)
        outcome = client(url).submit(BAND, BytesIO(b"+4179\n" * 5_000_000), seconds=20)
        vendor.result(20)
    assert outcome == Accepted("abc", None)


def test_a_stalled_submission_is_in_doubt_at_the_deadline() -> None:
    with listening() as (url, _):
        start = monotonic()
        outcome = client(url).submit(BAND, BytesIO(b"+4179\n" * 10_000_000), seconds=0.5)
    assert isinstance(outcome, InDoubt)
    assert monotonic() - start < 3
