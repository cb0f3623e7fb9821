"""What each option changes in the deployed template; all are off by default."""

import re

import pytest

from tests.support.resolved_template import ABSENT, changes, deployed
from tests.support.template import resources, template

FUNCTION_ROLES = {f"{name.removesuffix('Function')}Role" for name in resources("AWS::Serverless::Function")}
DEPLOYED_ROLES = FUNCTION_ROLES - {"CompactRole"}  # which comes with the verdict memory


# A VPC


def test_a_vpc_changes_only_functions_and_their_rights() -> None:
    changed = changes(VpcSubnetIds="subnet-1,subnet-2", VpcSecurityGroupIds="sg-1")
    network = changed.pop("NetworkPolicy")
    assert changed.pop("Globals.Function.VpcConfig") == {
        "SubnetIds": {"Ref": "VpcSubnetIds"},
        "SecurityGroupIds": {"Ref": "VpcSecurityGroupIds"},
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
    with_memory = deployed(RememberYesDays="90", VpcSubnetIds="subnet-1")
    assert with_memory["CompactRole"]["Properties"]["ManagedPolicyArns"] == [{"Ref": "NetworkPolicy"}]


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
