"""The template keeps the contract, and its functions get what their code reads."""

import ast
import re
from dataclasses import fields
from typing import Any

import pytest

from numberdrop.settings import (
    AuditSettings,
    CheckStatusSettings,
    CollectSettings,
    CompactSettings,
    MemorySettings,
    ReconcileSettings,
    RecordFailureSettings,
    Settings,
    SubmitSettings,
)
from tests.support.template import PROJECT, listed, own_variables, resources, statements, template

PARAMETERS = {
    "EkycproApiKey",
    "EkycproUserId",
    "EkycproBaseUrl",
    "ResultHosts",
    "ExistingUploadBucket",
    "DefaultRegion",
    "EventBusName",
    "EventSchemaVersion",
    "RememberYesDays",
    "RememberNoDays",
    "RetentionDays",
    "PermissionsBoundary",
    "KmsKeyArn",
    "LogLevel",
    "LogRetentionDays",
    "VpcSubnetIds",
    "VpcSecurityGroupIds",
    "HttpsProxy",
    "RegisterSchemas",
    "IndexJobsByMonth",
    "JobTimeoutHours",
    "LowBalanceUsd",
    "MaxUsdPerUpload",
    "MaxWaitSeconds",
    "SubmitConcurrency",
    "AlarmEmail",
    "AlarmTopicArn",
    "Notify",
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
    "MemoryBucketName",
    "MemoryKeySecretArn",
    "ApiKeySecretArn",
    "AlarmTopicArn",
    "DashboardUrl",
}
SETTINGS: dict[str, tuple[type[Settings], ...]] = {
    "SubmitFunction": (SubmitSettings, MemorySettings),
    "CheckStatusFunction": (CheckStatusSettings,),
    "CollectFunction": (CollectSettings, MemorySettings),
    "RecordFailureFunction": (RecordFailureSettings,),
    "ReconcileFunction": (ReconcileSettings,),
    "AuditFunction": (AuditSettings,),
    "CompactFunction": (CompactSettings,),
}

FUNCTIONS = resources("AWS::Serverless::Function")


def variables_read_by(function: str) -> set[str]:
    return {field.name.upper() for kind in SETTINGS[function] for field in fields(kind)}


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
        ("Notify", "attention"),
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


# Functions


def test_every_function_is_tested_here() -> None:
    assert FUNCTIONS.keys() == SETTINGS.keys()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_functions_variables_match_its_settings(name: str) -> None:
    wanted = variables_read_by(name)
    assert own_variables(name).keys() <= wanted <= own_variables(name).keys() | shared_variables().keys()


def test_shared_variables_are_read_by_most_functions() -> None:
    read = (name for name in shared_variables() if not name.startswith("POWERTOOLS_"))
    for variable in read:
        readers = [name for name in SETTINGS if variable in variables_read_by(name)]
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
    assert resources("AWS::Logs::LogGroup")[f"{own}Logs"]["RetentionInDays"] == {
        "If": ["HasLogRetention", {"Ref": "LogRetentionDays"}, {"Ref": "RetentionDays"}]
    }
