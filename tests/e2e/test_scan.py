"""The checks of `make template` find the holes that matter, despite the exceptions in .checkov.yaml."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from local.processes import PROJECT, TOOLS
from tests.support.resolved_template import resolved

CHECKOV = {
    "CKV_AWS_21": (
        "VersioningConfiguration: { Status: Enabled }",
        "VersioningConfiguration: { Status: Suspended }",
    ),
    "CKV_AWS_28": ("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"),
    "CKV_AWS_53": ("BlockPublicAcls: true", "BlockPublicAcls: false"),
    "CKV_AWS_63": ("Action: dynamodb:GetItem", 'Action: "*"'),
    "CKV_AWS_107": ("Resource: !GetAtt ApiKeySecret.Id", 'Resource: "*"'),
}
CFN_LINT = {
    "E3030": ("Runtime: python3.13", "Runtime: python3.99"),
    "E3510": ("ForAllValues:StringEquals", "ForAllValues:StringsEqual"),
    "W3037": ("xray:PutTelemetryRecords", "xray:PutTelemetryRecord"),
}
"""The check that must find a change of the template from the first text to the second."""

KEY_CHECKS = {"CKV_AWS_26", "CKV_AWS_27", "CKV_AWS_119", "CKV_AWS_149", "CKV_AWS_158", "CKV_AWS_173"}
"""The checks for a customer managed key, which .checkov.yaml skips."""

SAM = TOOLS / "sam" / "bin"


@pytest.fixture(scope="module")
def expanded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the template with all holes, as CloudFormation receives it."""
    folder = tmp_path_factory.mktemp("scan")
    text = (PROJECT / "template.yaml").read_text("utf-8")
    for sound, hole in [*CHECKOV.values(), *CFN_LINT.values()]:
        assert sound in text
        text = text.replace(sound, hole)
    (folder / "template.yaml").write_text(text, "utf-8")
    transformed = _output([SAM / "python", PROJECT / "local" / "transform.py", folder / "template.yaml"])
    (folder / "cloudformation.yaml").write_text(transformed, "utf-8")
    return folder / "cloudformation.yaml"


@pytest.fixture(scope="module")
def found_by_checkov(expanded: Path) -> set[str]:
    options = f"--config-file {PROJECT / '.checkov.yaml'} --output json --soft-fail --file".split()
    report = json.loads(_output([TOOLS / "scan" / "bin" / "checkov", *options, expanded]))
    return {check["check_id"] for check in report["results"]["failed_checks"]}


@pytest.fixture(scope="module")
def found_by_cfn_lint(expanded: Path) -> set[str]:
    options = ["--regions", "us-east-1", "--format", "json", "--non-zero-exit-code", "none", "--"]
    return {finding["Rule"]["Id"] for finding in json.loads(_output([SAM / "cfn-lint", *options, expanded]))}


def test_with_a_customers_key_its_exceptions_are_not_needed(tmp_path: Path) -> None:
    transform = [SAM / "python", PROJECT / "local" / "transform.py", PROJECT / "template.yaml"]
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    parameters = {"KmsKeyArn": key, "AlarmEmail": "a@example.com", "RememberYesDays": "90"}
    deployed = resolved(yaml.safe_load(_output(transform)), **parameters)
    (tmp_path / "cloudformation.json").write_text(json.dumps(deployed), "utf-8")
    options = ["--check", ",".join(sorted(KEY_CHECKS)), "--framework", "cloudformation", "--skip-download"]
    file = ["--output", "json", "--soft-fail", "--file", "cloudformation.json"]
    # In another folder, checkov does not find the project's exceptions.
    report = json.loads(_output([TOOLS / "scan" / "bin" / "checkov", *options, *file], folder=tmp_path))
    assert report["results"]["failed_checks"] == []
    assert {check["check_id"] for check in report["results"]["passed_checks"]} == KEY_CHECKS


@pytest.mark.parametrize("check", CHECKOV)
def test_checkov_finds_a_hole_in_the_template(found_by_checkov: set[str], check: str) -> None:
    assert check in found_by_checkov


@pytest.mark.parametrize("check", CFN_LINT)
def test_cfn_lint_finds_a_hole_in_the_template(found_by_cfn_lint: set[str], check: str) -> None:
    assert check in found_by_cfn_lint


def _output(command: Sequence[str | Path], folder: Path = PROJECT) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, cwd=folder).stdout
