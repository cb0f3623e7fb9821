"""Command line: on which stack, in which account and region it works."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError

from numberdrop_cli.errors import RefusedError
from numberdrop_cli.place import Place, chosen_place
from numberdrop_cli.samconfig import SavedPlace, saved_place
from tests.support.command_line import SENDING, CommandLine

GUIDED = """\
version = 0.1

[default.global.parameters]
stack_name = "numberdrop"
region = "us-east-1"

[default.deploy.parameters]
stack_name = "checks"
region = "eu-west-1"
profile = "company"
parameter_overrides = "SubmitConcurrency=\\"5\\""

[prod.global.parameters]
stack_name = "numberdrop-prod"
"""
"""What ``sam deploy --guided`` leaves after the stack was called ``checks``."""

YAML = """\
version: 0.1
default:
  global: {parameters: {stack_name: numberdrop, region: us-east-1}}
  deploy:
    parameters: &deploy
      stack_name: on
      region: eu-west-1
prod:
  deploy:
    parameters:
      <<: *deploy
      stack_name: 'numberdrop-prod'
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, and forget settings of the shell."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write(folder: Path, text: str, name: str = "samconfig.toml") -> None:
    (folder / name).write_text(text, encoding="utf-8")


# What the SAM CLI saved


def test_the_answers_of_a_guided_deployment_win(folder: Path) -> None:
    write(folder, GUIDED)
    assert saved_place() == SavedPlace("checks", "eu-west-1", "company")


def test_another_environment_can_be_read(folder: Path) -> None:
    write(folder, GUIDED)
    assert saved_place(environment="prod") == SavedPlace("numberdrop-prod", None, None)


def test_another_file_can_be_read(folder: Path) -> None:
    write(folder, GUIDED)
    write(folder, "[default.deploy.parameters]\nstack_name = 'other'", "other.toml")
    assert saved_place(config_file="other.toml").stack_name == "other"
    assert saved_place(config_file=str(folder / "other.toml")).stack_name == "other"


@pytest.mark.parametrize("ending", ["yaml", "yml"])
def test_a_yaml_file_is_read_as_text(folder: Path, ending: str) -> None:
    write(folder, YAML, f"samconfig.{ending}")
    assert saved_place() == SavedPlace("on", "eu-west-1", None)
    assert saved_place(environment="prod") == SavedPlace("numberdrop-prod", "eu-west-1", None)


def test_toml_wins_over_yaml(folder: Path) -> None:
    write(folder, GUIDED)
    write(folder, YAML, "samconfig.yaml")
    assert saved_place().stack_name == "checks"


@pytest.mark.parametrize(
    "text", ["", "default = 1", "default.deploy = 1", "[default.deploy.parameters]", "[prod.global]"]
)
def test_a_file_without_a_name_means_the_default_stack(folder: Path, text: str) -> None:
    write(folder, text)
    assert chosen_place(settings={}) == Place("numberdrop", None, None)


def test_an_empty_yaml_file_means_the_default_stack(folder: Path) -> None:
    write(folder, "# nothing", "samconfig.yaml")
    assert chosen_place(settings={}).stack_name == "numberdrop"


def test_a_byte_order_mark_is_skipped(folder: Path) -> None:
    write(folder, '\N{BYTE ORDER MARK}[default.global.parameters]\nstack_name = "other"\n')
    assert saved_place().stack_name == "other"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("samconfig.toml", b"no toml"),
        ("samconfig.toml", b"\xff"),
        ("samconfig.toml", b"x = " + b"[" * 5000 + b"]" * 5000),
        ("samconfig.toml", b"default.default = {"),
        ("samconfig.toml", b"[default.global.parameters]\nstack_name = 5"),
        ("samconfig.toml", b"[default.global.parameters]\nregion = ''"),
        ("samconfig.toml", b"[default.deploy.parameters]\nprofile = ['company']"),
        ("samconfig.yaml", b"a: [b"),
        ("samconfig.yaml", b"default: {deploy: {parameters: {stack_name: }}}"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused(
    run: CommandLine, folder: Path, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)
    result = run("jobs")
    assert result.exit_code == 1
    assert name in result.stderr
    assert result.stderr.endswith("Correct it, or name another file with --config-file.\n")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("make", [a_folder, a_loop])
def test_a_file_that_cannot_be_opened_is_refused(
    run: CommandLine, folder: Path, make: Callable[[Path], None]
) -> None:
    make(folder / "samconfig.toml")
    result = run("jobs")
    assert result.exit_code == 1
    assert "samconfig.toml cannot be read" in result.stderr


def test_a_missing_environment_is_refused(folder: Path) -> None:
    with pytest.raises(RefusedError, match="'prod': this folder has no"):
        saved_place(environment="prod")
    write(folder, GUIDED)
    with pytest.raises(RefusedError, match="has no environment 'test'"):
        saved_place(environment="test")


def test_a_missing_file_is_refused(folder: Path) -> None:
    with pytest.raises(RefusedError, match=r"There is no file other\.toml"):
        saved_place(config_file="other.toml")


# What wins


def test_an_empty_variable_is_not_a_region() -> None:
    assert chosen_place(settings={"AWS_REGION": ""}).region is None


def test_options_win_over_the_file(folder: Path) -> None:
    write(folder, GUIDED)
    assert chosen_place(stack="other", settings={}) == Place("other", "eu-west-1", "company")
    assert chosen_place(aws_region="eu-north-1", settings={}).region == "eu-north-1"
    assert chosen_place(profile="mine", settings={}).profile == "mine"


def test_the_file_wins_over_the_environment(folder: Path) -> None:
    write(folder, GUIDED)
    assert chosen_place(settings={"AWS_REGION": "us-west-2", "AWS_PROFILE": "mine"}) == Place(
        "checks", "eu-west-1", "company"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_the_file_does_not_apply_to_the_local_cloud(folder: Path, host: str) -> None:
    write(folder, GUIDED)
    settings = {"AWS_ENDPOINT_URL": f"http://{host}:4566", "AWS_REGION": "us-east-1"}
    assert chosen_place(settings=settings) == Place("numberdrop", "us-east-1", None)
    assert chosen_place(environment="prod", settings=settings).stack_name == "numberdrop-prod"


@pytest.mark.parametrize("url", ["https://vpce.example.com", "nonsense", "http://[", ""])
def test_the_file_applies_to_every_other_endpoint(folder: Path, url: str) -> None:
    write(folder, GUIDED)
    assert chosen_place(settings={"AWS_ENDPOINT_URL": url}).stack_name == "checks"


def test_the_session_uses_the_saved_region_and_profile(
    run: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, GUIDED)
    sessions: list[dict[str, Any]] = []

    def session(**settings: Any) -> Any:
        sessions.append(settings)
        return boto3.DEFAULT_SESSION

    monkeypatch.setattr(boto3, "Session", session)
    assert "There is no stack 'checks'" in run("jobs").stderr
    assert "There is no stack 'numberdrop-prod'" in run("--config-env", "prod", "jobs").stderr
    assert sessions[0] == {"region_name": "eu-west-1", "profile_name": "company"}


# What is said


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_send_names_the_stack_before_it_sends(run: CommandLine, more: list[str]) -> None:
    result = run("send", "leads.txt", "--checker", "band", *more)
    assert result.stderr == SENDING
    assert all(json.loads(line) for line in result.stdout.splitlines() if more)


def test_a_missing_stack_is_reported_even_without_an_account(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise BotoCoreError

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refused)
    result = run("--stack", "another", "jobs")
    assert "There is no stack 'another' in us-east-1, account unknown." in result.stderr
