"""A second stack whose uploads come from an existing bucket."""

import pytest

from local.cloud import LocalCloud, vendor_parameters
from local.processes import PROJECT, LocalCloudError
from local.sam import deploy
from tests.support.cloud import Bucket, Inbox

NAME = "a-bucket-of-my-own"


@pytest.fixture(scope="module")
def bucket(cloud: LocalCloud) -> Bucket:
    """Create a bucket without versioning that sends its events to EventBridge, as the docs say."""
    s3 = cloud.aws.client("s3")
    s3.create_bucket(Bucket=NAME)
    s3.put_bucket_notification_configuration(
        Bucket=NAME, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return Bucket(cloud, NAME)


@pytest.fixture(scope="module")
def outputs(cloud: LocalCloud, bucket: Bucket) -> dict[str, str]:
    return deploy(
        cloud.aws,
        PROJECT / "template.yaml",
        stack="numberdrop-existing",
        parameters={**vendor_parameters(cloud.simulator), "ExistingUploadBucket": bucket.name},
        folder=cloud.folder,
    )


def test_the_stack_creates_no_upload_bucket(cloud: LocalCloud, outputs: dict[str, str]) -> None:
    resources = cloud.aws.client("cloudformation").describe_stack_resources(StackName="numberdrop-existing")

    created = {resource["LogicalResourceId"] for resource in resources["StackResources"]}

    assert outputs["UploadBucketName"] == NAME
    assert "ResultsBucket" in created
    assert "UploadBucket" not in created


def test_a_file_in_an_existing_bucket_is_checked(
    inbox: Inbox, bucket: Bucket, outputs: dict[str, str]
) -> None:
    bucket.drop("band/numbers.txt", "+447700900500\n+447700900501\n")

    (event,) = inbox.wait_for("band/numbers.txt")

    assert event["detail-type"] == "Number Check Completed"
    assert event["detail"]["upload"]["bucket"] == NAME
    assert event["detail"]["upload"]["version_id"] is None
    assert event["detail"]["results"]["bucket"] == outputs["ResultsBucketName"]


def test_an_overwrite_without_versioning_is_a_new_job(
    inbox: Inbox, bucket: Bucket, outputs: dict[str, str]
) -> None:
    bucket.drop("band/again.txt", "+447700900500\n")
    inbox.wait_for("band/again.txt")
    bucket.drop("band/again.txt", "+447700900500\n+447700900502\n")

    first, second = inbox.wait_for("band/again.txt", count=2)

    assert outputs["UploadBucketName"] == NAME
    assert first["detail"]["job_id"] != second["detail"]["job_id"]
    assert second["detail"]["counts"]["submitted"] == 2


def test_a_second_stack_on_a_bucket_fails_to_deploy(cloud: LocalCloud, outputs: dict[str, str]) -> None:
    """Each stack has a ledger of its own, so both would pay for every file."""
    taken = outputs["UploadBucketName"]

    with pytest.raises(LocalCloudError):
        deploy(
            cloud.aws,
            PROJECT / "template.yaml",
            stack="numberdrop-second",
            parameters={**vendor_parameters(cloud.simulator), "ExistingUploadBucket": taken},
            folder=cloud.folder,
        )

    owner = cloud.aws.client("ssm").get_parameter(Name=f"/numberdrop/upload-buckets/{taken}")
    assert owner["Parameter"]["Value"] == "numberdrop-existing"
    rules = cloud.aws.client("events").list_rules(NamePrefix="numberdrop-second")["Rules"]
    assert rules == []
    tables = cloud.aws.client("dynamodb").list_tables()["TableNames"]
    assert [name for name in tables if name.startswith("numberdrop-second")] == []
