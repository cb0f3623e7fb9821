"""Each role allows exactly what its function needs, on exactly the stack's own resources.

MiniStack enforces the functions' roles when they call a service, and the tests of the pipeline rely on
that. It does not check what AWS does on behalf of a role (polling the queue, invoking functions, writing
logs), so these tests check those permissions with its policy simulator.
"""

from collections.abc import Iterator, Mapping

import pytest

from local.cloud import STACK, LocalCloud

LEDGER = ("dynamodb:GetItem", "dynamodb:UpdateItem")
LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")

NEEDED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "SubmitRole": {
        "UploadQueue": (
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ChangeMessageVisibility",
            "sqs:SendMessage",
        ),
        "UploadBucket": ("s3:ListBucket", "s3:ListBucketVersions"),
        "UploadBucket objects": ("s3:GetObject", "s3:GetObjectVersion"),
        "ResultsBucket": ("s3:ListBucket",),
        "ResultsBucket fences": ("s3:PutObject", "s3:GetObject", "s3:DeleteObjectVersion"),
        "ResultsBucket failed.json": ("s3:PutObject",),
        "ResultsBucket failed.txt": ("s3:PutObject",),
        "JobsTable": (*LEDGER, "dynamodb:PutItem", "dynamodb:DeleteItem"),
        "ApiKeySecret": ("secretsmanager:GetSecretValue",),
        "StateMachine": ("states:StartExecution",),
        "event bus": ("events:PutEvents",),
        "SubmitLogs": LOGS,
        "traces": TRACES,
    },
    "StateMachineRole": {
        "CheckStatusFunction": ("lambda:InvokeFunction",),
        "CollectFunction": ("lambda:InvokeFunction",),
        "RecordFailureFunction": ("lambda:InvokeFunction",),
        "traces": (*TRACES, "xray:GetSamplingRules", "xray:GetSamplingTargets"),
    },
    "CheckStatusRole": {
        "JobsTable": LEDGER,
        "ApiKeySecret": ("secretsmanager:GetSecretValue",),
        "CheckStatusLogs": LOGS,
        "traces": TRACES,
    },
    "CollectRole": {
        "UploadBucket": ("s3:ListBucket", "s3:ListBucketVersions"),
        "UploadBucket objects": ("s3:GetObject", "s3:GetObjectVersion"),
        "ResultsBucket": ("s3:ListBucket",),
        "ResultsBucket objects": ("s3:PutObject",),
        "ResultsBucket failed.json": ("s3:DeleteObject",),
        "ResultsBucket failed.txt": ("s3:DeleteObject",),
        "JobsTable": LEDGER,
        "ApiKeySecret": ("secretsmanager:GetSecretValue",),
        "event bus": ("events:PutEvents",),
        "CollectLogs": LOGS,
        "traces": TRACES,
    },
    "ReconcileRole": {
        "JobsTable": (*LEDGER, "dynamodb:DeleteItem"),
        "JobsTable index": ("dynamodb:Query",),
        "StateMachine": ("states:StartExecution",),
        "executions": ("states:DescribeExecution",),
        "UploadQueue": ("sqs:SendMessage",),
        "ResultsBucket": ("s3:ListBucket",),
        "ResultsBucket fences": ("s3:GetObject",),
        "ResultsBucket failed.json": ("s3:PutObject",),
        "ResultsBucket failed.txt": ("s3:PutObject",),
        "event bus": ("events:PutEvents",),
        "ReconcileLogs": LOGS,
        "traces": TRACES,
    },
    "AuditRole": {
        "UploadBucket": ("s3:ListBucketVersions",),
        "JobsTable": (
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:DescribeTable",
            "dynamodb:PutItem",
        ),
        "AuditLogs": LOGS,
        "traces": TRACES,
    },
    "RecordFailureRole": {
        "JobsTable": LEDGER,
        "ResultsBucket failed.json": ("s3:PutObject",),
        "ResultsBucket failed.txt": ("s3:PutObject",),
        "event bus": ("events:PutEvents",),
        "RecordFailureLogs": LOGS,
        "traces": TRACES,
    },
}


def permissions() -> Iterator[tuple[str, str, str]]:
    for role, resources in NEEDED.items():
        for resource, actions in resources.items():
            for action in actions:
                yield role, resource, action


@pytest.fixture(scope="module")
def names(cloud: LocalCloud) -> dict[str, str]:
    """Return the stack's physical names by logical name."""
    pages = cloud.aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
    }


@pytest.fixture(scope="module")
def arns(cloud: LocalCloud, names: dict[str, str]) -> dict[str, str]:
    """Return the ARNs that the roles' policies must allow."""
    account = cloud.outputs["StateMachineArn"].split(":")[4]
    region = cloud.outputs["StateMachineArn"].split(":")[3]
    here = f"{region}:{account}"
    secret = cloud.aws.client("secretsmanager").describe_secret(SecretId=names["ApiKeySecret"])["ARN"]
    return {
        "UploadQueue": f"arn:aws:sqs:{here}:{cloud.outputs['UploadQueueUrl'].rpartition('/')[2]}",
        "UploadBucket": f"arn:aws:s3:::{names['UploadBucket']}",
        "UploadBucket objects": f"arn:aws:s3:::{names['UploadBucket']}/band/numbers.txt",
        "ResultsBucket": f"arn:aws:s3:::{names['ResultsBucket']}",
        "ResultsBucket objects": f"arn:aws:s3:::{names['ResultsBucket']}/band/numbers.txt",
        "ResultsBucket fences": f"arn:aws:s3:::{names['ResultsBucket']}/armed/{'0' * 64}",
        "ResultsBucket failed.json": f"arn:aws:s3:::{names['ResultsBucket']}/band/a.txt/0/failed.json",
        "ResultsBucket failed.txt": f"arn:aws:s3:::{names['ResultsBucket']}/band/a.txt/0/failed.txt",
        "JobsTable": f"arn:aws:dynamodb:{here}:table/{names['JobsTable']}",
        "JobsTable index": f"arn:aws:dynamodb:{here}:table/{names['JobsTable']}/index/unsettled_jobs",
        "ApiKeySecret": secret,
        "StateMachine": cloud.outputs["StateMachineArn"],
        "executions": cloud.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:") + ":any",
        "traces": "*",
        "event bus": f"arn:aws:events:{here}:event-bus/{cloud.outputs['EventBusName']}",
        **{
            name: f"arn:aws:lambda:{here}:function:{names[name]}"
            for name in names
            if name.endswith("Function")
        },
        **{
            name: f"arn:aws:logs:{here}:log-group:{names[name]}:log-stream:any"
            for name in names
            if name.endswith("Logs")
        },
    }


@pytest.mark.parametrize(("role", "resource", "action"), list(permissions()))
def test_a_role_allows_what_its_function_needs(
    role: str, resource: str, action: str, cloud: LocalCloud, names: dict[str, str], arns: dict[str, str]
) -> None:
    account = cloud.outputs["StateMachineArn"].split(":")[4]

    (evaluated,) = cloud.aws.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{account}:role/{names[role]}",
        ActionNames=[action],
        ResourceArns=[arns[resource]],
    )["EvaluationResults"]

    assert evaluated["EvalDecision"] == "allowed"


@pytest.mark.parametrize("role", NEEDED)
def test_a_role_allows_nothing_else(role: str, cloud: LocalCloud, names: dict[str, str]) -> None:
    iam = cloud.aws.client("iam")

    allowed: set[str] = set()
    for policy in iam.list_role_policies(RoleName=names[role])["PolicyNames"]:
        document = iam.get_role_policy(RoleName=names[role], PolicyName=policy)["PolicyDocument"]
        for statement in document["Statement"]:
            actions = statement["Action"]
            allowed |= {actions} if isinstance(actions, str) else set(actions)

    assert allowed == {action for named, _, action in permissions() if named == role}
    assert not iam.list_attached_role_policies(RoleName=names[role])["AttachedPolicies"]
