"""A stack is deleted: everything that runs is gone, and what was paid for stays."""

import time

from local.cloud import LocalCloud, vendor_parameters
from local.processes import PROJECT
from local.sam import deploy
from tests.support.cloud import TIMEOUT_SECONDS

STACK = "numberdrop-deleted"


def test_a_deleted_stack_keeps_buckets_and_ledger(cloud: LocalCloud) -> None:
    outputs = deploy(
        cloud.aws,
        PROJECT / "template.yaml",
        stack=STACK,
        parameters=vendor_parameters(cloud.simulator),
        folder=cloud.folder,
    )
    kept = [outputs["UploadBucketName"], outputs["ResultsBucketName"]]
    formation = cloud.aws.client("cloudformation")

    formation.delete_stack(StackName=STACK)
    end = time.monotonic() + TIMEOUT_SECONDS
    while any(stack["StackName"] == STACK for stack in formation.describe_stacks()["Stacks"]):
        assert time.monotonic() < end
        time.sleep(0.5)

    buckets = {bucket["Name"] for bucket in cloud.aws.client("s3").list_buckets()["Buckets"]}
    assert buckets >= set(kept)
    assert outputs["JobsTableName"] in cloud.aws.client("dynamodb").list_tables()["TableNames"]
    functions = cloud.aws.client("lambda").get_paginator("list_functions").paginate()
    names = [function["FunctionName"] for page in functions for function in page["Functions"]]
    assert not [name for name in names if name.startswith(STACK)]
    machines = cloud.aws.client("stepfunctions").list_state_machines()["stateMachines"]
    assert outputs["StateMachineArn"] not in {machine["stateMachineArn"] for machine in machines}
