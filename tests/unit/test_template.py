"""The template keeps the contract and grants each role only what it needs."""

import ast
import json
import re
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from numberdrop.settings import (
    AuditSettings,
    CheckStatusSettings,
    CollectSettings,
    LedgerSettings,
    ReconcileSettings,
    Settings,
    SubmitSettings,
)
from numberdrop.steps.status_check import LONGEST_PROGRESS
from tests.support.template import PROJECT, resources, template

PARAMETERS = {
    "EkycproApiKey",
    "EkycproUserId",
    "EkycproBaseUrl",
    "ResultHosts",
    "ExistingUploadBucket",
    "DefaultRegion",
    "EventBusName",
    "EventSchemaVersion",
    "RetentionDays",
    "PermissionsBoundary",
    "RegisterSchemas",
    "JobTimeoutHours",
    "MaxUsdPerUpload",
    "MaxWaitSeconds",
    "SubmitConcurrency",
    "AlarmEmail",
    "AllowSensitiveCheckers",
    "AllowedTaskTypes",
    "Architecture",
}
OUTPUTS = {
    "UploadBucketName",
    "ResultsBucketName",
    "EventBusName",
    "JobsTableName",
    "StateMachineArn",
    "UploadQueueUrl",
    "DeadLetterQueueUrl",
    "DashboardUrl",
}
SETTINGS: dict[str, type[Settings]] = {
    "SubmitFunction": SubmitSettings,
    "CheckStatusFunction": CheckStatusSettings,
    "CollectFunction": CollectSettings,
    "RecordFailureFunction": LedgerSettings,
    "ReconcileFunction": ReconcileSettings,
    "AuditFunction": AuditSettings,
}

FUNCTIONS = resources("AWS::Serverless::Function")
BUCKETS = resources("AWS::S3::Bucket")


def statements(role: str) -> list[dict[str, Any]]:
    policies = resources("AWS::IAM::Role")[role]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def statement_of(role: str, sid: str) -> dict[str, Any]:
    (found,) = (statement for statement in statements(role) if statement["Sid"] == sid)
    return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def actions(role: str) -> set[str]:
    return {action for statement in statements(role) for action in listed(statement["Action"])}


def own_variables(function: str) -> dict[str, Any]:
    own: dict[str, Any] = FUNCTIONS[function].get("Environment", {}).get("Variables", {})
    return own


def shared_variables() -> dict[str, Any]:
    shared: dict[str, Any] = template()["Globals"]["Function"]["Environment"]["Variables"]
    return shared


# The contract with people


def test_the_parameters_are_those_of_the_contract() -> None:
    assert template()["Parameters"].keys() == PARAMETERS


def test_the_outputs_are_those_of_the_contract() -> None:
    assert template()["Outputs"].keys() == OUTPUTS


@pytest.mark.parametrize("section", ["Parameters", "Outputs"])
def test_every_parameter_and_output_is_described(section: str) -> None:
    for name, entry in template()[section].items():
        assert len(entry.get("Description", "")) > 20, name


def test_every_parameter_is_in_a_group_of_the_console() -> None:
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)


def test_only_the_api_key_has_no_default_and_it_is_hidden() -> None:
    without_default = {
        name for name, parameter in template()["Parameters"].items() if "Default" not in parameter
    }
    assert without_default == {"EkycproApiKey"}
    assert template()["Parameters"]["EkycproApiKey"]["NoEcho"] is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EkycproBaseUrl", "https://api.ekycpro.com"),
        ("EventBusName", "default"),
        ("ExistingUploadBucket", ""),
        ("DefaultRegion", ""),
        ("AllowSensitiveCheckers", "false"),
        ("AllowedTaskTypes", ""),
        ("Architecture", "arm64"),
        ("AlarmEmail", ""),
    ],
)
def test_defaults_are_those_of_the_contract(name: str, value: str) -> None:
    assert template()["Parameters"][name]["Default"] == value


def test_every_default_is_an_allowed_value() -> None:
    for parameter in template()["Parameters"].values():
        if "Default" not in parameter:
            continue
        default = parameter["Default"]
        assert default in parameter.get("AllowedValues", [default])
        assert re.search(parameter.get("AllowedPattern", ""), str(default))
        assert parameter.get("MinValue", default) <= default <= parameter.get("MaxValue", default)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://api.ekycpro.com", True),
        ("https://api.checknumber.ai:8443", True),
        ("http://127.0.0.1:4000", True),
        ("http://localhost", True),
        ("http://api.ekycpro.com", False),
        ("https://api.ekycpro.com/v1", False),
        ("https://user@api.ekycpro.com", False),
        ("http://127.0.0.1.example", False),
        ("", False),
    ],
)
def test_the_base_url_is_https_or_local(url: str, allowed: bool) -> None:
    pattern = template()["Parameters"]["EkycproBaseUrl"]["AllowedPattern"]
    assert bool(re.search(pattern, url)) is allowed


# Storage


@pytest.mark.parametrize("name", BUCKETS)
def test_every_bucket_is_private_encrypted_and_versioned(name: str) -> None:
    bucket = BUCKETS[name]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@pytest.mark.parametrize("name", BUCKETS)
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


@pytest.mark.parametrize("name", [*BUCKETS, "UploadBucketPolicy", "ResultsBucketPolicy"])
def test_data_and_its_protection_outlive_the_stack(name: str) -> None:
    """A stack whose creation fails leaves nothing behind."""
    resource = template()["Resources"][name]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


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
        assert queue["SqsManagedSseEnabled"] is True
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


def test_only_the_upload_rule_may_send_to_the_queues() -> None:
    (policy,) = resources("AWS::SQS::QueuePolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"GetAtt": "UploadRule.Arn"}}}


# Functions


def test_every_function_is_tested_here() -> None:
    assert FUNCTIONS.keys() == SETTINGS.keys()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_functions_variables_match_its_settings(name: str) -> None:
    wanted = {field.name.upper() for field in fields(SETTINGS[name])}
    assert own_variables(name).keys() <= wanted <= own_variables(name).keys() | shared_variables().keys()


def test_shared_variables_are_read_by_most_functions() -> None:
    for variable in shared_variables().keys() - {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}:
        readers = [n for n, kind in SETTINGS.items() if variable.lower() in {f.name for f in fields(kind)}]
        assert len(readers) > len(SETTINGS) / 2


@pytest.mark.parametrize("name", SETTINGS)
def test_the_handler_of_every_function_exists(name: str) -> None:
    code = PROJECT / FUNCTIONS[name]["CodeUri"] / "app.py"
    defined = {
        node.name for node in ast.parse(code.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)
    }
    assert "handler" in defined
    assert template()["Globals"]["Function"]["Handler"] == "app.handler"


def test_the_layer_is_compiled_for_the_functions_runtime() -> None:
    runtime = template()["Globals"]["Function"]["Runtime"]
    makefile = (PROJECT / "layers" / "shared" / "Makefile").read_text("utf-8")
    assert re.findall(r"^LAMBDA_PYTHON \?= (.+)$", makefile, re.MULTILINE) == [runtime.removeprefix("python")]
    assert resources("AWS::Serverless::LayerVersion")["SharedLayer"]["CompatibleRuntimes"] == [runtime]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_function_has_its_own_role_and_log_group(name: str) -> None:
    own = name.removesuffix("Function")
    assert FUNCTIONS[name]["Role"] == {"GetAtt": f"{own}Role.Arn"}
    assert FUNCTIONS[name]["LoggingConfig"] == {"LogGroup": {"Ref": f"{own}Logs"}}
    written = [s["Resource"] for s in statements(f"{own}Role") if "logs:PutLogEvents" in listed(s["Action"])]
    assert written == [{"GetAtt": f"{own}Logs.Arn"}]
    assert resources("AWS::Logs::LogGroup")[f"{own}Logs"]["RetentionInDays"] == {"Ref": "RetentionDays"}


TRACING = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
}
"""The actions that write traces; X-Ray has no resource-level permissions."""


@pytest.mark.parametrize("role", resources("AWS::IAM::Role"))
def test_every_role_names_its_actions_and_resources(role: str) -> None:
    assert not resources("AWS::IAM::Role")[role].get("ManagedPolicyArns")
    for statement in statements(role):
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in listed(statement["Action"]))
        assert not {"NotAction", "NotResource"} & statement.keys()
        if statement["Resource"] == "*":
            assert set(listed(statement["Action"])) <= TRACING
            continue
        for resource in listed(statement["Resource"]):
            assert not re.search(r"^\*|::\*|arn:aws:", json.dumps(resource).strip('"'))


def test_record_failure_can_read_neither_the_key_nor_files() -> None:
    services = {action.partition(":")[0] for action in actions("RecordFailureRole")}
    assert services == {"dynamodb", "events", "logs", "xray"}
    assert own_variables("RecordFailureFunction") == {}


@pytest.mark.parametrize("role", ["RecordFailureRole", "ReconcileRole", "AuditRole"])
def test_repairing_roles_can_neither_spend_nor_read_files(role: str) -> None:
    reading = {"secretsmanager:GetSecretValue", "s3:GetObject", "s3:GetObjectVersion"}
    assert not reading & actions(role)
    assert not {"API_KEY_SECRET", "VENDOR_BASE_URL"} & own_variables(role.replace("Role", "Function")).keys()


@pytest.mark.parametrize("role", resources("AWS::IAM::Role"))
def test_no_role_can_delete_objects_or_secrets(role: str) -> None:
    deleting = {action for action in actions(role) if "Delete" in action}
    assert deleting <= {"sqs:DeleteMessage", "dynamodb:DeleteItem", "s3:DeleteObjectVersion"}


def test_submit_can_delete_and_write_only_fences() -> None:
    fences = statement_of("SubmitRole", "PutUpAndRemoveFences")
    assert fences["Resource"] == {"Sub": "${ResultsBucket.Arn}/armed/*"}
    assert roles_allowed_to("s3:DeleteObjectVersion") == {"SubmitRole"}
    assert roles_allowed_to("s3:PutObject") == {"SubmitRole", "CollectRole"}


def roles_allowed_to(action: str) -> set[str]:
    return {role for role in resources("AWS::IAM::Role") if action in actions(role)}


def test_only_submit_reads_the_queue() -> None:
    assert roles_allowed_to("sqs:ReceiveMessage") == {"SubmitRole"}
    assert roles_allowed_to("states:StartExecution") == {"SubmitRole", "ReconcileRole"}


def test_only_functions_that_call_the_vendor_read_the_key() -> None:
    assert roles_allowed_to("secretsmanager:GetSecretValue") == {
        "SubmitRole",
        "CheckStatusRole",
        "CollectRole",
    }


@pytest.mark.parametrize("role", resources("AWS::IAM::Role"))
def test_every_role_has_the_permissions_boundary(role: str) -> None:
    boundary = resources("AWS::IAM::Role")[role]["PermissionsBoundary"]["If"]
    assert boundary == ["HasPermissionsBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]


def test_check_status_can_only_extend_deadlines() -> None:
    ledger_actions = {action for action in actions("CheckStatusRole") if action.startswith("dynamodb:")}
    assert ledger_actions == {"dynamodb:GetItem", "dynamodb:UpdateItem"}
    writing = statement_of("CheckStatusRole", "ExtendDeadlines")
    assert writing["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["job_id", "deadline", "last_write"]}
    }


def test_only_collect_writes_results() -> None:
    resource = {"Sub": "${ResultsBucket.Arn}/*"}
    assert statement_of("CollectRole", "WriteResults")["Resource"] == resource
    assert roles_allowed_to("s3:PutObject") == {"CollectRole", "SubmitRole"}  # which writes only fences


def test_the_api_key_is_only_in_the_secret() -> None:
    assert json.dumps(template()["Resources"]).count('"EkycproApiKey"') == 1
    (secret,) = resources("AWS::SecretsManager::Secret").values()
    assert secret["SecretString"] == {"Ref": "EkycproApiKey"}


# E-mail


def test_a_missing_event_bus_fails_the_deployment() -> None:
    """EventBridge would accept events for it and drop them silently."""
    rule = template()["Resources"]["AttentionRule"]
    assert "Condition" not in rule
    assert rule["Properties"]["EventBusName"] == {"Ref": "EventBusName"}


@pytest.mark.parametrize("name", ["AttentionRule", "PaidFailureRule"])
def test_only_jobs_of_this_stack_are_e_mailed(name: str) -> None:
    pattern = resources("AWS::Events::Rule")[name]["EventPattern"]
    uploads = {"If": ["MakeUploadBucket", {"Ref": "UploadBucket"}, {"Ref": "ExistingUploadBucket"}]}
    assert pattern["source"] == ["numberdrop"]
    assert pattern["detail"]["upload"] == {"bucket": [uploads]}


def test_rules_publish_without_a_condition() -> None:
    (policy,) = resources("AWS::SNS::TopicPolicy").values()
    by_service = {s["Principal"]["Service"]: s for s in policy["PolicyDocument"]["Statement"]}
    assert "Condition" not in by_service["events.amazonaws.com"]
    assert "Condition" in by_service["cloudwatch.amazonaws.com"]


# Alarms

ALARMS = resources("AWS::CloudWatch::Alarm")


def test_a_silent_reconcile_function_raises_an_alarm() -> None:
    assert ALARMS["NotReconcilingAlarm"]["TreatMissingData"] == "breaching"
    (schedule,) = (
        rule["ScheduleExpression"]
        for name, rule in resources("AWS::Events::Rule").items()
        if name == "ReconcileSchedule"
    )
    assert schedule == "rate(3 minutes)"
    assert ALARMS["NotReconcilingAlarm"]["Period"] >= 5 * 180


def test_every_alarm_uses_a_metric_that_is_published() -> None:
    package = PROJECT / "layers" / "shared" / "numberdrop" / "metrics.py"
    measuring = package.read_text("utf-8") + (PROJECT / "functions" / "audit" / "app.py").read_text("utf-8")
    for alarm in ALARMS.values():
        if alarm["Namespace"] == "numberdrop":
            assert f'"{alarm["MetricName"]}"' in measuring


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_names_its_section_of_the_runbook(alarm: str) -> None:
    runbook = (PROJECT / "docs" / "runbook.md").read_text("utf-8")
    headings = set(re.findall(r"^#+ `?(.+?)`?$", runbook, re.MULTILINE))
    _, _, reference = ALARMS[alarm]["AlarmDescription"].partition("Runbook: ")

    named = re.findall(r'"([^"]+)"', reference)

    assert named
    assert set(named) <= headings
    assert f"| `{alarm}` |" in runbook


@pytest.mark.parametrize("alarm", ALARMS)
def test_every_alarm_is_e_mailed(alarm: str) -> None:
    assert ALARMS[alarm]["AlarmActions"]["If"][0] == "HasAlarmEmail"


def test_the_dashboard_shows_every_alarm() -> None:
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    body = dashboard["DashboardBody"]["Sub"]

    assert set(re.findall(r"\$\{(\w+Alarm)\.Arn\}", body)) == ALARMS.keys()


def test_the_dashboard_is_json() -> None:
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    body = dashboard["DashboardBody"]["Sub"]

    assert json.loads(body)["widgets"]
