"""Each role of the template allows only what its function needs."""

import json
import re

import pytest

from numberdrop.aws.audit_progress import AUDIT_KEY
from tests.support.template import (
    actions,
    key_statements,
    listed,
    own_variables,
    resources,
    roles_allowed_to,
    statement_of,
    statements,
    template,
)

TRACING = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
}
"""The actions that write traces; X-Ray has no resource-level permissions."""


@pytest.mark.parametrize("role", resources("AWS::IAM::Role"))
def test_every_role_names_its_actions_and_resources(role: str) -> None:
    own = role.removesuffix("Role")
    optional = [("HasVpc", "NetworkPolicy"), ("HasKmsKey", f"{own}KeyPolicy")]
    managed = [{"If": [when, {"Ref": name}, {"Ref": "AWS::NoValue"}]} for when, name in optional]
    assert resources("AWS::IAM::Role")[role].get("ManagedPolicyArns", managed) == managed
    for statement in statements(role) + key_statements(role):
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in listed(statement["Action"]))
        assert not {"NotAction", "NotResource"} & statement.keys()
        if statement["Resource"] == "*":
            assert set(listed(statement["Action"])) <= TRACING
            continue
        for resource in listed(statement["Resource"]):
            assert not re.search(r"^\*|::\*|arn:aws:", json.dumps(resource).strip('"'))


def writable_by(role: str) -> list[object]:
    return [s["Resource"] for s in statements(role) if "s3:PutObject" in listed(s["Action"])]


FILES_OF_FAILED_JOBS = [
    {"Sub": "${ResultsBucket.Arn}/*/failed.json"},
    {"Sub": "${ResultsBucket.Arn}/*/failed.txt"},
]


FENCES = {"Sub": "${ResultsBucket.Arn}/armed/*"}


@pytest.mark.parametrize("role", ["RecordFailureRole", "ReconcileRole"])
def test_repairing_roles_can_only_write_files_of_failed_jobs(role: str) -> None:
    assert statement_of(role, "WriteFilesOfFailedJobs")["Resource"] == FILES_OF_FAILED_JOBS
    assert writable_by(role) == [FILES_OF_FAILED_JOBS]
    assert not {action for action in actions(role) if action.startswith("s3:Delete")}


def readable_by(role: str) -> list[object]:
    reading = {"s3:GetObject", "s3:GetObjectVersion"}
    return [s["Resource"] for s in statements(role) if reading & set(listed(s["Action"]))]


@pytest.mark.parametrize("role", ["RecordFailureRole", "ReconcileRole", "AuditRole"])
def test_repairing_roles_can_neither_spend_nor_read_files(role: str) -> None:
    assert readable_by(role) == ([FENCES] if role == "ReconcileRole" else [])
    assert "secretsmanager:GetSecretValue" not in actions(role)
    assert not {"API_KEY_SECRET", "VENDOR_BASE_URL"} & own_variables(role.replace("Role", "Function")).keys()


@pytest.mark.parametrize("role", resources("AWS::IAM::Role"))
def test_no_role_can_delete_objects_or_secrets(role: str) -> None:
    deleting = {action for action in actions(role) if "Delete" in action}
    allowed = {"sqs:DeleteMessage", "dynamodb:DeleteItem", "s3:DeleteObjectVersion"}
    removing = {"CompactRole", "CollectRole"}
    assert deleting <= allowed | ({"s3:DeleteObject"} if role in removing else set())


def test_only_collect_removes_files_of_failed_jobs() -> None:
    assert statement_of("CollectRole", "RemoveFilesOfFailedJobs")["Resource"] == FILES_OF_FAILED_JOBS


def test_submit_can_delete_and_write_only_fences_and_notes() -> None:
    fences = statement_of("SubmitRole", "PutUpAndRemoveFences")
    assert fences["Resource"] == FENCES
    assert roles_allowed_to("s3:DeleteObjectVersion") == {"SubmitRole"}
    assert writable_by("SubmitRole") == [
        FENCES,
        FILES_OF_FAILED_JOBS,
        {"Sub": "${MemoryBucket.Arn}/recalled/*"},
    ]


def test_the_audit_writes_only_its_progress() -> None:
    progress = statement_of("AuditRole", "StoreProgress")
    assert progress["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [AUDIT_KEY]}}
    assert "dynamodb:UpdateItem" not in actions("AuditRole")


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
    assert resource not in writable_by("SubmitRole")
    repairing = {"RecordFailureRole", "ReconcileRole"}
    assert roles_allowed_to("s3:PutObject") == {"CollectRole", "SubmitRole", "CompactRole"} | repairing


def test_the_api_key_is_only_in_the_secret() -> None:
    assert json.dumps(template()["Resources"]).count('"EkycproApiKey"') == 1
    secret = resources("AWS::SecretsManager::Secret")["ApiKeySecret"]
    assert secret["SecretString"] == {"Ref": "EkycproApiKey"}


def test_compact_has_neither_key_and_reads_only_runs() -> None:
    services = {action.partition(":")[0] for action in actions("CompactRole")}
    assert services == {"s3", "logs", "xray"}
    objects = statement_of("CompactRole", "MergeRuns")
    assert objects["Resource"] == {"Sub": "${MemoryBucket.Arn}/runs/*"}
    assert not {name for name in own_variables("CompactFunction") if "KEY" in name or "VENDOR" in name}


def test_only_submit_and_collect_read_the_memorys_key() -> None:
    readers = {
        role: [
            s["Resource"] for s in statements(role) if "secretsmanager:GetSecretValue" in listed(s["Action"])
        ]
        for role in resources("AWS::IAM::Role")
    }
    memory_key = {"GetAtt": "MemoryKeySecret.Id"}
    assert {role for role, secrets in readers.items() if memory_key in secrets} == {
        "SubmitRole",
        "CollectRole",
    }
