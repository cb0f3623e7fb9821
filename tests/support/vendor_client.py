"""The vendor's client for tests: with a fixed key and a file to send."""

from io import BytesIO
from typing import Any

import pytest

from numberdrop.jobs.checkers import Checker, checkers
from numberdrop.vendor.client import VendorClient
from numberdrop.vendor.outcomes import Accepted, SubmitOutcome
from tests.support.files import file_of
from tests.support.jobs import NOON

BAND = checkers()["band"]
DEEP = checkers()["wa-deep"]
FAMILIES = [pytest.param(BAND, id="v1"), pytest.param(DEEP, id="legacy")]


class Key:
    """An API key; ``refresh`` replaces it by the newer one, if there is one."""

    def __init__(self, value: str = "test-key", newer: str | None = None) -> None:
        self.value = value
        self.newer = newer
        self.version: str | None = None

    def get(self) -> str:
        return self.value

    def refresh(self) -> bool:
        before, self.value = self.value, self.newer or self.value
        return self.value != before


def client(url: str, *, key: Key | None = None) -> VendorClient:
    """Return a client for the vendor at a URL, with the clock stopped at noon."""
    api_key: Any = key or Key()
    return VendorClient(base_url=url, api_key=api_key, user_id="test-user", now=lambda: NOON)


def submit(vendor: VendorClient, checker: Checker = BAND, *, seconds: float = 10) -> SubmitOutcome:
    """Submit a file of 100 numbers."""
    return vendor.submit(checker, BytesIO(file_of()), seconds=seconds)


def task(vendor: VendorClient, checker: Checker = BAND) -> str:
    """Submit a file and return the id of its task."""
    accepted = submit(vendor, checker)
    assert isinstance(accepted, Accepted)
    return accepted.task_id
