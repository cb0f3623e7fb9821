"""A stack with the options that banks ask for: their own key, a VPC, and other times and levels of logs.

The local cloud encrypts nothing, checks no key policy and has no networks. It leaves out the encryption of
buckets and tables and the network of functions; tests/unit/test_template_options.py looks at those.
"""

from collections.abc import Mapping

import pytest

from local.cloud import LocalCloud, vendor_parameters
from local.processes import PROJECT
from local.sam import deploy
from tests.support.cloud import Bucket, Inbox

STACK = "numberdrop-bank"


@pytest.fixture(scope="module")
def key(cloud: LocalCloud) -> str:
    created = cloud.aws.client("kms").create_key(Description="The bank's key")
    return str(created["KeyMetadata"]["Arn"])


@pytest.fixture(scope="module")
def network(cloud: LocalCloud) -> dict[str, str]:
    ec2 = cloud.aws.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.create_security_group(
        GroupName="functions", Description="The functions", VpcId=subnet["VpcId"]
    )
    return {"VpcSubnetIds": subnet["SubnetId"], "VpcSecurityGroupIds": group["GroupId"]}


@pytest.fixture(scope="module")
def names(cloud: LocalCloud, key: str, network: Mapping[str, str]) -> dict[str, str]:
    """Deploy the stack; return its physical names by logical name."""
    options = {
        "KmsKeyArn": key,
        "LogLevel": "WARNING",
        "LogRetentionDays": "400",
        "RememberYesDays": "90",
        "EventSchemaVersion": "2",
        "AlarmEmail": "operations@bank.example",
    }
    deploy(
        cloud.aws,
        PROJECT / "template.yaml",
        stack=STACK,
        parameters={**vendor_parameters(cloud.simulator), **network, **options},
        folder=cloud.folder,
    )
    pages = cloud.aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
    }


def test_a_file_is_checked_with_all_options(
    cloud: LocalCloud, inbox: Inbox, names: Mapping[str, str]
) -> None:
    Bucket(cloud, names["UploadBucket"]).drop("band/bank.txt", "+447700900600\n+447700900601\n")

    (event,) = inbox.wait_for("band/bank.txt")

    assert event["detail-type"] == "Number Check Completed"
    assert event["detail"]["results"]["bucket"] == names["ResultsBucket"]


def test_queues_secrets_and_logs_are_under_the_key(
    cloud: LocalCloud, names: Mapping[str, str], key: str
) -> None:
    aws = cloud.aws
    for queue in ("UploadQueue", "DeadLetterQueue"):
        attributes = aws.client("sqs").get_queue_attributes(QueueUrl=names[queue], AttributeNames=["All"])
        assert attributes["Attributes"]["KmsMasterKeyId"] == key
    for secret in ("ApiKeySecret", "MemoryKeySecret"):
        described = aws.client("secretsmanager").describe_secret(SecretId=names[secret])
        assert described["KmsKeyId"] == key
    (group,) = aws.client("logs").describe_log_groups(logGroupNamePrefix=names["SubmitLogs"])["logGroups"]
    assert (group["kmsKeyId"], group["retentionInDays"]) == (key, 400)


def test_functions_have_the_log_level(cloud: LocalCloud, names: Mapping[str, str]) -> None:
    functions = [name for name in names if name.endswith("Function")]
    assert len(functions) == 7
    for function in functions:
        described = cloud.aws.client("lambda").get_function_configuration(FunctionName=names[function])
        assert described["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == "WARNING"


def test_roles_get_the_rights_for_key_and_network(cloud: LocalCloud, names: Mapping[str, str]) -> None:
    iam = cloud.aws.client("iam")
    attached = iam.list_attached_role_policies(RoleName=names["SubmitRole"])["AttachedPolicies"]
    assert {policy["PolicyArn"] for policy in attached} == {names["NetworkPolicy"], names["SubmitKeyPolicy"]}
