"""What each option changes in the deployed template; all are off by default."""

import json
import re
from typing import Any

import pytest

from numberdrop.aws.ledger import MONTH_INDEX
from tests.support.resolved_template import ABSENT, changes, deployed
from tests.support.template import PROJECT, actions, key_statements, resources, template

FUNCTION_ROLES = {f"{name.removesuffix('Function')}Role" for name in resources("AWS::Serverless::Function")}
DEPLOYED_ROLES = FUNCTION_ROLES - {"CompactRole"}  # which comes with the verdict memory


# A VPC


def test_a_vpc_changes_only_functions_and_their_rights() -> None:
    changed = changes(VpcSubnetIds="subnet-1,subnet-2", VpcSecurityGroupIds="sg-1")
    network = changed.pop("NetworkPolicy")
    assert changed.pop("Globals.Function.VpcConfig") == {
        "SubnetIds": {"Split": [",", {"Ref": "VpcSubnetIds"}]},
        "SecurityGroupIds": {"Split": [",", {"Ref": "VpcSecurityGroupIds"}]},
    }
    assert changed == {
        f"{role}.Properties.ManagedPolicyArns": [{"Ref": "NetworkPolicy"}] for role in DEPLOYED_ROLES
    }
    (statement,) = network["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ]


def test_the_memorys_function_joins_the_vpc_too() -> None:
    with_memory = deployed(RememberYesDays="90", VpcSubnetIds="subnet-1", VpcSecurityGroupIds="sg-1")
    assert with_memory["CompactRole"]["Properties"]["ManagedPolicyArns"] == [{"Ref": "NetworkPolicy"}]


def test_subnets_without_security_groups_fail_to_deploy() -> None:
    """Otherwise the functions would silently run outside the VPC."""
    rule = template()["Rules"]["SubnetsNeedSecurityGroups"]
    subnets, groups = {"Ref": "VpcSubnetIds"}, {"Ref": "VpcSecurityGroupIds"}
    assert rule["RuleCondition"] == {"Not": [{"Equals": [subnets, groups]}]}
    assert rule["Assertions"][0]["Assert"] == {
        "Not": [{"Or": [{"Equals": [subnets, ""]}, {"Equals": [groups, ""]}]}]
    }


@pytest.mark.parametrize(
    ("ids", "allowed"),
    [
        ("", True),
        ("subnet-0a1b2c", True),
        ("subnet-0a1b2c,subnet-3d4e5f", True),
        ("subnet-0a1b2c, subnet-3d4e5f", False),
        ("subnet-0a1b2c,", False),
        ("sg-0a1b2c", False),
    ],
)
def test_subnets_have_commas_between_them(ids: str, allowed: bool) -> None:
    assert bool(re.search(template()["Parameters"]["VpcSubnetIds"]["AllowedPattern"], ids)) is allowed


def test_functions_run_outside_a_vpc_by_default() -> None:
    assert "VpcConfig" not in deployed()["Globals"]["Function"]
    assert "NetworkPolicy" not in deployed()


# A proxy


def test_a_proxy_is_set_only_for_functions_that_call_the_vendor() -> None:
    assert changes(HttpsProxy="http://proxy.example:3128") == {}
    with_proxy = {
        name
        for name, function in resources("AWS::Serverless::Function").items()
        if function.get("Environment", {}).get("Variables", {}).get("VENDOR_PROXY") == {"Ref": "HttpsProxy"}
    }
    assert with_proxy == {"SubmitFunction", "CheckStatusFunction", "CollectFunction"}


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"])
def test_no_variable_sends_calls_to_aws_through_the_proxy(variable: str) -> None:
    assert f"{variable}:" not in str(deployed())
    assert f"'{variable}'" not in str(deployed())


@pytest.mark.parametrize(
    ("proxy", "allowed"),
    [
        ("", True),
        ("http://proxy.example:3128", True),
        ("http://10.0.0.7", True),
        ("https://proxy.example", False),
        ("http://user:password@proxy.example", False),
        ("proxy.example:3128", False),
        ("http://proxy.example/path", False),
    ],
)
def test_a_proxy_has_no_password_and_no_path(proxy: str, allowed: bool) -> None:
    pattern = template()["Parameters"]["HttpsProxy"]["AllowedPattern"]
    assert bool(re.search(pattern, proxy)) is allowed


def test_what_is_absent_is_named_as_such() -> None:
    assert changes(ExistingUploadBucket="mine")["UploadBucket"] == ABSENT


# A key of the customer

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
ITS_KEY = {"Ref": "KmsKeyArn"}
DECRYPTED = {
    "SubmitRole": {"s3", "sqs", "secretsmanager", "dynamodb", "lambda"},
    "CheckStatusRole": {"secretsmanager", "dynamodb", "lambda"},
    "CollectRole": {"s3", "secretsmanager", "dynamodb", "lambda"},
    "RecordFailureRole": {"dynamodb", "lambda"},
    "ReconcileRole": {"s3", "sqs", "dynamodb", "lambda"},
    "AuditRole": {"dynamodb", "lambda"},
    "CompactRole": {"s3", "lambda"},
}
"""The services through which each role may decrypt."""

ENCRYPTED = {
    "SubmitRole": {"s3", "sqs"},
    "CollectRole": {"s3"},
    "RecordFailureRole": {"s3"},
    "ReconcileRole": {"s3", "sqs"},
    "CompactRole": {"s3"},
}
"""The services through which each role may encrypt what is new."""


def with_key() -> dict[str, Any]:
    return deployed(KmsKeyArn=KEY, AlarmEmail="a@example.com", RememberYesDays="90")


def test_everything_that_is_stored_is_under_the_customers_key() -> None:
    by_type: dict[str, list[Any]] = {}
    for resource in with_key().values():
        by_type.setdefault(resource.get("Type", ""), []).append(resource.get("Properties", {}))
    for bucket in by_type["AWS::S3::Bucket"]:
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        expected = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": ITS_KEY}
        assert (rule["ServerSideEncryptionByDefault"], rule["BucketKeyEnabled"]) == (expected, True)
    (table,) = by_type["AWS::DynamoDB::Table"]
    assert table["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": ITS_KEY}
    for queue in by_type["AWS::SQS::Queue"]:
        assert queue["KmsMasterKeyId"] == ITS_KEY
        assert "SqsManagedSseEnabled" not in queue
    (topic,) = by_type["AWS::SNS::Topic"]
    assert topic["KmsMasterKeyId"] == ITS_KEY
    for other in (*by_type["AWS::SecretsManager::Secret"], *by_type["AWS::Logs::LogGroup"]):
        assert other["KmsKeyId"] == ITS_KEY
    assert with_key()["Globals"]["Function"]["KmsKeyArn"] == ITS_KEY
    assert len(by_type["AWS::S3::Bucket"]) == 3
    assert len(by_type["AWS::Logs::LogGroup"]) == len(FUNCTION_ROLES)


@pytest.mark.parametrize("role", sorted(FUNCTION_ROLES))
def test_each_role_may_use_the_key_only_for_what_it_does(role: str) -> None:
    granted: dict[str, set[str]] = {}
    for statement in key_statements(role):
        assert statement["Resource"] == ITS_KEY
        services = statement["Condition"]["StringEquals"]["kms:ViaService"]
        granted[statement["Action"]] = {service["Sub"].partition(".")[0] for service in services}
    expected = {"kms:Decrypt": DECRYPTED[role], "kms:GenerateDataKey": ENCRYPTED.get(role, set())}
    assert granted == {action: services for action, services in expected.items() if services}


def test_a_role_that_uses_a_service_may_use_the_key_through_it() -> None:
    """What a role may do decides what it needs the key for."""
    needed = {
        "kms:Decrypt": {
            "s3": {"s3:GetObject"},
            "sqs": {"sqs:ReceiveMessage", "sqs:SendMessage"},
            "secretsmanager": {"secretsmanager:GetSecretValue"},
            "dynamodb": {"dynamodb:GetItem"},
        },
        "kms:GenerateDataKey": {"s3": {"s3:PutObject"}, "sqs": {"sqs:SendMessage"}},
    }
    for role in FUNCTION_ROLES:
        for action, services in needed.items():
            for service, used in services.items():
                granted = DECRYPTED if action == "kms:Decrypt" else ENCRYPTED
                assert bool(used & actions(role)) is (service in granted.get(role, set())), (role, service)


def test_the_key_policy_of_the_page_names_every_service() -> None:
    page = (PROJECT / "docs" / "security.md").read_text("utf-8")
    policy = json.loads(page.split("```json\n")[1].split("```")[0])
    named = json.dumps(policy)
    for principal in ("events.amazonaws.com", "cloudwatch.amazonaws.com", "logs.<region>.amazonaws.com"):
        assert f'"{principal}"' in named
    assert "dynamodb.<region>.amazonaws.com" in named


def test_keys_of_aws_are_used_by_default() -> None:
    """The scan cannot see this, because checkov does not resolve the condition."""
    assert "KmsKeyArn" not in json.dumps(deployed())
    buckets = [r["Properties"] for r in deployed().values() if r.get("Type") == "AWS::S3::Bucket"]
    assert buckets
    for bucket in buckets:
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


# Logs


def test_logs_can_be_kept_for_another_time_than_data() -> None:
    logs = {f"{role.removesuffix('Role')}Logs" for role in DEPLOYED_ROLES}
    assert changes(LogRetentionDays="400") == {
        f"{name}.Properties.RetentionInDays.Ref": "LogRetentionDays" for name in logs
    }
    assert {
        resource["Properties"]["RetentionInDays"]["Ref"]
        for resource in deployed().values()
        if resource.get("Type") == "AWS::Logs::LogGroup"
    } == {"RetentionDays"}


def test_all_functions_have_the_log_level() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_LOG_LEVEL"] == {"Ref": "LogLevel"}
    assert template()["Parameters"]["LogLevel"]["Default"] == "INFO"


# The index of all jobs


def index_names(**parameters: str) -> list[str]:
    table = deployed(**parameters)["JobsTable"]["Properties"]
    return [index["IndexName"] for index in table["GlobalSecondaryIndexes"]]


def test_the_index_of_all_jobs_can_be_left_out() -> None:
    """CloudFormation adds one index at a time, and a stack of version 0.1.0 lacks two."""
    assert index_names() == ["unsettled", "unsettled_jobs", MONTH_INDEX]
    assert index_names(IndexJobsByMonth="false") == ["unsettled", "unsettled_jobs"]


@pytest.mark.parametrize("wanted", ["true", "false"])
def test_every_defined_attribute_is_a_key(wanted: str) -> None:
    """DynamoDB refuses a table with other attribute definitions (API reference, "CreateTable")."""
    table = deployed(IndexJobsByMonth=wanted)["JobsTable"]["Properties"]
    keys = [table["KeySchema"], *(index["KeySchema"] for index in table["GlobalSecondaryIndexes"])]
    defined = [attribute["AttributeName"] for attribute in table["AttributeDefinitions"]]
    assert len(defined) == len(set(defined))
    assert set(defined) == {key["AttributeName"] for schema in keys for key in schema}
