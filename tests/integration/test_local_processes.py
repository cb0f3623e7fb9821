"""The processes of the local cloud: foreign settings do not reach them, and none is left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchmarks import burst, large_upload, outage
from local import demo
from local.__main__ import shell_commands
from local.processes import LocalCloudError, environment, free_port, ignore_settings, run
from tests.support.template import PROJECT

SLEEPER = """
import sys
from pathlib import Path
from local.cloud import TemporaryDirectory
from local.processes import background, ended_by_signals, environment, run

try:
    with ended_by_signals(), TemporaryDirectory(dir=sys.argv[1]) as name:
        sleeper = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
        log = Path(name, "log")
        if sys.argv[2] == "run":
            run(["sh", "-c", "echo up; sleep 60 & sleep 60"], environment({"TMPDIR": name}), log)
        else:
            env = environment({"TMPDIR": name})
            with background(sleeper, env, log, is_up=lambda: "up" in log.read_text()):
                run(["sleep", "60"], env, Path(name, "other"))
except KeyboardInterrupt:
    print("interrupted")
"""


def processes_in(folder: Path) -> list[str]:
    """Return the processes whose temporary folder is below a folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            content = file.read_bytes()
        except OSError:
            continue
        if f"TMPDIR={folder}".encode() in content:
            found.append(file.parent.name)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("way", ["run", "background"])
def test_a_signal_leaves_no_process_and_no_folder(tmp_path: Path, number: signal.Signals, way: str) -> None:
    packages = os.pathsep.join([str(PROJECT / "layers" / "shared"), str(PROJECT)])
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER, str(tmp_path), way],
        env={**os.environ, "PYTHONPATH": packages},
        stdout=subprocess.PIPE,
        text=True,
    )
    while not any("up" in log.read_text() for log in tmp_path.glob("*/log")):
        time.sleep(0.05)
    assert processes_in(tmp_path)

    process.send_signal(number)
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)

    assert output == "interrupted\n"
    assert list(tmp_path.iterdir()) == []
    end = time.monotonic() + 5
    while processes_in(tmp_path) and time.monotonic() < end:  # the system is still ending killed processes
        time.sleep(0.1)
    assert processes_in(tmp_path) == []


def test_settings_of_the_shell_do_not_reach_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = (
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL_S3",
        "PYTHONSAFEPATH",
        "PYTHONWARNINGS",
        "PYTHONPATH",
        "SAM_DEBUG",
    )
    for name in odd:
        monkeypatch.setenv(name, "odd")
    env = environment({"AWS_REGION": "us-east-1"})
    assert not set(odd) & set(env)
    assert env["AWS_REGION"] == "us-east-1"


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_loopback_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv(name, "internal.example")
    env = environment({})
    assert env["NO_PROXY"] == env["no_proxy"] == "internal.example,127.0.0.1,localhost"


def test_a_client_of_the_local_cloud_ignores_the_users_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"AWS_PROFILE": "nobodys", "AWS_REGION": "eu-west-1", "HOME": "/root"})
    ignore_settings()
    assert set(os.environ) == {
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "HOME",
        "NO_PROXY",
        "no_proxy",
    }


def test_the_shell_forgets_another_account() -> None:
    shell = {"AWS_PROFILE": "work", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_SQS": "x", "HOME": "/root"}
    settings = {"AWS_REGION": "us-east-1", "AWS_CA_BUNDLE": "/a folder/ca.pem"}
    assert shell_commands(settings, shell) == [
        "unset AWS_ENDPOINT_URL_SQS AWS_PROFILE AWS_SESSION_TOKEN",
        "export AWS_REGION=us-east-1",
        "export AWS_CA_BUNDLE='/a folder/ca.pem'",
    ]


def test_without_ipv4_on_loopback_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(LocalCloudError, match=r"127\.0\.0\.1.*Cannot assign requested address.*IPv4"):
        free_port()


def test_a_failed_program_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match=r"'sh -c' failed:\n\[/no\] \[bold\]markup"):
        run(["sh", "-c", "echo '[/no] [bold]markup'; exit 1"], environment({}), tmp_path / "log")


@pytest.mark.parametrize(
    ("module", "start"),
    [
        (demo, demo.main),
        (burst, lambda: burst.run_from_command_line(["--uploads", "1"])),
        (large_upload, lambda: large_upload.run_from_command_line(["--rows", "1"])),
        (outage, lambda: outage.run_from_command_line([])),
    ],
)
def test_a_failure_with_brackets_is_printed_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    module: ModuleType,
    start: Callable[[], int],
) -> None:
    def fail(_: Any) -> None:
        raise LocalCloudError("'sam build' failed:\n[/no] [bold]markup")

    monkeypatch.setattr(module, "local_cloud", fail)
    monkeypatch.setattr(module, "ignore_settings", lambda: None)
    assert start() == 1
    assert "[/no] [bold]markup" in capsys.readouterr().out
