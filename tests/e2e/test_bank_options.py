"""A stack with the options that banks ask for: their own key, a VPC, and other times and levels of logs.

The local cloud encrypts nothing, checks no key policy and has no networks. It leaves out the encryption of
buckets and tables and the network of functions; tests/unit/test_template_options.py looks at those.
"""

from collections.abc import Mapping

from local.cloud import LocalCloud
from tests.support.cloud import Bucket, Inbox


def test_a_file_is_checked_with_all_options(
    cloud: LocalCloud, inbox: Inbox, bank_stack: Mapping[str, str]
) -> None:
    Bucket(cloud, bank_stack["UploadBucket"]).drop("band/bank.txt", "+447700900600\n+447700900601\n")

    (event,) = inbox.wait_for("band/bank.txt")

    assert event["detail-type"] == "Number Check Completed"
    assert event["detail"]["results"]["bucket"] == bank_stack["ResultsBucket"]


def test_queues_secrets_and_logs_are_under_the_key(
    cloud: LocalCloud, bank_stack: Mapping[str, str], bank_key: str
) -> None:
    aws = cloud.aws
    for queue in ("UploadQueue", "DeadLetterQueue"):
        attributes = aws.client("sqs").get_queue_attributes(
            QueueUrl=bank_stack[queue], AttributeNames=["All"]
        )
        assert attributes["Attributes"]["KmsMasterKeyId"] == bank_key
    for secret in ("ApiKeySecret", "MemoryKeySecret"):
        described = aws.client("secretsmanager").describe_secret(SecretId=bank_stack[secret])
        assert described["KmsKeyId"] == bank_key
    (group,) = aws.client("logs").describe_log_groups(logGroupNamePrefix=bank_stack["SubmitLogs"])[
        "logGroups"
    ]
    assert (group["kmsKeyId"], group["retentionInDays"]) == (bank_key, 400)


def test_functions_have_the_log_level(cloud: LocalCloud, bank_stack: Mapping[str, str]) -> None:
    functions = [name for name in bank_stack if name.endswith("Function")]
    assert len(functions) == 7
    for function in functions:
        described = cloud.aws.client("lambda").get_function_configuration(FunctionName=bank_stack[function])
        assert described["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == "WARNING"


def test_roles_get_the_rights_for_key_and_network(cloud: LocalCloud, bank_stack: Mapping[str, str]) -> None:
    iam = cloud.aws.client("iam")
    attached = iam.list_attached_role_policies(RoleName=bank_stack["SubmitRole"])["AttachedPolicies"]
    assert {policy["PolicyArn"] for policy in attached} == {
        bank_stack["NetworkPolicy"],
        bank_stack["SubmitKeyPolicy"],
    }
