"""The simulator answers like the vendor's pages, counts money, and lets tasks progress."""

import hashlib
import re
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.simulator import Simulator, exports
from local.simulator.traffic import Traffic
from numberdrop.jobs.checkers import Family, checkers
from tests.support.vendor_by_hand import (
    NUMBERS,
    VendorByHand,
    file_of,
    submit_in_chunks,
    wait_until,
)

TIMESTAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}Z"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(duration_seconds=100, clock=lambda: 0.0) as running:
        yield running


def legacy_paths() -> list[str]:
    return [checker.path for checker in checkers().values() if checker.family is Family.LEGACY]


# Replies


def test_a_v1_create_reply_has_five_fields(vendor: VendorByHand) -> None:
    reply = vendor.submit()
    assert reply.status_code == 200
    fields = reply.json()
    assert list(fields) == ["task_id", "status", "total", "message", "created_at"]
    assert (fields["status"], fields["total"]) == ("pending", len(NUMBERS))
    assert re.fullmatch(TIMESTAMP, fields["created_at"])


def test_a_legacy_create_reply_has_eight_fields_and_total_0(vendor: VendorByHand) -> None:
    fields = vendor.submit_legacy().json()
    assert fields["updated_at"] == fields["created_at"]
    del fields["task_id"], fields["created_at"], fields["updated_at"]
    assert fields == {
        "user_id": "test-user",
        "status": "pending",
        "total": 0,
        "success": 0,
        "failure": 0,
    }


def test_a_task_id_is_an_xid_that_starts_with_the_time(vendor: VendorByHand) -> None:
    before = int(time.time())
    task_id = vendor.submit().json()["task_id"]
    assert re.fullmatch("[0-9a-v]{20}", task_id)
    assert before - 1 <= int(task_id, 32) >> 68 <= time.time()


def test_a_status_reply_has_a_link_only_after_the_export(simulator: Simulator, vendor: VendorByHand) -> None:
    task_id = vendor.submit().json()["task_id"]
    early = vendor.status(task_id).json()
    simulator.finish_all()
    late = vendor.status(task_id).json()
    fields = {"created_at", "updated_at", "task_id", "user_id"}
    fields |= {"status", "total", "success", "failure"}
    assert set(early) == fields
    assert set(late) == fields | {"result_url"}
    assert late["success"] == late["total"] == len(NUMBERS)


def test_status_accepts_urlencoded_and_multipart_forms(vendor: VendorByHand) -> None:
    task_id = vendor.submit().json()["task_id"]
    multipart = vendor.call("POST", f"{vendor.url}/v1/gettasks", files={"task_id": (None, task_id)})
    assert multipart.json() == vendor.status(task_id).json()


@pytest.mark.parametrize("path", legacy_paths())
def test_every_legacy_path_is_served(vendor: VendorByHand, path: str) -> None:
    task_id = vendor.submit_legacy(path).json()["task_id"]
    assert vendor.legacy_status(task_id, path).json()["total"] == len(NUMBERS)


@pytest.mark.parametrize("word", ["band", "phoneCheck", "some_new-type.2"])
def test_v1_accepts_any_word_as_task_type(simulator: Simulator, vendor: VendorByHand, word: str) -> None:
    assert vendor.submit(word).status_code == 200
    assert simulator.charges[0].checker == word


def test_a_charge_reduces_the_balance(vendor: VendorByHand) -> None:
    vendor.submit("ws")
    balance = vendor.call("GET", f"{vendor.url}/v1/balance").json()
    assert balance == {"balance": pytest.approx(1000 - 0.9 * len(NUMBERS) / 10_000)}


# Refusals


@pytest.mark.parametrize("key", [None, "wrong"])
def test_every_endpoint_requires_the_key(simulator: Simulator, key: str | None) -> None:
    with VendorByHand(simulator.url, key=key) as stranger:
        replies = [
            stranger.submit(),
            stranger.submit_legacy(),
            stranger.status("d4g8o46p2jvh04o9uolg"),
            stranger.legacy_status("d4g8o46p2jvh04o9uolg"),
            stranger.call("GET", f"{simulator.url}/v1/balance"),
        ]
    assert [reply.status_code for reply in replies] == [401] * 5
    assert {reply.json()["error"] for reply in replies} == {"invalid_api_key"}
    assert simulator.charges == []


def test_an_unknown_task_is_not_found_in_either_family(vendor: VendorByHand) -> None:
    v1_task = vendor.submit().json()["task_id"]
    replies = [vendor.status("d4g8o46p2jvh04o9uolg"), vendor.legacy_status(v1_task)]
    assert [(r.status_code, r.json()["error"]) for r in replies] == [(404, "task_not_found")] * 2


@pytest.mark.parametrize(("user_id", "status"), [("", 400), ("somebody-else", 401)])
def test_the_legacy_family_requires_its_user(
    simulator: Simulator, vendor: VendorByHand, user_id: str, status: int
) -> None:
    assert vendor.submit_legacy(user_id=user_id).status_code == status
    assert vendor.legacy_status("any", user_id=user_id).status_code == status
    assert simulator.charges == []


@pytest.mark.parametrize("content", [b"", b"\n \r\n\t\n"])
def test_a_file_without_rows_is_refused(simulator: Simulator, vendor: VendorByHand, content: bytes) -> None:
    reply = vendor.submit(content=content)
    assert (reply.status_code, reply.json()["error"]) == (400, "empty_file")
    assert simulator.charges == []


@pytest.mark.parametrize("fields", [{}, {"task_type": ""}, {"task_type": "no words allowed"}])
def test_a_missing_or_invalid_task_type_is_refused(
    simulator: Simulator, vendor: VendorByHand, fields: dict[str, str]
) -> None:
    reply = vendor.post("/v1/tasks", fields, file_of(NUMBERS))
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_task_type")
    assert simulator.charges == []


def test_a_missing_file_is_refused(vendor: VendorByHand) -> None:
    assert vendor.post("/v1/tasks", {"task_type": "ws"}).status_code == 400


def test_an_invalid_or_incomplete_form_is_refused(simulator: Simulator, vendor: VendorByHand) -> None:
    for body in (b"nonsense", b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n1"):
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        reply = vendor.call("POST", f"{simulator.url}/v1/tasks", data=body, headers=kind)
        assert reply.status_code == 400


def test_too_few_rows_are_refused_if_the_minimum_is_enforced(
    simulator: Simulator, vendor: VendorByHand
) -> None:
    plenty = file_of([f"+4179{n:07d}" for n in range(500)])
    duplicates = file_of(NUMBERS * 10)
    assert vendor.submit("ws", duplicates).status_code == 200
    simulator.change_settings(enforce_minimum=True)
    refused = vendor.submit("ws", duplicates)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_batch_size")
    assert "50 compliant numbers remain for ws" in refused.json()["message"]
    assert vendor.submit("ws", plenty).status_code == 200
    assert len(simulator.charges) == 2


def test_too_many_rows_are_refused(simulator: Simulator, vendor: VendorByHand) -> None:
    reply = vendor.submit("temu", b"1\n" * 100_001)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_batch_size")
    assert simulator.charges == []


def test_a_body_above_the_byte_limit_is_refused(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.change_settings(byte_limit=1_000_000)
    assert vendor.submit(content=b"1\n" * 600_000).status_code == 413
    assert simulator.charges == []
    assert vendor.submit().status_code == 200


def test_an_empty_account_refuses_files_until_topped_up(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.top_up(-1000)
    refused = vendor.submit()
    assert (refused.status_code, refused.json()["error"]) == (402, "insufficient_balance")
    assert simulator.charges == []
    simulator.top_up(1)
    assert vendor.submit().status_code == 200


# Charges and records


@pytest.mark.parametrize(("task_type", "usd_per_10k"), [("ws", 0.9), ("unknown_type", 1.0)])
def test_a_charge_records_task_price_and_file(
    simulator: Simulator, vendor: VendorByHand, task_type: str, usd_per_10k: float
) -> None:
    task_id = vendor.submit(task_type).json()["task_id"]
    (charge,) = simulator.charges
    assert (charge.task_id, charge.checker, charge.path) == (task_id, task_type, "/v1/tasks")
    assert charge.amount == pytest.approx(usd_per_10k * len(NUMBERS) / 10_000)
    assert charge.sha256 == hashlib.sha256(file_of(NUMBERS)).hexdigest()


def test_a_submission_is_recorded_with_its_framing(simulator: Simulator, vendor: VendorByHand) -> None:
    vendor.submit()
    submit_in_chunks(vendor, lines=3)
    assert [submission.framing for submission in simulator.submissions] == ["content-length", "chunked"]
    assert [submission.rows for submission in simulator.submissions] == [len(NUMBERS), 3]
    assert simulator.submissions[0].size == len(file_of(NUMBERS))
    assert re.fullmatch(TIMESTAMP, simulator.submissions[0].received_at)


def test_the_peak_of_concurrent_submissions_is_counted(simulator: Simulator) -> None:
    in_progress = threading.Barrier(3)

    def submit() -> int:
        with VendorByHand(simulator.url) as vendor:
            return submit_in_chunks(vendor, lines=2, pause=in_progress)

    with ThreadPoolExecutor(3) as pool:
        submissions = [pool.submit(submit) for _ in range(2)]
        wait_until(lambda: simulator.vendor.submissions_in_progress == 2)
        in_progress.wait(5)
        assert [submission.result() for submission in submissions] == [200, 200]
    assert simulator.peak_submissions == 2
    assert len(simulator.submissions) == 2


def test_successful_and_failed_calls_are_counted(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.inject_fault("submit", "http_error")
    vendor.submit()
    vendor.submit()
    vendor.status("unknown")
    assert simulator.calls == {"submit": 2, "status": 1}


def test_calls_are_counted_in_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([7.1, 7.9, 10.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    traffic = Traffic()
    for _ in range(3):
        traffic.count("status")
    assert traffic.totals == {"status": 3}
    assert traffic.by_second == {"status": [2, 0, 0, 1]}


def test_many_lines_are_received_in_constant_memory(simulator: Simulator, vendor: VendorByHand) -> None:
    tracemalloc.start()
    try:
        assert submit_in_chunks(vendor, lines=300_000) == 200
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert simulator.submissions[0].rows == 300_000
    assert peak < 6_000_000


# Progress


def test_a_task_passes_its_states_with_growing_counts(simulator: Simulator, vendor: VendorByHand) -> None:
    task_id = vendor.submit(content=b"1\n" * 1000).json()["task_id"]
    seen = []
    for _ in range(21):
        seen.append(vendor.status(task_id).json())
        simulator.advance(5)
    words = [reply["status"] for reply in seen]
    counts = [reply["success"] for reply in seen]
    assert list(dict.fromkeys(words)) == ["pending", "processing", "completed", "exported"]
    assert counts == sorted(counts)
    assert len(set(counts)) > 10
    assert all("result_url" not in reply for reply in seen[:-1])


def test_a_task_is_exported_only_once_its_file_is_written(
    simulator: Simulator, vendor: VendorByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write = threading.Event()
    write_export = exports.write_export

    def write_when_allowed(*arguments: Any) -> None:
        assert may_write.wait(5)
        write_export(*arguments)

    monkeypatch.setattr(exports, "write_export", write_when_allowed)
    monkeypatch.setattr(exports, "SECONDS_TO_WAIT", 0.01)
    task_id = vendor.submit().json()["task_id"]
    simulator.finish_all()
    early = vendor.status(task_id).json()
    may_write.set()
    wait_until(lambda: vendor.status(task_id).json()["status"] == "exported")
    assert (early["status"], early["success"]) == ("completed", len(NUMBERS))
    assert "result_url" not in early
    assert vendor.download(vendor.link(task_id)).status_code == 200


def test_time_moves_only_when_advanced(simulator: Simulator, vendor: VendorByHand) -> None:
    task_id = vendor.submit().json()["task_id"]
    assert vendor.status(task_id).json() == vendor.status(task_id).json()
    simulator.advance(100)
    assert vendor.status(task_id).json()["status"] == "exported"
