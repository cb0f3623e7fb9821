"""Crash tests: only the package is real."""

import logging
from collections.abc import Iterator

import pytest

from numberdrop.memory import lookup
from numberdrop.steps import submission
from tests.support.crash.inline_executor import InlineExecutor
from tests.support.crash.services import LogCollector


@pytest.fixture(scope="session", autouse=True)
def _use_no_threads() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookup, "ThreadPoolExecutor", InlineExecutor)
        yield


@pytest.fixture(scope="session", autouse=True)
def _collect_logs() -> Iterator[None]:
    """Collect log lines for the invariants instead of printing a million of them."""
    log = logging.getLogger(submission.logger.name)
    before = log.handlers
    log.handlers = [LogCollector(instead_of=before[0])]
    yield
    log.handlers = before
