"""The vendor's client as tests use it: with a key of its own, and a file to send."""

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
    """A key that may be replaced by a newer one, once."""

    def __init__(self, value: str = "test-key", newer: str | None = None) -> None:
        self.value = value
        self.newer = newer

    def get(self) -> str:
        return self.value

    def refresh(self) -> bool:
        before, self.value = self.value, self.newer or self.value
        return self.value != before


def client(url: str, *, key: Key | None = None) -> VendorClient:
    api_key: Any = key or Key()
    return VendorClient(base_url=url, api_key=api_key, user_id="test-user", now=lambda: NOON)


def submit(vendor: VendorClient, checker: Checker = BAND, *, seconds: float = 10) -> SubmitOutcome:
    return vendor.submit(checker, BytesIO(file_of()), seconds=seconds)


def task(vendor: VendorClient, checker: Checker = BAND) -> str:
    accepted = submit(vendor, checker)
    assert isinstance(accepted, Accepted)
    return accepted.task_id
