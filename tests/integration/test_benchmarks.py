"""What the benchmarks stand on: contenders in processes of their own, and a server that swallows."""

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


def test_contenders_are_told_apart_by_what_they_take() -> None:
    results = measured({"little": with_little, "much": with_much}, rounds=1)
    assert 0 <= results["little"].peak < 16 * MIB
    assert 60 * MIB < results["much"].peak < 100 * MIB
    assert all(result.rate > 0 for result in results.values())


def test_a_contender_that_fails_is_not_passed_over() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        measured({"failure": with_failure}, rounds=1)


def test_the_server_hands_out_its_file(url: str) -> None:
    assert requests.get(url, timeout=5).content == b"export"


def chunks() -> Iterator[bytes]:
    yield b"12345"
    yield b"678"


@pytest.mark.parametrize(
    ("query", "answer"), [("", "task_id"), ("?uploads", "UploadId"), ("?uploadId=1", "ETag")]
)
def test_the_server_swallows_what_it_is_sent_however_it_is_framed(url: str, query: str, answer: str) -> None:
    with requests.Session() as session:  # one connection: what is left of a body would spoil the next request
        assert session.put(url, data=b"12345678", timeout=5).ok
        assert session.put(url, data=chunks(), timeout=5).ok
        assert answer in session.post(f"{url}/k{query}", data=b"1234", timeout=5).text


def test_a_subject_that_is_not_there_is_answered_with_those_that_the_page_names() -> None:
    command = [sys.executable, "-m", "benchmarks", "nothing"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, check=False, text=True)
    assert done.returncode == 1
    page = (PROJECT / "benchmarks" / "README.md").read_text("utf-8")
    subjects, _, _ = page.partition("## What they said last")
    named = re.findall(r"^\| `(\w+)` \|", subjects, re.MULTILINE)
    assert done.stderr.strip().endswith(f"There are: {', '.join(sorted(named))}.")
