"""Temporary folders are deleted by their owner, or by the next process if the owner was killed."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from numberdrop.scratch import PREFIX, scratch_folder
from tests.support.template import PROJECT

OWNER = """
import sys, time
from numberdrop.scratch import scratch_folder

with scratch_folder() as folder:
    (folder / "export").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def ephemeral_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def owner(ephemeral_storage: Path) -> Iterator[subprocess.Popen[str]]:
    """Start another process that uses a scratch folder."""
    env = {"TMPDIR": str(ephemeral_storage), "PYTHONPATH": str(PROJECT / "layers" / "shared")}
    command = [sys.executable, "-c", OWNER]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def folder_of(owner: subprocess.Popen[str]) -> Path:
    assert owner.stdout
    return Path(owner.stdout.readline().strip())


def test_a_folder_is_deleted_with_its_files(ephemeral_storage: Path) -> None:
    with scratch_folder() as folder:
        (folder / "export").touch()
        assert folder.parent == ephemeral_storage
    assert list(ephemeral_storage.iterdir()) == []


def test_the_folder_of_a_killed_process_is_deleted(owner: subprocess.Popen[str]) -> None:
    abandoned = folder_of(owner)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert (abandoned / "export").exists()
    with scratch_folder():
        assert not abandoned.exists()


def test_the_folder_of_a_running_process_is_kept(owner: subprocess.Popen[str]) -> None:
    in_use = folder_of(owner)
    with scratch_folder() as folder:
        assert folder != in_use
    assert (in_use / "export").exists()


def test_other_folders_are_kept(ephemeral_storage: Path) -> None:
    others = [ephemeral_storage / "something-else", ephemeral_storage / f"{PREFIX}being-made"]
    for other in others:
        other.mkdir()
    with scratch_folder():
        pass
    assert all(other.exists() for other in others)
