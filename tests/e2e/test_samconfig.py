"""The command finds the same stack as the SAM CLI. This needs no local cloud."""

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from numberdrop_cli.place import chosen_place
from tests.support.template import PROJECT

SAM_PYTHON = PROJECT / ".venv" / "sam" / "bin" / "python"

ASK_SAM = """
import json, sys
from samcli.cli.context import Context
from samcli.cli.main import cli as sam
from samcli.commands.deploy.command import cli as deploy

context = deploy.make_context("deploy", sys.argv[1:], parent=sam.make_context("sam", ["deploy"]))
session = context.ensure_object(Context)
place = {"stack_name": context.params["stack_name"], "region": session.region, "profile": session.profile}
print(json.dumps(place))
"""
"""Prints where ``sam deploy`` with these options would deploy to."""

PROFILES = "".join(f"[profile {name}]\nregion = us-west-1\n" for name in ("shared", "production", "mine"))

BOTH = """\
version = 0.1
[default.global.parameters]
stack_name = "numberdrop"
region = "us-east-1"
profile = "shared"
[default.deploy.parameters]
stack_name = "checks"
region = "eu-west-1"
[prod.global.parameters]
stack_name = "numberdrop-prod"
[prod.deploy.parameters]
profile = "production"
"""

YAML = """\
version: 0.1
default:
  global:
    parameters: &shared {stack_name: on, region: us-east-1}
  deploy:
    parameters:
      <<: *shared
      region: eu-west-1
prod:
  deploy: {parameters: {stack_name: 'yes'}}
"""


@pytest.mark.parametrize("environment", ["default", "prod"])
@pytest.mark.parametrize(
    "files",
    [
        {"samconfig.toml": BOTH},
        {"samconfig.yaml": YAML},
        {"samconfig.yml": YAML},
        {"samconfig.toml": BOTH, "samconfig.yaml": YAML},
        {"samconfig.yaml": YAML, "samconfig.yml": BOTH},
    ],
    ids=" ".join,
)
def test_the_command_works_where_the_sam_cli_deploys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], environment: str
) -> None:
    more = {"template.yaml": "Resources: {}", "profiles": PROFILES}
    for name, text in (files | more).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    settings = {
        "AWS_CONFIG_FILE": "profiles",
        "AWS_REGION": "us-west-2",
        "AWS_PROFILE": "mine",
        "SAM_CLI_TELEMETRY": "0",
    }
    options = ["--config-env", environment]
    sam = subprocess.run(
        [SAM_PYTHON, "-c", ASK_SAM, *options],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env=os.environ | settings,
        text=True,
    )
    monkeypatch.chdir(tmp_path)
    assert asdict(chosen_place(environment=environment, settings={})) == json.loads(sam.stdout)
