"""The table in memory gives the same answers as moto to all requests of all scenarios."""

import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.support.crash.scenarios import SCENARIOS
from tests.support.crash.schedules import Schedule
from tests.support.crash.seam import Fault, Mode
from tests.support.crash.table import TABLE, Table
from tests.support.resolved_template import deployed

MAX_REQUESTS = 60
"""Per scenario: moto is slow, and most requests of reconcile are the same."""

TABLE_OF_TEMPLATE = {
    name: value
    for name, value in deployed()["JobsTable"]["Properties"].items()
    if name in {"BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"}
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_request_gets_the_answer_of_dynamodb(scenario: str) -> None:
    _compare(Schedule(scenario))


def test_every_repeated_write_gets_the_answer_of_dynamodb() -> None:
    calls = Schedule("one_upload").run().seam.calls
    writes = [call.number for call in calls if call.name == "dynamodb.update_item"]
    assert len(writes) > 4
    for number in writes:
        _compare(Schedule("one_upload", (Fault(number, Mode.TWICE),)))


def _compare(schedule: Schedule) -> None:
    requests = _without_repeated_reads(schedule.run().table.requests)[:MAX_REQUESTS]
    table = Table(on_write=lambda _: None)
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        moto = boto3.client("dynamodb")
        moto.create_table(TableName=TABLE, **TABLE_OF_TEMPLATE)
        for operation, request in requests:
            assert _answer(table, operation, request) == _answer(moto, operation, request)


def _without_repeated_reads(requests: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Keep only the last of consecutive reads."""
    reads = {"get_item", "query"}
    return [
        request
        for request, (following, _) in zip(requests, [*requests[1:], ("", {})], strict=True)
        if request[0] not in reads or following not in reads
    ]


def _answer(client: Any, operation: str, request: Mapping[str, Any]) -> Any:
    try:
        answer = getattr(client, operation)(**request)
    except ClientError as error:
        return _sorted([error.response["Error"]["Code"], error.response.get("Item")])
    return _sorted({name: answer.get(name) for name in ("Item", "Items", "Attributes")})


def _sorted(answer: Any) -> Any:
    """Sort the members of sets, whose order is arbitrary."""
    return json.loads(
        json.dumps(answer, sort_keys=True),
        object_hook=lambda found: {k: sorted(v) if k == "SS" else v for k, v in found.items()},
    )
