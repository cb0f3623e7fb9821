"""The scan of `make template` finds the holes that matter, despite the exceptions in .checkov.yaml."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from local.processes import PROJECT, TOOLS

HOLES = {
    "CKV_AWS_19": ("SSEAlgorithm: AES256", "SSEAlgorithm: none"),
    "CKV_AWS_28": ("PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"),
    "CKV_AWS_53": ("BlockPublicAcls: true", "BlockPublicAcls: false"),
    "CKV_AWS_63": ("Action: dynamodb:GetItem", 'Action: "*"'),
    "CKV_AWS_107": ("Resource: !GetAtt ApiKeySecret.Id", 'Resource: "*"'),
}
"""The check of checkov that must find a change of the template from the first text to the second."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the checks that fail for a template with all holes."""
    folder = tmp_path_factory.mktemp("scan")
    text = (PROJECT / "template.yaml").read_text("utf-8")
    for sound, hole in HOLES.values():
        assert sound in text
        text = text.replace(sound, hole)
    (folder / "template.yaml").write_text(text, "utf-8")
    sam, checkov = TOOLS / "sam" / "bin" / "python", TOOLS / "scan" / "bin" / "checkov"

    transformed = _output([sam, PROJECT / "local" / "transform.py", folder / "template.yaml"])
    (folder / "cloudformation.yaml").write_text(transformed, "utf-8")
    options = f"--config-file {PROJECT / '.checkov.yaml'} --output json --soft-fail --file".split()
    report = json.loads(_output([checkov, *options, folder / "cloudformation.yaml"]))
    return {check["check_id"] for check in report["results"]["failed_checks"]}


@pytest.mark.parametrize("check", HOLES)
def test_the_scan_finds_a_hole_in_the_template(found: set[str], check: str) -> None:
    assert check in found


def _output(command: Sequence[str | Path]) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
