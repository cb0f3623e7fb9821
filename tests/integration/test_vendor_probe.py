"""The free call that shows whether the vendor answers in its own words, over real sockets."""

from decimal import Decimal
from time import monotonic
from typing import Any

import pytest

from local.simulator import Simulator
from numberdrop.aws.api_key import ApiKeyInvalidError
from numberdrop.vendor.client import BALANCE_PATH, NO_TASK, TASKS_PATH
from numberdrop.vendor.outcomes import NoAnswer
from tests.support.bare_server import captured_request
from tests.support.vendor_client import Key, client


def answer(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def test_a_balance_is_an_answer(simulator: Simulator) -> None:
    assert client(simulator.url).answers()
    assert simulator.calls == {"balance": 1}
    assert not simulator.charges


def test_the_probe_sends_the_key_and_nothing_else() -> None:
    with captured_request(answer("200 OK", '{"balance": 12.34}')) as server:
        assert client(server.url).answers()
    request = server.request
    assert request.line == f"GET {BALANCE_PATH} HTTP/1.1"
    assert (request.headers["x-api-key"], request.body) == ("test-key", b"")


@pytest.mark.parametrize("text", ["12.34", "0", "-3.5", "1000"])
def test_the_balance_is_read_exactly(text: str) -> None:
    with captured_request(answer("200 OK", f'{{"balance": {text}}}')) as server:
        assert client(server.url).balance() == Decimal(text)


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        ("200 OK", '{"balance": "12"}', "The answer has no balance."),
        ("200 OK", '{"balance": NaN}', "The answer has no balance."),
        ("200 OK", '{"balance": 1e400}', "The answer has no balance."),
        ("502 Bad Gateway", "<h1>", "The vendor answered 502."),
        ("401 Unauthorized", '{"error": "bad key"}', "The vendor answered 401."),
    ],
)
def test_an_answer_without_a_balance_is_said(status: str, body: str, cause: str) -> None:
    with captured_request(answer(status, body)) as server:
        no_answer = client(server.url).balance()
    assert isinstance(no_answer, NoAnswer)
    assert no_answer.cause == cause


def test_a_slow_balance_is_given_up_in_time(simulator: Simulator) -> None:
    simulator.inject_fault("balance", "never_answer")
    before = monotonic()
    assert isinstance(client(simulator.url).balance(seconds=0.3), NoAnswer)
    assert monotonic() - before < 5


def test_a_refused_key_is_an_answer(simulator: Simulator) -> None:
    """A file would be refused in the same way, free of charge, and a person is told about it."""
    assert client(simulator.url, key=Key("wrong")).answers()


@pytest.mark.parametrize("balance", ["0", "-3.5", "12.123456789"])
def test_any_number_is_a_balance(balance: str) -> None:
    with captured_request(answer("200 OK", f'{{"balance": {balance}}}')) as server:
        assert client(server.url).answers()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("200 OK", "<!doctype html><title>Maintenance</title>"),
        ("200 OK", "{}"),
        ("200 OK", '{"balance": true}'),
        ("200 OK", '{"balance": null}'),
        ("200 OK", "[12.34]"),
        ("404 Not Found", '{"message": "Not Found"}'),
        ("404 Not Found", '{"balance": 12.34}'),
        ("403 Forbidden", '{"message": "Forbidden"}'),
        ("403 Forbidden", "<h1>Forbidden</h1>"),
        ("500 Internal Server Error", '{"error": "internal"}'),
        ("503 Service Unavailable", '{"error": "unavailable"}'),
    ],
)
def test_a_gateways_answer_is_not_the_vendors(status: str, body: str) -> None:
    with captured_request(answer(status, body)) as server:
        assert not client(server.url).answers()


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [("reset_after_headers", {}), ("redirect", {"status": 302}), ("http_error", {"status": 502})],
)
def test_a_broken_connection_is_not_an_answer(
    simulator: Simulator, fault: str, parameters: dict[str, Any]
) -> None:
    simulator.inject_fault("balance", fault, **parameters)
    assert not client(simulator.url).answers()


def test_a_secret_that_cannot_be_read_is_not_an_answer(simulator: Simulator) -> None:
    class NoKey(Key):
        def get(self) -> str:
            raise ApiKeyInvalidError

    assert not client(simulator.url, key=NoKey()).answers()


# The vendor's words about a task that cannot exist


def test_an_unknown_task_is_an_answer(simulator: Simulator) -> None:
    assert client(simulator.url).answers_about_tasks()
    assert not simulator.charges


def test_the_second_probe_sends_the_key_and_an_impossible_id() -> None:
    with captured_request(answer("404 Not Found", '{"error": "task not found"}')) as server:
        assert client(server.url).answers_about_tasks()
    assert server.request.line == f"POST {TASKS_PATH} HTTP/1.1"
    assert server.request.headers["x-api-key"] == "test-key"
    assert NO_TASK.encode() in server.request.body


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("404 Not Found", '{"message": "Not Found"}'),
        ("404 Not Found", '{"message": "no route POST /v1/gettasks"}'),
        ("404 Not Found", "<h1>Not Found</h1>"),
        ("200 OK", "{}"),
        ("401 Unauthorized", '{"error": "invalid key"}'),
        ("503 Service Unavailable", '{"error": "task service is down"}'),
    ],
)
def test_other_answers_say_nothing_about_a_task(status: str, body: str) -> None:
    with captured_request(answer(status, body)) as server:
        assert not client(server.url).answers_about_tasks()
