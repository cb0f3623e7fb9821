"""A second stack that remembers verdicts: what it sends, what it merges, and what it forgets."""

import csv
import json
import re
from contextlib import nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import LocalCloud
from local.processes import PROJECT
from local.simulator import RemoteSimulator
from tests.support.cloud import MEMORY_STACK, Bucket, Inbox, run_command

NUMBERS = [f"+4477009008{number:02}" for number in range(30)]
KEYS = ("band/memory/week1.txt", "band/memory/week2.txt", "band/memory/week3.txt", "band/memory/week4.txt")


def upload(
    memory_stack: dict[str, str], cloud: LocalCloud, inbox: Inbox, key: str, numbers: list[str]
) -> Any:
    """Upload a list; return the detail of its event."""
    Bucket(cloud, memory_stack["UploadBucketName"]).drop(key, "\n".join(numbers))
    (event,) = inbox.wait_for(key)
    assert event["detail-type"] == "Number Check Completed"
    return event["detail"]


def rows(memory_stack: dict[str, str], cloud: LocalCloud, detail: Any) -> list[dict[str, str]]:
    text = Bucket(cloud, memory_stack["ResultsBucketName"]).read(detail["results"]["csv_key"]).decode()
    return list(csv.DictReader(text.splitlines()))


def objects(memory_stack: dict[str, str], cloud: LocalCloud, prefix: str) -> list[str]:
    bucket = memory_stack["MemoryBucketName"]
    listed = cloud.aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for item in listed.get("Contents", [])]


def command(cloud: LocalCloud, *arguments: str) -> str:
    """Run the command on the stack; return what it prints."""
    done = run_command(cloud, "--stack", MEMORY_STACK, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def compact_of(cloud: LocalCloud) -> str:
    found = cloud.aws.client("cloudformation").describe_stack_resource(
        StackName=MEMORY_STACK, LogicalResourceId="CompactFunction"
    )
    name: str = found["StackResourceDetail"]["PhysicalResourceId"]
    return name


def invoke_compact(cloud: LocalCloud) -> dict[str, int]:
    answer = cloud.aws.client("lambda").invoke(FunctionName=compact_of(cloud), Payload=b"{}")
    report: dict[str, int] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, report
    return report


@pytest.fixture(scope="module")
def first(memory_stack: dict[str, str], cloud: LocalCloud, inbox: Inbox) -> Any:
    return upload(memory_stack, cloud, inbox, KEYS[0], NUMBERS[:20])


@pytest.fixture(scope="module")
def second(memory_stack: dict[str, str], cloud: LocalCloud, inbox: Inbox, first: Any) -> Any:
    return upload(memory_stack, cloud, inbox, KEYS[1], NUMBERS[5:25])


def test_only_new_numbers_of_an_overlapping_list_are_sent(
    memory_stack: dict[str, str], cloud: LocalCloud, first: Any, second: Any
) -> None:
    assert (first["counts"]["submitted"], first["counts"]["remembered"]) == (20, 0)
    before = {row["number"]: row["verdict"] for row in rows(memory_stack, cloud, first)}
    results = rows(memory_stack, cloud, second)
    known = {number for number, verdict in before.items() if verdict in {"yes", "no"}}.intersection(
        NUMBERS[5:20]
    )
    assert second["counts"]["remembered"] == len(known) > 0
    assert {row["number"] for row in results if row["source"] == "remembered"} == known
    assert all(row["verdict"] == before[row["number"]] for row in results if row["source"] == "remembered")
    assert {row["status"] for row in results} == {"resolved"}


def test_a_list_that_is_remembered_whole_is_not_charged(
    memory_stack: dict[str, str], cloud: LocalCloud, inbox: Inbox, second: Any
) -> None:
    known = [row["number"] for row in rows(memory_stack, cloud, second) if row["verdict"] in {"yes", "no"}]
    with RemoteSimulator(cloud.simulator) as vendor:
        before = len(vendor.charges)
        third = upload(memory_stack, cloud, inbox, KEYS[2], known)
        assert len(vendor.charges) == before
    assert (third["charged"], third["task_id"], third["tasks"]) == (False, None, [])
    assert third["counts"]["remembered"] == len(known)


def test_compact_merges_many_runs_with_its_own_permissions(
    memory_stack: dict[str, str], cloud: LocalCloud, second: Any
) -> None:
    s3, bucket = cloud.aws.client("s3"), memory_stack["MemoryBucketName"]
    for number in range(20):
        run = objects(memory_stack, cloud, "runs/band/")[0]
        s3.copy_object(Bucket=bucket, CopySource={"Bucket": bucket, "Key": run}, Key=f"{run}-copy{number}")
    report = invoke_compact(cloud)
    assert report["runs"] > 20
    assert len(objects(memory_stack, cloud, "runs/band/")) == 1


def test_a_forgotten_number_is_paid_for_again(
    memory_stack: dict[str, str], cloud: LocalCloud, inbox: Inbox, second: Any
) -> None:
    known = [row["number"] for row in rows(memory_stack, cloud, second) if row["verdict"] in {"yes", "no"}]
    assert '"checker": "band"' in command(cloud, "memory", "--json")

    printed = command(cloud, "forget", known[0], "--yes")

    assert "Erased 1 number(s)." in printed
    assert known[0][1:] not in printed
    fourth = upload(memory_stack, cloud, inbox, KEYS[3], known)
    assert (fourth["counts"]["submitted"], fourth["counts"]["remembered"]) == (1, len(known) - 1)


def test_a_strange_object_makes_compact_fail(
    memory_stack: dict[str, str], cloud: LocalCloud, second: Any
) -> None:
    """An alarm counts the function's errors."""
    s3, bucket = cloud.aws.client("s3"), memory_stack["MemoryBucketName"]
    s3.put_object(Bucket=bucket, Key="runs/band/notes.txt", Body=b"")
    answer = cloud.aws.client("lambda").invoke(FunctionName=compact_of(cloud), Payload=b"{}")
    s3.delete_object(Bucket=bucket, Key="runs/band/notes.txt")
    assert b"The memory of 1 of " in answer["Payload"].read()
    assert "FunctionError" in answer


@pytest.mark.parametrize("secret", ["MemoryKeySecret", "ApiKeySecret"])
def test_compact_may_read_neither_key(memory_stack: dict[str, str], cloud: LocalCloud, secret: str) -> None:
    resources = cloud.aws.client("cloudformation").describe_stack_resources(StackName=MEMORY_STACK)
    names = {found["LogicalResourceId"]: found["PhysicalResourceId"] for found in resources["StackResources"]}
    arn = cloud.aws.client("secretsmanager").describe_secret(SecretId=names[secret])["ARN"]
    role = f"arn:aws:iam::{memory_stack['StateMachineArn'].split(':')[4]}:role/{names['CompactRole']}"
    (evaluated,) = cloud.aws.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=["secretsmanager:GetSecretValue"], ResourceArns=[arn]
    )["EvaluationResults"]
    assert evaluated["EvalDecision"] != "allowed"


@pytest.mark.parametrize(("version", "is_refused"), [("1", True), ("2", False)])
def test_the_memory_needs_the_newer_events(cloud: LocalCloud, version: str, is_refused: bool) -> None:
    """A small stack has the rules of the template, which are checked before anything is created."""
    text = (PROJECT / "template.yaml").read_text("utf-8")
    sections = [re.search(rf"^{name}:\n.*?(?=^\w)", text, re.M | re.S) for name in ("Rules", "Parameters")]
    body = "".join(found[0] for found in sections if found) + "Resources: {Topic: {Type: AWS::SNS::Topic}}\n"
    chosen = {"RememberYesDays": "90", "EventSchemaVersion": version, "EkycproApiKey": "key"}
    cloudformation = cloud.aws.client("cloudformation")
    name = f"rules-{version}"
    with pytest.raises(ClientError, match="First let all consumers") if is_refused else nullcontext():
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=body,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in chosen.items()],
        )
        cloudformation.delete_stack(StackName=name)
