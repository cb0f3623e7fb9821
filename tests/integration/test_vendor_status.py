"""Asking for a task's status over real sockets: the status, or when to ask again."""

import json
from datetime import timedelta
from time import monotonic

import pytest

from local.simulator import Simulator
from numberdrop.aws.api_key import ApiKeyInvalidError
from numberdrop.jobs.checkers import Checker
from numberdrop.vendor.client import VendorClient
from numberdrop.vendor.outcomes import NoAnswer, StatusOutcome, TaskStatus, TaskUnknown
from tests.support.bare_server import captured_request
from tests.support.vendor_client import BAND, FAMILIES, Key, client, task


@pytest.fixture
def vendor(simulator: Simulator) -> VendorClient:
    return client(simulator.url)


@pytest.mark.parametrize("checker", FAMILIES)
def test_a_finished_task_is_exported_with_a_link(
    simulator: Simulator, vendor: VendorClient, checker: Checker
) -> None:
    status = vendor.status(checker, task(vendor, checker))
    assert isinstance(status, TaskStatus)
    assert (status.word, status.total, status.success) == ("exported", 100, 100)
    assert status.result_url
    assert status.result_url.startswith(simulator.url)


def test_a_link_is_not_in_the_repr_of_a_status(vendor: VendorClient) -> None:
    assert "http" not in repr(vendor.status(BAND, task(vendor)))


def test_an_unfinished_task_has_no_link(simulator: Simulator, vendor: VendorClient) -> None:
    simulator.change_settings(duration_seconds=1000)
    status = vendor.status(BAND, task(vendor))
    assert isinstance(status, TaskStatus)
    assert (status.word, status.result_url) == ("pending", None)


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ("unknown_status", "archiving"),
        ("failed", "failed"),
        ("completed_without_file", "completed"),
        ("exported_without_link", "exported"),
    ],
)
def test_a_status_word_is_returned_unchanged(
    simulator: Simulator, vendor: VendorClient, fault: str, word: str
) -> None:
    task_id = task(vendor)
    simulator.inject_fault("status", fault)
    status = vendor.status(BAND, task_id)
    assert isinstance(status, TaskStatus)
    assert (status.word, status.result_url) == (word, None)


@pytest.mark.parametrize(
    "fault", ["zero_total", "counts_fall", "counts_exceed_total", "newer_fields", "wrong_time"]
)
def test_odd_counts_and_new_fields_are_accepted(
    simulator: Simulator, vendor: VendorClient, fault: str
) -> None:
    task_id = task(vendor)
    simulator.inject_fault("status", fault)
    assert isinstance(vendor.status(BAND, task_id), TaskStatus)


@pytest.mark.parametrize(
    ("timestamp", "microsecond"),
    [
        ("2025-11-21T08:27:10.241Z", 241_000),
        ("2024-10-19T18:33:22.86152082Z", 861_520),
        ("2024-10-19T18:24:56.450567423Z", 450_567),
    ],
)
def test_timestamps_with_any_number_of_digits_are_read(
    simulator: Simulator, vendor: VendorClient, timestamp: str, microsecond: int
) -> None:
    task_id = task(vendor)
    simulator.inject_fault("status", "wrong_time", updated_at=timestamp)
    status = vendor.status(BAND, task_id)
    assert isinstance(status, TaskStatus)
    assert status.updated_at
    assert status.updated_at.microsecond == microsecond
    assert status.updated_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("timestamp", ["soon", "", "2025-11-21T08:27:10", "0001-01-01T00:00:00+23:59"])
def test_an_invalid_timestamp_is_none(simulator: Simulator, vendor: VendorClient, timestamp: str) -> None:
    task_id = task(vendor)
    simulator.inject_fault("status", "wrong_time", updated_at=timestamp)
    status = vendor.status(BAND, task_id)
    assert isinstance(status, TaskStatus)
    assert status.updated_at is None


def test_a_task_that_the_vendor_does_not_have_is_unknown(vendor: VendorClient) -> None:
    assert vendor.status(BAND, "no-such-task") == TaskUnknown()


@pytest.mark.parametrize(
    "words",
    [
        {"error": "task_not_found"},
        {"error": "TaskNotFound"},
        {"error": "not_found", "message": "No task with this id."},
        {"message": "abc does not exist"},
        {"message": "There is no task abc."},
        {"message": "not_found(task='abc')"},
        {"error": "not_found", "task_id": "abc"},
    ],
)
def test_a_404_about_the_task_means_that_it_is_unknown(words: dict[str, str]) -> None:
    assert status_after_404(words) == TaskUnknown()


@pytest.mark.parametrize(
    "words",
    [
        {"message": "Not Found"},
        {"error": "not_found", "message": "no Route matched with those values"},
        {"status": "404", "error": "Not Found", "path": "/v1/gettasks"},
        {"message": "Cannot GET /wa/api/deep/tasks/abc"},
        {"message": "No such path: abc?user_id=test-user"},
        {"message": r"The path \wa\api\deep\tasks\abc has no handler"},
        {"message": "no route: %2Fwa%2Fapi%2Fdeep%2Ftasks%2Fabc"},
        {"message": "No static resource wa.api.deep.tasks.abc."},
        {"error": "not_found", "task_id": "another"},
        {},
    ],
)
def test_a_404_of_a_gateway_means_no_answer(words: dict[str, str]) -> None:
    assert isinstance(status_after_404(words), NoAnswer)


def status_after_404(words: dict[str, str]) -> StatusOutcome:
    body = json.dumps(words).encode()
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with captured_request(answer) as vendor:
        return client(vendor.url).status(BAND, "abc")


@pytest.mark.parametrize(
    ("fault", "parameters", "pause"),
    [
        ("http_error", {"status": 429, "retry_after": "300"}, 300),
        ("http_error", {"status": 500}, 60),
        ("http_error", {"status": 502, "html": True}, 60),
        ("http_error", {"status": 503, "retry_after": "5"}, 5),
        ("http_error", {"status": 403}, 60),
        ("http_error", {"status": 404, "html": True}, 60),
        ("http_error", {"status": 404, "error": "", "message": "Not Found"}, 60),
        ("http_error", {"status": 404, "error": "Not Found", "message": "Cannot POST /v1/gettasks"}, 60),
        ("redirect", {}, 60),
        ("html_page", {}, 60),
        ("error_in_body", {}, 60),
        ("no_task_id", {}, 60),
        ("wrong_task_id", {}, 60),
        ("reset_before_headers", {}, 60),
        ("reset_after_work", {}, 60),
        ("truncated", {}, 60),
        ("wrong_length", {"by": 50}, 60),
    ],
)
@pytest.mark.parametrize("checker", FAMILIES)
def test_any_other_answer_means_to_ask_again_later(
    simulator: Simulator,
    vendor: VendorClient,
    checker: Checker,
    *,
    fault: str,
    parameters: dict[str, object],
    pause: int,
) -> None:
    task_id = task(vendor, checker)
    simulator.inject_fault("status", fault, **parameters)  # type: ignore[arg-type]
    outcome = vendor.status(checker, task_id)
    assert isinstance(outcome, NoAnswer)
    assert outcome.after_seconds == pause


@pytest.mark.parametrize("location", ["http://[oops", "http://\N{SNOWMAN}/"])
def test_an_invalid_redirect_means_no_answer(location: str) -> None:
    answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    with captured_request(answer) as elsewhere:
        assert isinstance(client(elsewhere.url).status(BAND, "abc"), NoAnswer)


def test_an_unreadable_key_does_not_end_a_paid_task(simulator: Simulator) -> None:
    class UnreadableKey(Key):
        def get(self) -> str:
            raise ApiKeyInvalidError("The secret does not contain a key.")

    outcome = client(simulator.url, key=UnreadableKey()).status(BAND, "abc")
    assert outcome == NoAnswer(60, "The request failed (ApiKeyInvalidError).")


def test_a_dripping_status_answer_ends_at_the_deadline(
    simulator: Simulator, vendor: VendorClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numberdrop.vendor.client.STATUS_SECONDS", 0.5)
    task_id = task(vendor)
    simulator.inject_fault("status", "drip", interval=0.05)
    start = monotonic()
    assert isinstance(vendor.status(BAND, task_id), NoAnswer)
    assert monotonic() - start < 3


@pytest.mark.parametrize("body", [b"[" * 100_000, b"7", b"null", b'{"task_id": NaN}', b"\xff\xfe", b""])
def test_an_invalid_body_means_no_answer(body: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with captured_request(answer) as vendor:
        assert isinstance(client(vendor.url).status(BAND, "abc"), NoAnswer)


@pytest.mark.parametrize("total", [b'"50"', b"true", b"1.5", b"null", b"9" * 400, b"-3"])
def test_an_invalid_total_is_none(total: bytes) -> None:
    body = b'{"task_id": "abc", "status": "processing", "total": %s}' % total
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with captured_request(answer) as vendor:
        status = client(vendor.url).status(BAND, "abc")
    assert isinstance(status, TaskStatus)
    assert status.total is None


def test_a_refused_key_is_read_again_once(simulator: Simulator, vendor: VendorClient) -> None:
    task_id = task(vendor)
    key = Key("an-old-key", newer="test-key")
    status = client(simulator.url, key=key).status(BAND, task_id)
    assert isinstance(status, TaskStatus)
    assert simulator.calls["status"] == 2


def test_an_unchanged_refused_key_is_not_tried_again(simulator: Simulator, vendor: VendorClient) -> None:
    task_id = task(vendor)
    assert isinstance(client(simulator.url, key=Key("wrong")).status(BAND, task_id), NoAnswer)
    assert simulator.calls["status"] == 1
