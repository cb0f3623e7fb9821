"""Crash tests: only the package is real."""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from numberdrop.memory import lookup
from numberdrop.steps import submission
from tests.support.crash.inline_executor import InlineExecutor
from tests.support.crash.services import LogCollector

FILES_IN_MEMORY = Path("/dev/shm")
"""A file system in memory, where Linux has one (manual page shm_overview(7))."""


@pytest.fixture(scope="module", autouse=True)
def _use_no_threads() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookup, "ThreadPoolExecutor", InlineExecutor)
        yield


@pytest.fixture(scope="module", autouse=True)
def _keep_temporary_files_in_memory() -> Iterator[None]:
    """Spare the disk the small temporary files of ten thousand schedules."""
    with pytest.MonkeyPatch.context() as patch:
        if FILES_IN_MEMORY.is_dir():
            patch.setattr(tempfile, "tempdir", str(FILES_IN_MEMORY))
        yield


@pytest.fixture(scope="module", autouse=True)
def _collect_logs() -> Iterator[None]:
    """Collect log lines for the invariants instead of printing a million of them."""
    log = logging.getLogger(submission.logger.name)
    before = log.handlers
    log.handlers = [LogCollector(instead_of=before[0])]
    yield
    log.handlers = before
