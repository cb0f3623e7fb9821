"""Every fault of the simulator, over real sockets, and whether it charges the submission."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests

from local.simulator import FAULTS, Operation, Simulator
from tests.support.vendor_by_hand import NUMBERS, SECONDS, VendorByHand, wait_until

SHORT_TIMEOUT_SECONDS = 0.2

CHARGED = {
    "reset_before_headers": False,
    "reset_after_headers": False,
    "reset_mid_body": False,
    "reset_after_work": True,
    "never_answer": True,
    "drip": True,
    "truncated": True,
    "wrong_length": True,
    "http_error": False,
    "redirect": False,
    "html_page": False,
    "error_in_body": False,
    "accepted_with_202": True,
    "no_task_id": True,
}
PARAMETERS: dict[str, dict[str, Any]] = {"drip": {"interval": 0.0001}}


@pytest.fixture
def task_id(vendor: VendorByHand) -> str:
    return str(vendor.submit().json()["task_id"])


def attempt(call: Callable[[], object]) -> None:
    try:
        call()
    except requests.RequestException:
        return


# Charges


def test_the_table_of_charges_names_every_submit_fault() -> None:
    assert {kind.name for kind in FAULTS.values() if Operation.SUBMIT in kind.operations} == set(CHARGED)


@pytest.mark.parametrize(("fault", "charged"), CHARGED.items())
def test_a_submit_fault_charges_as_the_table_says(simulator: Simulator, fault: str, charged: bool) -> None:
    simulator.inject_fault("submit", fault, **PARAMETERS.get(fault, {}))
    with VendorByHand(simulator.url, timeout=SHORT_TIMEOUT_SECONDS) as vendor:
        attempt(vendor.submit)
    wait_until(lambda: simulator.vendor.submissions_in_progress == 0)
    assert len(simulator.charges) == len(simulator.submissions) == int(charged)
    assert simulator.calls["submit"] == 1


@pytest.mark.parametrize("fault", ["http_error", "redirect", "html_page", "error_in_body"])
def test_a_fault_instead_of_the_work_can_charge_on_request(
    simulator: Simulator, vendor: VendorByHand, fault: str
) -> None:
    simulator.inject_fault("submit", fault, charged=True)
    assert "task_id" not in vendor.submit().text
    assert len(simulator.charges) == 1


@pytest.mark.parametrize("fault", [name for name, charged in CHARGED.items() if charged])
def test_a_charging_fault_does_not_charge_an_invalid_request(simulator: Simulator, fault: str) -> None:
    simulator.inject_fault("submit", fault, **PARAMETERS.get(fault, {}))
    with VendorByHand(simulator.url, key="wrong", timeout=SHORT_TIMEOUT_SECONDS) as stranger:
        attempt(stranger.submit)
    wait_until(lambda: simulator.vendor.submissions_in_progress == 0)
    assert simulator.charges == []


# How long a fault lasts


def test_faults_occur_in_order_and_then_end(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.inject_fault("submit", "http_error", times=2, status=500)
    simulator.inject_fault("submit", "http_error", status=429)
    assert [vendor.submit().status_code for _ in range(4)] == [500, 500, 429, 200]


def test_a_fault_without_end_lasts_until_cleared(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.inject_fault("submit", "http_error", times=None)
    assert [vendor.submit().status_code for _ in range(3)] == [500] * 3
    simulator.clear_faults()
    assert vendor.submit().status_code == 200


def test_a_fault_affects_only_its_own_operation(
    simulator: Simulator, vendor: VendorByHand, task_id: str
) -> None:
    simulator.inject_fault("status", "http_error", times=None)
    assert vendor.submit().status_code == 200
    assert vendor.status(task_id).status_code == 500


@pytest.mark.parametrize("times", [0, -1])
def test_a_fault_occurs_at_least_once(simulator: Simulator, times: int) -> None:
    with pytest.raises(ValueError, match="at least once"):
        simulator.inject_fault("submit", "http_error", times=times)


# Answers instead of the work


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 415, 422, 429, 500, 502, 503, 504])
def test_an_http_error_is_json_or_html(
    simulator: Simulator, vendor: VendorByHand, status: int, html: bool
) -> None:
    simulator.inject_fault("submit", "http_error", status=status, html=html, message="no +41 more")
    reply = vendor.submit()
    assert reply.status_code == status
    if html:
        assert reply.text.startswith("<!doctype html>")
    else:
        assert reply.json() == {"error": "error", "message": "no +41 more"}


@pytest.mark.parametrize("text", ["3", "Wed, 21 Oct 2065 07:28:00 GMT", "soon", "315360000"])
def test_retry_after_is_sent_unchanged(simulator: Simulator, vendor: VendorByHand, text: str) -> None:
    simulator.inject_fault("submit", "http_error", status=429, retry_after=text)
    assert vendor.submit().headers["Retry-After"] == text


@pytest.mark.parametrize("operation", ["submit", "status", "download"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_has_the_requested_location(
    simulator: Simulator, vendor: VendorByHand, task_id: str, operation: str, status: int
) -> None:
    link = vendor.link(task_id)
    simulator.inject_fault(operation, "redirect", status=status, location="http://else.example/x")
    calls: dict[str, Callable[[], requests.Response]] = {
        "submit": vendor.submit,
        "status": lambda: vendor.status(task_id),
        "download": lambda: vendor.download(link),
    }
    reply = calls[operation]()
    assert (reply.status_code, reply.headers["Location"]) == (status, "http://else.example/x")


def test_an_html_page_can_come_with_status_200(
    simulator: Simulator, vendor: VendorByHand, task_id: str
) -> None:
    link = vendor.link(task_id)
    for operation in ("submit", "status", "download"):
        simulator.inject_fault(operation, "html_page")
    for reply in (vendor.submit(), vendor.status(task_id), vendor.download(link)):
        assert reply.status_code == 200
        assert reply.headers["Content-Type"].startswith("text/html")


def test_an_error_can_come_with_status_200(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.inject_fault("submit", "error_in_body", error="system busy")
    reply = vendor.submit()
    assert (reply.status_code, reply.json()) == (200, {"error": "system busy"})


# Broken connections


@pytest.mark.parametrize(
    "request_line",
    ["POST /v1/tasks", "POST /v1/gettasks", "GET /externalcheck/x/x.zip", "GET /v1/balance"],
)
@pytest.mark.parametrize("fault", ["reset_before_headers", "reset_after_headers", "reset_after_work"])
def test_a_reset_is_not_an_orderly_close(simulator: Simulator, request_line: str, fault: str) -> None:
    for operation in Operation:
        simulator.inject_fault(operation, fault)
    with connection_to(simulator) as client:
        client.sendall(f"{request_line} HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody".encode())
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_small_submission_is_reset_after_half_its_body(simulator: Simulator) -> None:
    simulator.inject_fault("submit", "reset_mid_body")
    with connection_to(simulator) as client:
        client.sendall(b"POST /v1/tasks HTTP/1.1\r\nContent-Length: 8\r\n\r\nhalf")
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def connection_to(simulator: Simulator) -> socket.socket:
    host, port = simulator.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), SECONDS)


def test_a_big_submission_is_reset_in_mid_body(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.inject_fault("submit", "reset_mid_body")
    with pytest.raises(requests.ConnectionError):
        vendor.submit(content=b"+41790000000\n" * 1_000_000)
    assert simulator.charges == []


def test_an_answer_can_fail_to_arrive(simulator: Simulator) -> None:
    simulator.inject_fault("submit", "never_answer")
    with (
        VendorByHand(simulator.url, timeout=SHORT_TIMEOUT_SECONDS) as vendor,
        pytest.raises(requests.ReadTimeout),
    ):
        vendor.submit()


def test_a_dripping_answer_exceeds_no_socket_timeout(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.inject_fault("submit", "drip", interval=0.002)
    reply = vendor.submit()
    assert reply.json()["task_id"] == simulator.charges[0].task_id
    assert reply.elapsed.total_seconds() > 0.1


def test_an_answer_can_end_before_its_announced_length(
    simulator: Simulator, vendor: VendorByHand, task_id: str
) -> None:
    link = vendor.link(task_id)
    simulator.inject_fault("submit", "truncated", after=10)
    simulator.inject_fault("download", "truncated", after=100)
    calls: list[Callable[[], object]] = [vendor.submit, lambda: vendor.download(link)]
    for call in calls:
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            call()


def test_a_wrong_length_makes_an_export_look_shorter(
    simulator: Simulator, vendor: VendorByHand, task_id: str
) -> None:
    whole = vendor.export(task_id)
    simulator.inject_fault("download", "wrong_length", by=-7)
    assert vendor.export(task_id) == whole[:-7]


# Wrong replies about tasks


def test_a_submission_can_be_accepted_with_202(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.inject_fault("submit", "accepted_with_202")
    reply = vendor.submit()
    assert (reply.status_code, reply.json()["status"]) == (202, "pending")


def test_a_create_reply_can_lack_its_task_id(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.inject_fault("submit", "no_task_id")
    reply = vendor.submit()
    assert reply.status_code == 200
    assert set(reply.json()) == {"status", "total", "message", "created_at"}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"fault": "no_task_id"}, {"task_id": None}),
        ({"fault": "wrong_task_id", "task_id": "cs9viu7i61pkfs4oavvg"}, {"task_id": "cs9viu7i61pkfs4oavvg"}),
        ({"fault": "unknown_status", "word": "resting"}, {"status": "resting", "result_url": None}),
        ({"fault": "failed"}, {"status": "failed", "result_url": None}),
        ({"fault": "completed_without_file"}, {"status": "completed", "result_url": None}),
        ({"fault": "exported_without_link"}, {"status": "exported", "result_url": None}),
        ({"fault": "wrong_link", "url": "http://10.0.0.1/x"}, {"result_url": "http://10.0.0.1/x"}),
        ({"fault": "wrong_link", "url": "https://a:b@c.example/"}, {"result_url": "https://a:b@c.example/"}),
        ({"fault": "zero_total"}, {"total": 0}),
        ({"fault": "counts_exceed_total", "by": 3}, {"success": len(NUMBERS) + 3, "total": len(NUMBERS)}),
        (
            {"fault": "newer_fields", "amount": "0.45"},
            {"actual_amount": {"amount": "0.45", "currency": "USD"}},
        ),
        ({"fault": "wrong_time", "updated_at": "1999-12-31"}, {"updated_at": "1999-12-31"}),
    ],
)
def test_a_status_reply_can_have_wrong_fields(
    simulator: Simulator,
    vendor: VendorByHand,
    task_id: str,
    fault: dict[str, Any],
    expected: dict[str, object],
) -> None:
    simulator.inject_fault("status", **fault)
    reply = vendor.status(task_id).json()
    assert {name: reply.get(name) for name in expected} == expected
    assert vendor.status(task_id).json()["success"] == len(NUMBERS)


def test_counts_can_fall_over_time() -> None:
    with (
        Simulator(duration_seconds=100, clock=lambda: 0.0) as simulator,
        VendorByHand(simulator.url) as vendor,
    ):
        task_id = vendor.submit().json()["task_id"]
        simulator.inject_fault("status", "counts_fall", times=None)
        counts = []
        for _ in range(6):
            counts.append(vendor.status(task_id).json()["success"])
            simulator.advance(15)
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_a_task_can_be_unknown_at_first(simulator: Simulator, vendor: VendorByHand, task_id: str) -> None:
    simulator.inject_fault("status", "http_error", times=2, status=404, error="task_not_found")
    assert [vendor.status(task_id).status_code for _ in range(3)] == [404, 404, 200]


def test_a_field_fault_leaves_a_refusal_unchanged(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.inject_fault("status", "counts_fall")
    assert vendor.status("unknown").status_code == 404
