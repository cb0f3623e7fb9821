"""A stack is deleted: everything that runs is gone, and what was paid for stays until a person removes it."""

import time
from collections.abc import Mapping

import pytest
from botocore.exceptions import ClientError

from local.cloud import LocalCloud, vendor_parameters
from local.processes import PROJECT
from local.sam import deploy
from tests.support.cloud import TIMEOUT_SECONDS

STACK = "numberdrop-deleted"
BUCKETS = ("UploadBucketName", "ResultsBucketName")


@pytest.fixture(scope="module")
def outputs(cloud: LocalCloud) -> Mapping[str, str]:
    """Deploy a stack, drop a file, and delete the stack; return what its outputs were."""
    outputs = deploy(
        cloud.aws,
        PROJECT / "template.yaml",
        stack=STACK,
        parameters=vendor_parameters(cloud.simulator),
        folder=cloud.folder,
    )
    for bucket in BUCKETS:
        cloud.aws.client("s3").put_object(Bucket=outputs[bucket], Key="band/", Body=b"")
    formation = cloud.aws.client("cloudformation")
    formation.delete_stack(StackName=STACK)
    end = time.monotonic() + TIMEOUT_SECONDS
    while any(stack["StackName"] == STACK for stack in formation.describe_stacks()["Stacks"]):
        assert time.monotonic() < end
        time.sleep(0.5)
    return outputs


def test_a_deleted_stack_keeps_buckets_and_ledger(cloud: LocalCloud, outputs: Mapping[str, str]) -> None:
    buckets = {bucket["Name"] for bucket in cloud.aws.client("s3").list_buckets()["Buckets"]}
    assert buckets >= {outputs[bucket] for bucket in BUCKETS}
    assert outputs["JobsTableName"] in cloud.aws.client("dynamodb").list_tables()["TableNames"]
    functions = cloud.aws.client("lambda").get_paginator("list_functions").paginate()
    names = [function["FunctionName"] for page in functions for function in page["Functions"]]
    assert not [name for name in names if name.startswith(STACK)]
    machines = cloud.aws.client("stepfunctions").list_state_machines()["stateMachines"]
    assert outputs["StateMachineArn"] not in {machine["stateMachineArn"] for machine in machines}


def test_the_ledger_is_removed_after_its_protection(cloud: LocalCloud, outputs: Mapping[str, str]) -> None:
    dynamodb, table = cloud.aws.client("dynamodb"), outputs["JobsTableName"]
    with pytest.raises(ClientError, match="protected against deletion"):
        dynamodb.delete_table(TableName=table)
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=table)
    assert table not in dynamodb.list_tables()["TableNames"]


@pytest.mark.parametrize("output", BUCKETS)
def test_a_bucket_is_removed_after_all_its_versions(
    cloud: LocalCloud, outputs: Mapping[str, str], output: str
) -> None:
    s3, bucket = cloud.aws.client("s3"), outputs[output]
    s3.delete_object(Bucket=bucket, Key="band/")
    with pytest.raises(ClientError, match="not empty"):
        s3.delete_bucket(Bucket=bucket)
    listed = s3.list_object_versions(Bucket=bucket)
    for kind in ("Versions", "DeleteMarkers"):
        objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in listed[kind]]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    s3.delete_bucket(Bucket=bucket)
    assert bucket not in {each["Name"] for each in s3.list_buckets()["Buckets"]}
