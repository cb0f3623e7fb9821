"""The tools of the benchmarks: contenders in separate processes, and a server that discards requests."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from benchmarks.measuring import MIB, measured
from benchmarks.server import served
from tests.support.contenders import with_failure, with_little, with_much
from tests.support.template import PROJECT


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    file = tmp_path / "export.zip"
    file.write_bytes(b"export")
    with served(file) as address:
        yield address


def test_contenders_are_measured_separately() -> None:
    results = measured({"little": with_little, "much": with_much}, rounds=1)
    assert 0 <= results["little"].peak < 16 * MIB
    assert 60 * MIB < results["much"].peak < 100 * MIB
    assert all(result.rate > 0 for result in results.values())


def test_a_failing_contender_raises() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        measured({"failure": with_failure}, rounds=1)


def test_the_server_returns_its_file(url: str) -> None:
    assert requests.get(url, timeout=5).content == b"export"


def chunks() -> Iterator[bytes]:
    yield b"12345"
    yield b"678"


@pytest.mark.parametrize(
    ("query", "answer"), [("", "task_id"), ("?uploads", "UploadId"), ("?uploadId=1", "ETag")]
)
def test_the_server_reads_bodies_with_any_framing(url: str, query: str, answer: str) -> None:
    with (
        requests.Session() as session
    ):  # one connection: unread bytes of a body would corrupt the next request
        assert session.put(url, data=b"12345678", timeout=5).ok
        assert session.put(url, data=chunks(), timeout=5).ok
        assert answer in session.post(f"{url}/k{query}", data=b"1234", timeout=5).text


def test_an_unknown_subject_lists_those_on_the_page() -> None:
    command = [sys.executable, "-m", "benchmarks", "nothing"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, check=False, text=True)
    assert done.returncode == 1
    page = (PROJECT / "benchmarks" / "README.md").read_text("utf-8")
    subjects, _, _ = page.partition("## Latest results")
    named = re.findall(r"^\| `(\w+)` \|", subjects, re.MULTILINE)
    assert done.stderr.strip().endswith(f"There are: {', '.join(sorted(named))}.")
