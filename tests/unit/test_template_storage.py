"""Buckets, ledger and queues of the template keep what they must keep, and nothing longer."""

from datetime import timedelta

import pytest

from numberdrop.memory.merging import FULL_MERGE
from numberdrop.memory.stamps import ERASURE_LIFE
from numberdrop.steps.status_check import LONGEST_PROGRESS
from tests.support.template import own_variables, resources, template

FUNCTIONS = resources("AWS::Serverless::Function")
BUCKETS = resources("AWS::S3::Bucket")


# Storage


def test_only_the_memory_is_not_versioned() -> None:
    """What is erased must be gone."""
    versioned = {name for name, bucket in BUCKETS.items() if "VersioningConfiguration" in bucket}
    assert versioned == {"UploadBucket", "ResultsBucket"} == BUCKETS.keys() - {"MemoryBucket"}
    assert all(BUCKETS[name]["VersioningConfiguration"] == {"Status": "Enabled"} for name in versioned)


@pytest.mark.parametrize("name", BUCKETS)
def test_every_bucket_is_private_and_encrypted(name: str) -> None:
    bucket = BUCKETS[name]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@pytest.mark.parametrize("name", ["UploadBucket", "ResultsBucket"])
def test_every_bucket_expires_versions_and_unfinished_uploads(name: str) -> None:
    rules = BUCKETS[name]["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    combined = {action: value for rule in rules for action, value in rule.items()}
    assert combined["ExpirationInDays"] == {"Ref": "RetentionDays"}
    assert combined["NoncurrentVersionExpiration"]["NoncurrentDays"] in {15, 38}
    assert combined["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] <= 7


def test_a_bucket_belongs_to_one_stack() -> None:
    """CloudFormation cannot create a second parameter of one name, and no event is received before it."""
    owner = resources("AWS::SSM::Parameter")["UploadBucketOwner"]
    name, variables = owner["Name"]["Sub"]
    assert name == "/numberdrop/upload-buckets/${Bucket}"
    assert variables["Bucket"] == own_variables("SubmitFunction")["UPLOAD_BUCKET"]
    assert template()["Resources"]["UploadRule"]["DependsOn"] == "UploadBucketOwner"


def test_fences_are_kept_for_good() -> None:
    """Fences are empty. A filter by size excludes some actions, which another rule has."""
    expiring, tidying = BUCKETS["ResultsBucket"]["LifecycleConfiguration"]["Rules"]
    assert expiring["ObjectSizeGreaterThan"] == "1"
    assert not {"ExpiredObjectDeleteMarker", "AbortIncompleteMultipartUpload"} & expiring.keys()
    assert not {"ExpirationInDays", "NoncurrentVersionExpiration"} & tidying.keys()


@pytest.mark.parametrize("name", BUCKETS)
def test_every_bucket_requires_tls(name: str) -> None:
    (policy,) = (p for p in resources("AWS::S3::BucketPolicy").values() if p["Bucket"] == {"Ref": name})
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [{"GetAtt": f"{name}.Arn"}, {"Sub": f"${{{name}.Arn}}/*"}]


def test_a_replaced_upload_outlives_its_longest_job() -> None:
    (rule,) = BUCKETS["UploadBucket"]["LifecycleConfiguration"]["Rules"]
    longest_hours = template()["Parameters"]["JobTimeoutHours"]["MaxValue"]
    longest = timedelta(hours=longest_hours) + LONGEST_PROGRESS
    assert timedelta(days=rule["NoncurrentVersionExpiration"]["NoncurrentDays"]) > longest


def test_the_ledger_outlives_the_stack() -> None:
    """With RetainExceptOnCreate, a failed creation could not delete the protected table."""
    table = template()["Resources"]["JobsTable"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.parametrize("name", [*BUCKETS, *(f"{name}Policy" for name in BUCKETS)])
def test_data_and_its_protection_outlive_the_stack(name: str) -> None:
    """A stack whose creation fails leaves nothing behind."""
    resource = template()["Resources"][name]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


# The verdict memory


def test_nothing_of_the_memory_exists_while_it_is_off() -> None:
    mentions = {
        name: resource.get("Condition")
        for name, resource in template()["Resources"].items()
        if name.startswith(("Memory", "Compact")) or name.endswith("MemoryPolicy")
    }
    assert mentions.pop("CompactKeyPolicy") == "HasKmsKeyAndMemory"
    assert len(mentions) == 11
    assert set(mentions.values()) == {"RemembersVerdicts"}
    assert {output["Condition"] for name, output in template()["Outputs"].items() if "Memory" in name} == {
        "RemembersVerdicts"
    }
    assert all(
        template()["Parameters"][name]["Default"] == 0 for name in ("RememberYesDays", "RememberNoDays")
    )


def test_recalled_answers_outlive_the_job_that_needs_them() -> None:
    retention = template()["Parameters"]["RetentionDays"]["AllowedValues"]
    longest_hours = template()["Parameters"]["JobTimeoutHours"]["MaxValue"]
    longest = timedelta(hours=longest_hours) + LONGEST_PROGRESS
    kept = {int(days): entry["Days"] for days, entry in template()["Mappings"]["RecalledDays"].items()}
    assert list(kept) == retention
    assert all(timedelta(days=kept[days] - days) > longest for days in retention)
    rules = {rule.get("Prefix"): rule for rule in BUCKETS["MemoryBucket"]["LifecycleConfiguration"]["Rules"]}
    assert rules["recalled/"]["ExpirationInDays"] == {
        "FindInMap": ["RecalledDays", {"Ref": "RetentionDays"}, "Days"]
    }


def test_runs_are_deleted_after_erasures_have_expired() -> None:
    rules = {rule.get("Prefix"): rule for rule in BUCKETS["MemoryBucket"]["LifecycleConfiguration"]["Rules"]}
    assert timedelta(days=rules["runs/"]["ExpirationInDays"]) > timedelta(days=ERASURE_LIFE) + FULL_MERGE


def test_the_key_of_the_memory_fits_its_hash() -> None:
    generated = resources("AWS::SecretsManager::Secret")["MemoryKeySecret"]["GenerateSecretString"]
    assert generated == {"PasswordLength": 64, "ExcludePunctuation": True}


def test_checks_that_may_fail_come_before_the_ledger() -> None:
    """A failed creation leaves the protected table behind."""
    table = template()["Resources"]["JobsTable"]
    assert set(table["DependsOn"]) == {"UploadBucketOwner", "AttentionRule"}


def test_ledger_items_never_expire() -> None:
    (table,) = resources("AWS::DynamoDB::Table").values()
    assert "TimeToLiveSpecification" not in table
    assert table["DeletionProtectionEnabled"] is True
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["KeySchema"] == [{"AttributeName": "job_id", "KeyType": "HASH"}]


# Receiving uploads


def test_a_message_stays_hidden_for_six_function_timeouts() -> None:
    queue = resources("AWS::SQS::Queue")["UploadQueue"]
    assert queue["VisibilityTimeout"] >= 6 * FUNCTIONS["SubmitFunction"]["Timeout"]


def test_a_message_that_keeps_failing_raises_an_alarm() -> None:
    queue = resources("AWS::SQS::Queue")["UploadQueue"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"GetAtt": "DeadLetterQueue.Arn"}
    assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
    alarm = resources("AWS::CloudWatch::Alarm")["DeadLetterAlarm"]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"GetAtt": "DeadLetterQueue.QueueName"}}]


def test_queues_are_encrypted_and_keep_messages_for_two_weeks() -> None:
    for queue in resources("AWS::SQS::Queue").values():
        assert queue["SqsManagedSseEnabled"] == {"If": ["HasKmsKey", {"Ref": "AWS::NoValue"}, True]}
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_submit_may_send_itself_any_number_of_messages() -> None:
    """Lambda would stop a function that has sent itself sixteen messages in a row."""
    assert FUNCTIONS["SubmitFunction"]["RecursiveLoop"] == "Allow"


def test_concurrent_submissions_are_limited_by_the_parameter() -> None:
    (mapping,) = resources("AWS::Lambda::EventSourceMapping").values()
    assert mapping["BatchSize"] == 1
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "SubmitConcurrency"}}


def test_failed_messages_do_not_slow_down_the_queue() -> None:
    """Without this setting, Lambda would delete the messages that the function names as failed."""
    (mapping,) = resources("AWS::Lambda::EventSourceMapping").values()
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert template()["Parameters"]["SubmitConcurrency"]["MinValue"] == 2


@pytest.mark.parametrize("queue", resources("AWS::SQS::Queue"))
def test_only_the_upload_rule_may_send_to_a_queue(queue: str) -> None:
    """Each queue has a policy of its own, which names no other queue."""
    (policy,) = (p for p in resources("AWS::SQS::QueuePolicy").values() if {"Ref": queue} in p["Queues"])
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert policy["Queues"] == [{"Ref": queue}]
    assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", {"GetAtt": f"{queue}.Arn"})
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"GetAtt": "UploadRule.Arn"}}}


def test_a_policy_of_both_queues_is_updated_before_its_successor() -> None:
    """An update of the older, common policy may take the policy of the dead-letter queue away."""
    assert template()["Resources"]["DeadLetterQueuePolicy"]["DependsOn"] == "UploadQueuesPolicy"
