"""Crash tests: nothing is real but the package."""

import logging
from collections.abc import Iterator

import pytest

from numberdrop.steps import submission
from tests.support.crash.logs import LineKeeper


@pytest.fixture(scope="session", autouse=True)
def _logs_are_kept() -> Iterator[None]:
    """Keeps log lines for the invariants, instead of printing a million of them."""
    log = logging.getLogger(submission.logger.name)
    before = log.handlers
    log.handlers = [LineKeeper(instead_of=before[0])]
    yield
    log.handlers = before
