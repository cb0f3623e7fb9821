"""End-to-end tests: the real template on one local cloud for the whole session."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import CloudOptions, LocalCloud, local_cloud, vendor_parameters
from local.event_tap import event_tap
from local.processes import PROJECT
from local.sam import deploy
from local.simulator import RemoteSimulator
from tests.support.cloud import BANK_STACK, MEMORY_STACK, Bucket, Inbox, close_breaker


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests on one worker, because they share a local cloud, and test_privacy.py last.

    This hook must run before the one of pytest-xdist, which reads the marker.
    """
    items.sort(key=lambda item: item.path.name == "test_privacy.py")
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("local cloud"))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    if "PYTEST_XDIST_WORKER" in os.environ:
        # All workers share this file, so starting a second local cloud fails. test_privacy.py must see
        # everything that the session left behind.
        (tmp_path_factory.getbasetemp().parent / "local cloud").touch(exist_ok=False)
    options = CloudOptions(wait_scale=0.05, simulator=("--duration", "2"), records_calls=True)
    with local_cloud(options) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def memory_stack(cloud: LocalCloud) -> dict[str, str]:
    """Deploy a second stack, which remembers verdicts; return its outputs."""
    lives = {"RememberYesDays": "90", "RememberNoDays": "30", "EventSchemaVersion": "2"}
    return deploy(
        cloud.aws,
        PROJECT / "template.yaml",
        stack=MEMORY_STACK,
        parameters={**vendor_parameters(cloud.simulator), **lives},
        folder=cloud.folder,
    )


@pytest.fixture(scope="session")
def bank_key(cloud: LocalCloud) -> str:
    created = cloud.aws.client("kms").create_key(Description="The bank's key")
    return str(created["KeyMetadata"]["Arn"])


@pytest.fixture(scope="session")
def bank_stack(cloud: LocalCloud, bank_key: str) -> dict[str, str]:
    """Deploy a stack with every optional resource; return its physical names by logical name."""
    ec2 = cloud.aws.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.create_security_group(
        GroupName="functions", Description="The functions", VpcId=subnet["VpcId"]
    )
    options = {
        "VpcSubnetIds": subnet["SubnetId"],
        "VpcSecurityGroupIds": group["GroupId"],
        "KmsKeyArn": bank_key,
        "LogLevel": "WARNING",
        "LogRetentionDays": "400",
        "RememberYesDays": "90",
        "EventSchemaVersion": "2",
        "AlarmEmail": "operations@bank.example",
    }
    deploy(
        cloud.aws,
        PROJECT / "template.yaml",
        stack=BANK_STACK,
        parameters={**vendor_parameters(cloud.simulator), **options},
        folder=cloud.folder,
    )
    pages = (
        cloud.aws.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=BANK_STACK)
    )
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
    }


@pytest.fixture(scope="session")
def inbox(cloud: LocalCloud) -> Iterator[Inbox]:
    with event_tap(cloud) as tap:
        yield Inbox(tap)


@pytest.fixture
def vendor(cloud: LocalCloud) -> Iterator[RemoteSimulator]:
    with RemoteSimulator(cloud.simulator) as control:
        yield control
        control.clear_faults()
        close_breaker(cloud, cloud.outputs["JobsTableName"])


@pytest.fixture
def uploads(cloud: LocalCloud) -> Bucket:
    return Bucket(cloud, cloud.outputs["UploadBucketName"])


@pytest.fixture
def results(cloud: LocalCloud) -> Bucket:
    return Bucket(cloud, cloud.outputs["ResultsBucketName"])
