"""The examples for other accounts and for Slack, deployed to the local cloud as far as it goes."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.aws import REGION
from local.cloud import LocalCloud
from local.processes import PROJECT
from local.sam import deploy
from tests.support.bare_server import captured_request
from tests.support.cloud import emit

EXAMPLES = PROJECT / "examples"
ACCOUNT = "000000000000"
"""The account of the local cloud."""

OTHER_ACCOUNT = "222222222222"
"""The local cloud takes an access key of twelve digits for the root user of that account."""

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}'


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((PROJECT / f"events/samples/1/{name}.json").read_text("utf-8"))
    return event


def test_events_are_forwarded_to_the_bus_of_the_receiver(cloud: LocalCloud) -> None:
    """Both stacks are in one account: the local cloud forwards to no other."""
    receiver = deploy(
        cloud.aws,
        EXAMPLES / "forwarder" / "receiver.yaml",
        stack="numberdrop-receiver",
        parameters={"SenderAccountId": ACCOUNT},
        folder=cloud.folder,
    )
    deploy(
        cloud.aws,
        EXAMPLES / "forwarder" / "template.yaml",
        stack="numberdrop-forwarder",
        parameters={"EventBusName": cloud.outputs["EventBusName"], "TargetBusArn": receiver["BusArn"]},
        folder=cloud.folder,
    )

    event = sample("needs_attention")
    emit(cloud, event)

    received = cloud.aws.client("sqs").receive_message(
        QueueUrl=receiver["EventsQueueUrl"], WaitTimeSeconds=10
    )
    (message,) = received["Messages"]
    assert json.loads(message["Body"])["detail"] == event["detail"]


def of_the_other_account(cloud: LocalCloud) -> Any:
    session: Any = boto3.Session(OTHER_ACCOUNT, "test", region_name=REGION)
    return session.client("s3", endpoint_url=cloud.aws.endpoint, verify=str(cloud.aws.ca_file))


def test_another_account_may_only_drop_into_its_folder(cloud: LocalCloud) -> None:
    outputs = deploy(
        cloud.aws,
        EXAMPLES / "dropper" / "template.yaml",
        stack="numberdrop-dropper",
        parameters={
            "DropperAccountId": OTHER_ACCOUNT,
            "Folder": "band/partner",
            "ResultsBucketName": cloud.outputs["ResultsBucketName"],
        },
        folder=cloud.folder,
    )
    bucket, s3 = outputs["UploadBucketName"], of_the_other_account(cloud)

    s3.put_object(Bucket=bucket, Key="band/partner/leads.txt", Body=b"+447700900001\n")

    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="band/leads.txt", Body=b"+447700900001\n")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=bucket, Key="band/partner/leads.txt")
    own = cloud.aws.client("s3")
    stored = own.get_object(Bucket=bucket, Key="band/partner/leads.txt")["Body"].read()
    assert stored == b"+447700900001\n"


def test_the_role_for_results_reads_only_its_folder(cloud: LocalCloud) -> None:
    iam = cloud.aws.client("iam")
    described = cloud.aws.client("cloudformation").describe_stack_resource(
        StackName="numberdrop-dropper", LogicalResourceId="ResultsReaderRole"
    )
    role = described["StackResourceDetail"]["PhysicalResourceId"]
    results = cloud.outputs["ResultsBucketName"]

    def decision(key: str) -> str:
        (evaluated,) = iam.simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            ActionNames=["s3:GetObject"],
            ResourceArns=[f"arn:aws:s3:::{results}/{key}"],
        )["EvaluationResults"]
        found: str = evaluated["EvalDecision"]
        return found

    assert decision("band/partner/leads.txt/0123/results.csv") == "allowed"
    assert decision("band/leads.txt/0123/results.csv") != "allowed"


@pytest.mark.parametrize("name", ["failed", "completed"])
def test_a_message_is_posted_to_slack(cloud: LocalCloud, name: str) -> None:
    """The local CloudFormation knows neither connections nor API destinations, so the test makes them."""
    events = cloud.aws.client("events")
    with captured_request(ANSWER) as captured:
        connection = events.create_connection(
            Name=f"slack-{name}",
            AuthorizationType="API_KEY",
            AuthParameters={
                "ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": "Bearer xoxb-test"}
            },
        )["ConnectionArn"]
        destination = events.create_api_destination(
            Name=f"slack-{name}",
            ConnectionArn=connection,
            InvocationEndpoint=f"{captured.url}/api/chat.postMessage",
            HttpMethod="POST",
        )["ApiDestinationArn"]
        deploy(
            cloud.aws,
            EXAMPLES / "slack" / "template.yaml",
            stack=f"numberdrop-slack-{name}",
            parameters={
                "EventBusName": cloud.outputs["EventBusName"],
                "Channel": "C0123456789",
                "ExistingDestinationArn": destination,
            },
            folder=cloud.folder,
        )
        event = sample(name)
        if name == "failed":
            event["detail"]["reason"]["message"] = 'The vendor says "no". Ask the vendor.'
        emit(cloud, event)
        request = captured.request

    message = json.loads(request.body)
    fields = {field["title"]: field["value"] for field in message["attachments"][0]["fields"]}
    assert request.line.startswith("POST /api/chat.postMessage")
    assert request.headers["authorization"] == "Bearer xoxb-test"
    assert (message["channel"], message["text"]) == ("C0123456789", event["detail-type"])
    assert fields["File"] == event["detail"]["upload"]["key"]
    if name == "failed":
        assert fields["Reason"] == "TASK_FAILED"
        assert fields["What happened, and what to do"] == 'The vendor says "no". Ask the vendor.'
    else:
        assert fields["Resolved"] == event["detail"]["counts"]["resolved"]
