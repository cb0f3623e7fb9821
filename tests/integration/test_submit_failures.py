"""A message whose worker fails before it takes the message is received again soon, not after 90 minutes."""

import importlib.util
import json
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import boto3
import pytest

from functions.submit import app
from local.simulator import Simulator
from numberdrop.jobs.transitions import State
from tests.support.account import Account, object_created
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.outcomes import job_of
from tests.support.template import PROJECT

LAYER = ("numberdrop", "aws_lambda_powertools", "requests", "urllib3", "phonenumbers")
"""Packages that the layer brings."""


def without_the_layer(patch: pytest.MonkeyPatch) -> None:
    """Make every import of a package of the layer fail."""
    for name in [*sys.modules, *LAYER]:
        if name.partition(".")[0] in {"numberdrop", "aws_lambda_powertools"} or name in LAYER:
            patch.setitem(sys.modules, name, None)


def with_a_renamed_module(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(sys.modules, "numberdrop.steps.queue_handler", None)


def with_a_renamed_class(patch: pytest.MonkeyPatch) -> None:
    patch.delattr("numberdrop.steps.queue_handler.QueueHandler")


def with_an_older_method(patch: pytest.MonkeyPatch) -> None:
    patch.delattr("numberdrop.steps.queue_handler.QueueHandler.handle_all")


def without_a_setting(patch: pytest.MonkeyPatch) -> None:
    patch.delenv("JOBS_TABLE")


def with_a_bad_setting(patch: pytest.MonkeyPatch) -> None:
    patch.setenv("JOB_TIMEOUT_HOURS", "a day")


FAULTS = [
    with_a_renamed_module,
    with_a_renamed_class,
    with_an_older_method,
    without_a_setting,
    with_a_bad_setting,
]


def loaded_anew() -> ModuleType:
    """Return the function's module as Lambda imports it: from a file, and for the first time."""
    spec = importlib.util.spec_from_file_location("app", PROJECT / "functions" / "submit" / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def a_record(account: Account, key: str = "band/a.txt") -> dict[str, Any]:
    """Drop a file, and return the record with which Lambda delivers its message."""
    sqs = boto3.client("sqs")
    body = json.dumps(object_created(account.drop(key, file_of())))
    sqs.send_message(QueueUrl=account.upload_queue, MessageBody=body)
    return received(account)[0]


def received(account: Account) -> list[dict[str, Any]]:
    answer = boto3.client("sqs").receive_message(
        QueueUrl=account.upload_queue, MessageSystemAttributeNames=["All"]
    )
    return [
        {
            "messageId": message["MessageId"],
            "body": message["Body"],
            "receiptHandle": message["ReceiptHandle"],
            "attributes": message["Attributes"],
        }
        for message in answer.get("Messages", [])
    ]


@pytest.mark.parametrize("break_it", FAULTS, ids=lambda fault: fault.__name__)
def test_a_message_of_a_broken_deployment_is_handed_back(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[pytest.MonkeyPatch], None],
) -> None:
    monkeypatch.setattr(app, "FIRST_PAUSE", 0)
    record = a_record(account)
    with pytest.MonkeyPatch.context() as patch:
        break_it(patch)
        with pytest.raises(Exception, match=r"."):
            app.handler({"Records": [record]}, functions.context)

    (again,) = received(account)
    assert app.handler({"Records": [again]}, functions.context) == {"batchItemFailures": []}
    (charge,) = simulator.charges
    assert charge.task_id


def test_a_message_is_handed_back_without_the_layer(
    account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = a_record(account)
    with pytest.MonkeyPatch.context() as patch:
        without_the_layer(patch)
        module = loaded_anew()
        patch.setattr(module, "FIRST_PAUSE", 0)
        with pytest.raises(ImportError):
            module.handler({"Records": [record]}, functions.context)
    assert [again["messageId"] for again in received(account)] == [record["messageId"]]


def test_a_function_whose_layer_arrives_later_recovers(account: Account, functions: Functions) -> None:
    with pytest.MonkeyPatch.context() as patch:
        without_the_layer(patch)
        module = loaded_anew()
    upload = account.drop("band/b.txt", file_of())
    boto3.client("sqs").send_message(
        QueueUrl=account.upload_queue, MessageBody=json.dumps(object_created(upload))
    )
    module.handler({"Records": received(account)}, functions.context)
    assert job_of(account, upload).state is State.SUBMITTED


@pytest.mark.parametrize(("receives", "pause"), [(1, 60), (2, 120), (5, 960), (40, 960)])
def test_a_handed_back_message_pauses_for_longer_each_time(
    account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch, receives: int, pause: int
) -> None:
    pauses: list[int] = []

    class Queue:
        def create_client(self, service: str) -> "Queue":
            return self

        def change_message_visibility(self, **request: Any) -> None:
            pauses.append(request["VisibilityTimeout"])

    monkeypatch.setattr(app, "get_session", Queue)
    monkeypatch.delenv("JOBS_TABLE")
    record = a_record(account)
    record["attributes"]["ApproximateReceiveCount"] = str(receives)
    with pytest.raises(Exception, match="JOBS_TABLE"):
        app.handler({"Records": [record]}, functions.context)
    assert pauses == [pause]
