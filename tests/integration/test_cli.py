"""Command line: what `jobs` and `show` print, how the stack is found, and how errors are reported."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib import metadata
from io import StringIO
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.executions import Executions
from numberdrop.clock import utc_now
from numberdrop.jobs.breaker import Cause, OpenBreaker
from numberdrop.jobs.checkers import checkers
from numberdrop.jobs.job import StoredResults
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop_cli.aws_errors import explain
from numberdrop_cli.jobs_table import Summary
from numberdrop_cli.printing import print_job, print_summaries
from numberdrop_cli.version import version
from tests.support.command_line import CommandLine, json_output, numberdrop
from tests.support.jobs import NOON, TASK_ID, a_job
from tests.support.template import PROJECT

NUMBER = "+447700900123"


# jobs


def test_jobs_are_listed_one_per_line_oldest_first(run: CommandLine) -> None:
    late = run.put(State.FAILED, "band/late.txt", finished_at=NOON)
    early = run.put(State.CLAIMED, "band/early.txt")
    result = run("jobs")
    assert [line.split("\t") for line in result.stdout.splitlines()] == [
        [early.job_id[:12], "claimed", "-", "band/early.txt", "2026-03-04T11:50:00.000Z", "-"],
        [late.job_id[:12], "failed", "band", "band/late.txt", "2026-03-04T12:00:00.000Z", "TASK_FAILED"],
    ]
    assert (result.exit_code, result.stderr) == (0, "")


def test_jobs_of_one_state_are_listed(run: CommandLine) -> None:
    run.put(State.FAILED, "band/failed.txt")
    doubtful = run.put(State.IN_DOUBT, "band/doubtful.txt")
    listed = json_output(run("jobs", "--state", "in_doubt", "--json"))
    assert [job["job_id"] for job in listed["jobs"]] == [doubtful.job_id]


def test_json_has_everything_that_the_table_has(run: CommandLine) -> None:
    job = run.put(State.IN_DOUBT)
    listed = {
        "job_id": job.job_id,
        "state": "in_doubt",
        "checker": "band",
        "key": "band/leads.txt",
        "since": "2026-03-04T11:59:00.000Z",
        "reason": "SUBMISSION_IN_DOUBT",
        "created_at": "2026-03-04T11:50:00.000Z",
    }
    expected = {"line_stopped_by": None, "jobs": [listed], "has_more": False}
    assert json_output(run("jobs", "--json")) == expected


def test_an_open_circuit_breaker_is_reported_and_is_not_a_job(run: CommandLine) -> None:
    job = run.put(State.BLOCKED)
    CircuitBreaker(boto3.client("dynamodb"), run.account.jobs_table).open(OpenBreaker(holder=job.job_id))
    result = run("jobs")
    assert len(result.stdout.splitlines()) == 1
    assert "The circuit breaker is open" in result.stderr
    assert f"refused the file of job {job.job_id[:12]}," in result.stderr
    assert json_output(run("jobs", "--json"))["line_stopped_by"] == job.job_id


def test_an_outage_is_reported_as_such(run: CommandLine) -> None:
    job = run.put(State.IN_DOUBT)
    opened = OpenBreaker(holder=job.job_id, cause=Cause.OUTAGE)
    CircuitBreaker(boto3.client("dynamodb"), run.account.jobs_table).open(opened)
    assert "uploads wait until the vendor answers again" in run("jobs").stderr
    assert json_output(run("jobs", "--json"))["line_stopped_by"] == job.job_id


def test_without_jobs_the_listing_is_empty(run: CommandLine) -> None:
    assert (run("jobs").stdout, json_output(run("jobs", "--json"))["jobs"]) == ("", [])


def test_a_terminal_gets_a_table() -> None:
    screen = Console(file=StringIO(), force_terminal=True, width=120)
    summary = Summary("0" * 64, "failed", "band", "band/[bold]x.txt", "2026-03-04T12:00:00.000Z", None, "")
    print_summaries([summary], screen)
    assert isinstance(screen.file, StringIO)
    printed = screen.file.getvalue()
    assert "checker" in printed
    assert "band/[bold]x.txt" in printed


def on_a_terminal(summaries: list[Summary], width: int) -> list[str]:
    """Return the lines that a terminal of this width shows."""
    screen = Console(file=StringIO(), force_terminal=True, width=width, color_system=None)
    print_summaries(summaries, screen, NOON)
    assert isinstance(screen.file, StringIO)
    return screen.file.getvalue().splitlines()


@pytest.mark.parametrize("checker", sorted(checkers()))
def test_ids_and_checkers_are_not_cut_at_80_columns(checker: str) -> None:
    key = f"{checker}/sent/2026-03-04-120000-abcde/leads of the spring campaign.txt"
    job = Summary(
        "0123456789ab" * 5 + "0123", "submitting", checker, key, "2026-03-04T11:15:00.000Z", None, ""
    )
    other = replace(job, state="in_doubt", reason="SUBMISSION_IN_DOUBT")
    lines = on_a_terminal([job, other], 80)
    assert len(lines) == 3
    assert max(map(len, lines)) <= 80
    for line in lines[1:]:
        assert line.split()[0] == "0123456789ab"
        assert line.split()[2] == checker
        assert "45 min ago" in line
        assert "campaign.txt"[-4:] in line


def test_nothing_is_cut_if_there_is_room() -> None:
    job = Summary("0" * 64, "failed", "band", "band/leads.txt", "2026-03-04T12:00:00.000Z", "EMPTY_FILE", "")
    assert on_a_terminal([job], 80)[1] == "000000000000  failed  band     band/leads.txt  0 s ago  EMPTY_FILE"


def test_an_id_is_shown_whole_on_a_narrow_terminal() -> None:
    screen = Console(file=StringIO(), force_terminal=True, width=60, color_system=None)
    print_job({"job_id": "0" * 64, "execution": {"status": None, "forgotten": False}}, screen)
    assert isinstance(screen.file, StringIO)
    assert "0" * 64 in screen.file.getvalue()


def test_a_key_cannot_send_control_characters_to_a_terminal() -> None:
    screen = Console(file=StringIO(), force_terminal=True, width=120, color_system=None)
    execution = {"status": None, "forgotten": False}
    print_job({"upload": {"key": "band/\x1b]0;owned\x07\n.txt"}, "execution": execution}, screen)
    assert isinstance(screen.file, StringIO)
    printed = screen.file.getvalue()
    assert "upload.key" in printed
    assert "\x1b]" not in printed
    assert "\x07" not in printed


# show


def test_everything_about_a_job_is_shown(run: CommandLine) -> None:
    job = run.put(State.COMPLETED)
    lines = dict(line.split("\t") for line in run("show", job.job_id).stdout.splitlines())
    expected = {
        "job_id": job.job_id,
        "state": "completed",
        "task_id": TASK_ID,
        "charged": "true",
        "counts.verdicts.yes": "60",
        "upload.key": "band/leads.txt",
        "results.csv_key": "prefix/results.csv",
        "results.report_key": "prefix/report.html",
        "execution.name": f"{job.job_id}-1",
        "execution.status": "no longer known: AWS keeps executions for 90 days",
    }
    assert lines.items() >= expected.items()


@pytest.mark.parametrize(
    ("state", "days", "shown"),
    [
        (State.COMPLETED, 91, "no longer known: AWS keeps executions for 90 days"),
        (State.COMPLETED, 89, "never started"),
        (State.SUBMITTED, 91, "no longer known: AWS keeps executions for 90 days"),
        (State.IN_DOUBT, 91, "never started"),
        (State.BLOCKED, 91, "never started"),
    ],
)
def test_a_forgotten_execution_is_not_shown_as_never_started(
    run: CommandLine, state: State, days: int, shown: str
) -> None:
    then = utc_now() - timedelta(days=days)
    ended = None if state is State.SUBMITTED else then
    job = run.put(state, submitted_at=then if state is not State.IN_DOUBT else None, finished_at=ended)
    assert f"execution.status\t{shown}\n" in run("show", job.job_id).stdout
    execution = json_output(run("show", job.job_id, "--json"))["execution"]
    assert (execution["status"], execution["forgotten"]) == (None, shown != "never started")


def test_results_from_before_reports_are_shown_without_a_report(run: CommandLine) -> None:
    job = run.put(State.COMPLETED, results=StoredResults("results", "a.zip", "b.csv", "c.json"))
    assert json_output(run("show", job.job_id, "--json"))["results"]["report_key"] is None


def test_an_unknown_charge_is_shown_as_unknown(run: CommandLine) -> None:
    assert "charged\tunknown\n" in run("show", run.put(State.IN_DOUBT).job_id).stdout


@pytest.mark.parametrize("state", list(State))
def test_a_job_in_any_state_is_shown_as_json(run: CommandLine, state: State) -> None:
    job = run.put(state)
    shown = json_output(run("show", job.job_id, "--json"))
    assert (shown["state"], shown["execution"]["name"]) == (state, job.execution_name)


def test_an_execution_is_shown_with_its_status(run: CommandLine) -> None:
    job = run.put(State.SUBMITTED)
    Executions(boto3.client("stepfunctions"), run.account.state_machine).start(job)
    assert json_output(run("show", job.job_id, "--json"))["execution"]["status"] == "RUNNING"


@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_a_job_is_found_by_its_first_digits(run: CommandLine, change: Callable[[str], str]) -> None:
    job = run.put(State.SUBMITTED)
    assert json_output(run("show", change(job.job_id[:8]), "--json"))["job_id"] == job.job_id


def test_ambiguous_digits_are_refused(run: CommandLine) -> None:
    for ending in "01":
        run.account.put(replace(a_job(), job_id=("ab" * 32)[:-1] + ending))
    result = run("show", "abababab")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: 2 job ids begin with abababab. Give more digits.\n",
    )


@pytest.mark.parametrize("digits", ["0" * 8, "0" * 64])
def test_a_job_that_does_not_exist_is_refused(run: CommandLine, digits: str) -> None:
    result = run("show", digits)
    assert result.exit_code == 1
    assert digits in result.stderr


@pytest.mark.parametrize("digits", ["1234567", "0" * 65, "the line", "\N{ARABIC-INDIC DIGIT ONE}" * 8])
def test_an_invalid_job_id_is_a_usage_error(run: CommandLine, digits: str) -> None:
    assert run("show", digits).exit_code == 2


@pytest.mark.parametrize("command", [["jobs"], ["jobs", "--json"], ["show"], ["show", "--json"]])
def test_no_phone_number_is_printed(run: CommandLine, command: list[str]) -> None:
    job = run.put(
        State.FAILED,
        f"band/2026-03-04/{NUMBER}.txt",
        reason=Reason(ReasonCode.VENDOR_REJECTED, f"No: {NUMBER}."),
        evidence=f"I called {NUMBER}.",
        results=StoredResults(
            "results", f"{NUMBER}/a.zip", f"{NUMBER}/b.csv", f"{NUMBER}/c.json", f"{NUMBER}/d.html"
        ),
    )
    result = run(*command, *([job.job_id] if command[0] == "show" else []))
    assert result.exit_code == 0
    assert NUMBER[1:] not in result.output
    assert "band/2026-03-04/[digits].txt" in result.output


def test_the_job_id_in_a_results_key_is_not_masked(run: CommandLine) -> None:
    job = run.put(State.COMPLETED)
    folder, long_folder = f"{NUMBER}/{job.job_id[:12]}", f"band/{job.job_id}"
    keys = f"{folder}/a.zip", f"{folder}/b.csv", f"{long_folder}/c.json", f"{long_folder}/d.html"
    job = run.put(State.COMPLETED, results=StoredResults("results", *keys))
    shown = json.loads(run("show", job.job_id, "--json").stdout)["results"]
    assert shown["csv_key"] == f"[digits]/{job.job_id[:12]}/b.csv"
    assert shown["manifest_key"] == f"{long_folder}/c.json"


# Finding the stack


def test_another_stack_can_be_named(run: CommandLine) -> None:
    result = run("--stack", "another", "jobs")
    assert result.exit_code == 1
    assert "There is no stack 'another' in us-east-1, account 123456789012." in result.stderr


def test_a_stack_that_is_not_numberdrop_is_refused(run: CommandLine) -> None:
    del run.cloudformation.outputs["JobsTableName"]
    result = run("jobs")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: The stack 'numberdrop' has no JobsTableName, so it is not a numberdrop stack. "
        "Name another with --stack.\n",
    )


# Errors from AWS and its settings


def test_denied_access_is_reported(run: CommandLine) -> None:
    run.cloudformation.refusal = "AccessDenied"
    result = run("jobs")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: AWS refused the request. An error occurred (AccessDenied)")


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "403"])
def test_denied_access_points_to_the_list_of_permissions(code: str) -> None:
    denied = ClientError({"Error": {"Code": code, "Message": "no"}}, "HeadObject")
    assert "docs/command.md lists the permissions" in explain(denied)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "Could not connect"),
        ("AWS_ENDPOINT_URL", "nonsense", "Invalid endpoint"),
        ("AWS_PROFILE", "nobodys", "nobodys"),
        ("AWS_ACCESS_KEY_ID", None, "credentials. Log in, or give --profile."),
        ("AWS_DEFAULT_REGION", None, "region. Set AWS_REGION, or give --aws-region."),
        ("AWS_REGION", "", "Could not connect"),
        ("AWS_REGION", "eu west", "eu west"),
        ("AWS_SESSION_TOKEN", "the-token\r", "credentials"),
        ("AWS_ACCESS_KEY_ID", "the-token\n", "credentials"),
    ],
)
def test_invalid_aws_settings_are_reported(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, message: str
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    if message in {"Could not connect", "credentials"}:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    result = numberdrop("--stack", "numberdrop", "jobs")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert "the-token" not in result.output


def test_the_region_can_be_set_with_aws_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "Could not connect" in numberdrop("--stack", "numberdrop", "jobs").stderr


def test_an_unknown_command_is_a_usage_error(run: CommandLine) -> None:
    assert run("spend").exit_code == 2


# The version


def test_the_version_is_that_of_the_project(run: CommandLine) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"numberdrop {project['version']}\n")


def test_an_installed_command_knows_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", {"numberdrop": "7.8.9"}.__getitem__)
    assert version(tmp_path) == "7.8.9"
