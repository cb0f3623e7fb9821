"""A linter reads every IAM policy as it is deployed: actions, ARNs and conditions must fit together.

cfn-lint, in `make template`, knows the names of actions. It cannot compare an action with an ARN that is only
known once the stack is deployed, such as an action on objects with the ARN of a bucket.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.cloud import LocalCloud
from local.processes import TOOLS
from tests.support.template import resources

ACCEPTED = {
    # The linter wants executions of both kinds, standard and express. This stack has standard ones only.
    ("RESOURCE_MISMATCH", "states:DescribeExecution"),
    # NetworkPolicy: Lambda's network interfaces do not exist yet.
    ("RESOURCE_STAR", "ec2:CreateNetworkInterface"),
    ("RESOURCE_STAR", "ec2:DeleteNetworkInterface"),
    ("RESOURCE_STAR", "ec2:AssignPrivateIpAddresses"),
    ("RESOURCE_STAR", "ec2:UnassignPrivateIpAddresses"),
}
"""Kinds of findings and their details."""

HOLES = {
    "a misspelt action": ('"dynamodb:GetItem"', '"dynamodb:GetItems"', "UNKNOWN_ACTION"),
    "an action of another resource": ('"s3:ListBucket"', '"s3:GetObjectVersion"', "RESOURCE_MISMATCH"),
    "an unknown condition": ("dynamodb:LeadingKeys", "dynamodb:LeadingKey", "UNKNOWN_CONDITION_FOR_ACTION"),
    "an unknown condition operator": ('"ArnEquals"', '"ArnEqual"', "UNKNOWN_OPERATOR"),
    "an unknown global condition": ("aws:SecureTransport", "aws:Secure", "UNKNOWN_CONDITION_FOR_ACTION"),
}
"""Changes of the policies from the first text to the second, and what must be found."""


OWNERS = (
    "AWS::IAM::Role",
    "AWS::IAM::ManagedPolicy",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
)


@pytest.fixture(scope="module")
def policies(cloud: LocalCloud, bank_stack: Mapping[str, str]) -> Mapping[str, str]:
    """Return every policy of the template that names resources, by the logical id of what has it."""
    return {
        f"{owner}{number}": json.dumps(document)
        for kind in OWNERS
        for owner in resources(kind)
        for number, document in enumerate(_documents(cloud, kind, bank_stack[owner]))
    }


def _documents(cloud: LocalCloud, kind: str, name: str) -> Iterator[dict[str, Any]]:
    iam = cloud.aws.client("iam")
    match kind:
        case "AWS::IAM::Role":
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                yield iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        case "AWS::IAM::ManagedPolicy":
            yield iam.get_policy_version(PolicyArn=name, VersionId="v1")["PolicyVersion"]["Document"]
        case "AWS::S3::Bucket":
            yield json.loads(cloud.aws.client("s3").get_bucket_policy(Bucket=name)["Policy"])
        case "AWS::SNS::Topic":
            topic = cloud.aws.client("sns").get_topic_attributes(TopicArn=name)
            yield json.loads(topic["Attributes"]["Policy"])
        case "AWS::SQS::Queue":
            queue = cloud.aws.client("sqs").get_queue_attributes(QueueUrl=name, AttributeNames=["Policy"])
            yield json.loads(queue["Attributes"]["Policy"])


def findings(policies: Mapping[str, str], folder: Path) -> set[tuple[str, str, str]]:
    """Return the findings of the linter: the policy, the kind, and the action or other detail."""
    for name, policy in policies.items():
        (folder / f"{name}.json").write_text(policy, encoding="utf-8")
    command = [str(TOOLS / "scan" / "bin" / "parliament"), "--directory", str(folder), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=False)
    assert done.returncode in {0, 1}
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert bool(found) == (done.returncode == 1)
    return {
        (Path(each["location"]["filepath"]).stem, each["issue"], detail)
        for each in found
        for detail in _details(each["detail"])
        if (each["issue"], detail) not in ACCEPTED
    }


def _details(detail: Any) -> list[str]:
    """Return the actions of a finding, or what else it is about."""
    if not isinstance(detail, list):
        return [str(detail)]
    return [each["action"] if isinstance(each, dict) else str(each) for each in detail]


def test_every_owner_has_a_policy(policies: Mapping[str, str]) -> None:
    owners = {name.rstrip("0123456789") for name in policies}
    assert owners == {name for kind in OWNERS for name in resources(kind)}


def test_the_linter_finds_nothing_in_any_policy(policies: Mapping[str, str], tmp_path: Path) -> None:
    assert findings(policies, tmp_path) == set()


@pytest.mark.parametrize("hole", HOLES)
def test_the_linter_finds(policies: Mapping[str, str], tmp_path: Path, hole: str) -> None:
    sound, wrong, kind = HOLES[hole]
    changed = {name: policy.replace(sound, wrong) for name, policy in policies.items() if sound in policy}

    found = findings(changed, tmp_path)

    assert changed
    assert {name for name, issue, _ in found if issue == kind} == changed.keys()
