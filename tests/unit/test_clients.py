"""The clients of the ledger and the API key give up before a charge could go unrecorded."""

from typing import Any

import pytest

from numberdrop.aws.api_key import ApiKey
from numberdrop.aws.ledger import Ledger
from numberdrop.steps.posting import TIME_TO_RECORD

LONGEST_PAUSES = 1 + 2 + 4
"""Seconds that botocore's standard mode pauses at most between four attempts."""


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def configurations() -> list[Any]:
    clients = [Ledger.connect("jobs").client, ApiKey.connect("secret")._client]
    return [client.meta.config for client in clients]


def test_a_slow_call_ends_within_the_time_to_record() -> None:
    for config in configurations():
        attempts = config.retries["total_max_attempts"]
        longest_attempt = config.connect_timeout + config.read_timeout
        assert attempts == 4
        assert attempts * longest_attempt + LONGEST_PAUSES < TIME_TO_RECORD


def test_retries_are_standard() -> None:
    assert {config.retries["mode"] for config in configurations()} == {"standard"}
