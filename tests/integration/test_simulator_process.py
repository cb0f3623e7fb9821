"""The simulator closes promptly, runs as its own process, and can be controlled from another one."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from local.simulator import RemoteSimulator, Simulator
from local.simulator.__main__ import main as simulate
from local.simulator.controls import Controls
from local.simulator.remote import ACTIONS, READINGS
from tests.support.vendor_by_hand import NUMBERS, VendorByHand, submit_in_chunks, wait_until

PROJECT = Path(__file__).parents[2]
CLOSE_SECONDS = 10
"""Seconds on a busy machine. If closing waited for its clients, it would take over half a minute."""


def test_it_closes_promptly_during_requests() -> None:
    with Simulator() as simulator:
        host, port = simulator.url.removeprefix("http://").split(":")
        clients = [socket.create_connection((host, int(port)), 5) for _ in range(2)]
        simulator.inject_fault("balance", "never_answer")
        clients[0].sendall(b"GET /v1/balance HTTP/1.1\r\nX-API-Key: test-key\r\n\r\n")
        clients[1].sendall(b"POST /v1/tasks HTTP/1.1\r\nContent-Length: 999\r\n\r\nhalf")
        wait_until(lambda: simulator.calls == {"balance": 1, "submit": 1})
        closing = time.monotonic()
    assert time.monotonic() - closing < CLOSE_SECONDS
    for client in clients:
        with client:
            assert client.recv(1) == b""


def test_it_closes_promptly_while_it_writes_a_big_export() -> None:
    with Simulator() as simulator, VendorByHand(simulator.url) as vendor:
        assert submit_in_chunks(vendor, lines=6_000_000) == 200
        closing = time.monotonic()
    assert time.monotonic() - closing < CLOSE_SECONDS


def test_it_can_be_controlled_from_another_process(tmp_path: Path) -> None:
    port_file = tmp_path / "url"
    command = [sys.executable, "-m", "local.simulator", "--port-file", str(port_file)]
    search_path = {"PYTHONPATH": "layers/shared"}
    with subprocess.Popen(
        command, cwd=PROJECT, env=search_path, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_until(port_file.exists)
            url = port_file.read_text()
            use_every_control(url)
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=5)
    assert process.returncode == 0
    assert url in output
    assert output.count("curl ") == 3


def test_a_port_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SystemExit, match=f"port {port}: .*in use"):
            simulate(["--port", str(port)])
    with pytest.raises(SystemExit, match="port 70000"):
        simulate(["--port", "70000"])


def use_every_control(url: str) -> None:
    with RemoteSimulator(url) as control, VendorByHand(url) as vendor:
        control.inject_fault("submit", "http_error", times=2, status=503, retry_after="7")
        assert vendor.submit().headers["Retry-After"] == "7"
        control.clear_faults()
        task_id = vendor.submit().json()["task_id"]
        assert [charge.task_id for charge in control.charges] == [task_id]
        assert control.submissions[0].rows == len(NUMBERS)
        assert control.balance == pytest.approx(999.9955)
        control.top_up(0.0045)
        assert control.balance == pytest.approx(1000)
        control.finish_all()
        link = vendor.link(task_id)
        control.revoke_links()
        assert vendor.download(link).status_code == 403
        assert [download.status for download in control.downloads] == [403]
        control.change_settings(duration_seconds=500)
        assert control.settings.duration_seconds == 500
        slow = vendor.submit().json()["task_id"]
        control.advance(500)
        assert vendor.status(slow).json()["status"] == "exported"
        assert control.calls == {"submit": 3, "status": 2, "download": 1}
        assert sum(control.calls_by_second["submit"]) == 3
        assert control.peak_submissions == 1


def test_wrong_arguments_of_a_control_are_an_error() -> None:
    with Simulator() as simulator, RemoteSimulator(simulator.url) as control:
        with pytest.raises(ValueError, match="no fault"):
            control.inject_fault("status", "zip_bomb")
        with pytest.raises(ValueError, match="colour"):
            control.inject_fault("submit", "http_error", colour="red")
        with pytest.raises(ValueError, match="telepathy"):
            control.inject_fault("telepathy", "http_error")
        with pytest.raises(ValueError, match="nonsense"):
            control.change_settings(nonsense=1)
        assert requests.get(f"{simulator.url}/_simulator/secrets", timeout=5).status_code == 404


def test_every_control_can_be_used_from_another_process() -> None:
    public = {name: value for name, value in vars(Controls).items() if not name.startswith("_")}
    properties = {name for name, value in public.items() if isinstance(value, property)}

    assert properties == READINGS.keys()
    assert public.keys() - properties == set(ACTIONS)
    assert public.keys() <= vars(RemoteSimulator).keys()


def test_two_simulators_share_nothing() -> None:
    with Simulator() as one, Simulator() as other:
        with VendorByHand(one.url) as vendor:
            vendor.submit()
        assert len(one.charges) == 1
        assert other.charges == []
