"""Command line: `check` says what would be sent and what it would cost, and `send` asks and refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner

from local.simulator import Simulator
from numberdrop_cli import terminal
from numberdrop_cli.inspection import billed_rows
from numberdrop_cli.main import main
from tests.support.account import Account
from tests.support.command_line import NO_EFFECTS, CommandLine, json_output
from tests.support.exports import workbook
from tests.support.invocations import Functions
from tests.support.outcomes import job_of
from tests.support.uploads import SAMPLES

CHECK = ("check", "leads.txt", "--checker", "band")
SEND = ("send", "leads.txt", "--checker", "band")
TABLE = (
    "Name;Phone;Fax\nJane;+447700900123;+442079460001\nRick;+447700900123;\nAnn;n/a;\nBob;020 7946 0124;\n"
)


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "is_terminal", lambda: True)
    monkeypatch.setattr(terminal, "can_answer", lambda: True)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def checked(run: CommandLine, *arguments: str) -> dict[str, Any]:
    """Return what `check --json` says about the only file."""
    result = run("check", *arguments, "--json")
    (document,) = json.loads(result.stdout)["files"]
    assert result.exit_code == (1 if document["problems"] else 0)
    return dict(document)


# What is said


def test_a_file_is_read_and_nothing_is_sent(run: CommandLine, table: Path) -> None:
    result = run("check", table.name, "--checker", "band", "--region", "GB")
    assert result.stdout.splitlines()[:-1] == [
        "table.csv: for band (Band): 2 entries to send; list price less than 0.01 USD",
        "table.csv: perhaps 0.05 USD, if you are billed in blocks of 100 entries and for 500 at least, as "
        "one customer was",
        'table.csv: Read as text (utf-8): the column "Phone". Numbers without a country code are read with '
        'default-region GB. Not read: 1 number in the column "Fax".',
        "table.csv: 4 lines: 2 to send, 1 duplicate, 1 rejected",
        "table.csv:   line 4: not a phone number: write one number, as +<country><number>",
        "table.csv: band takes up to 10,000,000 entries in a file",
    ]
    assert result.exit_code == 0
    assert (run.uploads(), run.effects) == ([], NO_EFFECTS)


def test_programs_get_the_same_facts(run: CommandLine, table: Path) -> None:
    document = checked(run, table.name, "--checker", "ws", "--region", "GB")
    assert {name: document[name] for name in ("checker", "brand", "lines", "submitted", "min_rows")} == {
        "checker": "ws",
        "brand": "WhatsApp",
        "lines": 4,
        "submitted": 2,
        "min_rows": 500,
    }
    assert (document["list_price_usd"], document["price_in_blocks_usd"]) == (0.0002, 0.045)
    assert (document["read"]["column"], document["read"]["other_columns"]) == (
        "Phone",
        [{"name": "Fax", "numbers": 1}],
    )
    assert [problem["code"] for problem in document["problems"]] == ["TOO_SMALL"]


def test_a_workbook_is_counted_too(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "leads.xlsx").write_bytes(workbook([["Phone"], ["+447700900123"], ["+447700900124"], ["x"]]))
    document = checked(run, "leads.xlsx", "--checker", "band")
    assert (document["submitted"], document["rejected"]) == (2, 1)
    assert (document["read"]["format"], document["read"]["sheet"]) == ("xlsx", "Sheet")


def test_only_the_first_ten_rejected_lines_are_shown(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "leads.txt").write_text("+447700900123\n" + "no\n" * 50_000)
    result = run(*CHECK)
    lines = result.stdout.splitlines()
    assert [line.split(":")[1].strip() for line in lines if "  line " in line] == [
        f"line {number}" for number in range(2, 12)
    ]
    assert "leads.txt:   and 49,990 more" in lines


@pytest.mark.usefixtures("on_a_terminal")
def test_a_terminal_shows_rejected_entries(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "leads.txt").write_text("+447700900123\n+44770090012345\n\x1b[31mred\n")
    output = run(*CHECK).stdout
    assert "leads.txt:   line 2 '+44770090012345': " in output
    assert "leads.txt:   line 3 '\N{REPLACEMENT CHARACTER}[31mred': not a phone number" in output
    assert "\x1b" not in output


@pytest.mark.parametrize("arguments", [CHECK, (*CHECK, "--json"), SEND, (*SEND, "--json")])
def test_no_entry_is_printed_to_a_pipe(run: CommandLine, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "leads.txt").write_text("+447700900123\n+44770090012345\njane@example.com\n")
    result = run(*arguments)
    assert result.exit_code == 0
    assert "7700900" not in result.output
    assert "jane" not in result.output


def test_the_settings_of_the_stack_count(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "leads.txt").write_text("020 7946 0124\n")
    run.cloudformation.default_region, run.cloudformation.max_usd = "GB", "0.00001"
    document = checked(run, *CHECK[1:])
    assert (document["submitted"], document["max_usd"]) == (1, 0.00001)
    assert [problem["code"] for problem in document["problems"]] == ["TOO_EXPENSIVE"]


@pytest.mark.parametrize(
    ("checker", "user_id"), [("max_full", "user"), ("task_type=New", "user"), ("tg-simple", "")]
)
def test_a_checker_that_is_off_is_a_problem(run: CommandLine, checker: str, user_id: str) -> None:
    run.cloudformation.user_id = user_id
    document = checked(run, "leads.txt", "--checker", checker)
    assert document["problems"][0]["code"] == "CHECKER_NOT_ALLOWED"
    assert document["submitted"] == 2
    assert run("send", "leads.txt", "--checker", checker).exit_code == 1
    assert run.uploads() == []


def test_a_file_can_be_checked_without_a_stack(run: CommandLine) -> None:
    run.cloudformation.refusal = "ValidationError"
    result = run(*CHECK)
    assert "for band (Band): 2 entries to send" in result.stdout
    assert "The stack was not asked: There is no stack" in result.stdout
    assert result.exit_code == 0


def test_a_file_can_be_checked_without_credentials(run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: str) -> None:
        raise NoCredentialsError

    monkeypatch.setattr(run.cloudformation, "describe_stacks", fail)
    result = run(*CHECK, "--json")
    assert "credentials" in json_output(result)["balance_problem"]
    assert json_output(result)["stack"] is None


@pytest.mark.parametrize(("rows", "billed"), [(1, 500), (499, 500), (500, 500), (501, 600), (10_000, 10_000)])
def test_whole_blocks_are_billed(rows: int, billed: int) -> None:
    assert billed_rows(rows) == billed


def test_what_may_be_remembered_is_not_refused(run: CommandLine) -> None:
    secret = boto3.client("secretsmanager").create_secret(Name="memory", SecretString="k" * 64)["ARN"]
    run.cloudformation.outputs |= {"MemoryBucketName": "memory", "MemoryKeySecretArn": secret}
    document = checked(run, "leads.txt", "--checker", "ws")
    assert [doubt["code"] for doubt in document["doubts"]] == ["TOO_SMALL"]
    assert (document["problems"], document["may_be_remembered"]) == ([], True)
    assert (
        "would fail, unless enough is remembered. TOO_SMALL"
        in run("check", "leads.txt", "--checker", "ws").stdout
    )
    assert run("send", "leads.txt", "--checker", "ws", "--fresh").exit_code == 1
    assert run.uploads() == []
    assert run("send", "leads.txt", "--checker", "ws").exit_code == 0
    assert len(run.uploads()) == 1


def test_further_numbers_of_a_cell_are_counted(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "leads.txt").write_text("+447700900123 / +447700900124\n+447700900125\n")
    assert checked(run, *CHECK[1:])["further"] == 1
    assert "1 number follows another in the same cell, and would not be sent" in run(*CHECK).stdout


# It reads as the pipeline does


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_check_says_what_the_pipeline_does(
    run: CommandLine, account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch, path: Path
) -> None:
    monkeypatch.setenv("DEFAULT_REGION", "GB")
    run.cloudformation.default_region = "GB"
    document = checked(run, str(path), "--checker", "band")
    upload = account.drop(f"band/{path.name}", path.read_bytes())
    functions.submit(upload)
    job = job_of(account, upload)
    if document["problems"]:
        assert job.reason
        assert [job.reason.code] == [problem["code"] for problem in document["problems"]]
    else:
        counts = job.counts
        assert [document[name] for name in ("lines", "submitted", "rejected", "duplicates")] == [
            *(counts.lines, counts.submitted, counts.rejected, counts.duplicates)
        ]


# The balance


def test_the_balance_is_shown(run: CommandLine, simulator: Simulator) -> None:
    run.cloudformation.vendor_url = simulator.url
    assert run(*CHECK).stdout.splitlines()[-1] == "balance 1,000.00 USD"
    assert json_output(run(*CHECK, "--json"))["balance_usd"] == 1000
    assert simulator.charges == []


def without_output(run: CommandLine) -> None:
    del run.cloudformation.outputs["ApiKeySecretArn"]


def without_secret(run: CommandLine) -> None:
    boto3.client("secretsmanager").delete_secret(SecretId=run.account.secret, ForceDeleteWithoutRecovery=True)


def without_key(run: CommandLine) -> None:
    run.account.rotate_key(" ")


def without_vendor(_: CommandLine) -> None:
    pass


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (without_output, "does not name the secret"),
        (without_secret, "was not read (ResourceNotFoundException"),
        (without_key, "holds no key"),
        (without_vendor, "The request failed ("),
    ],
)
def test_an_unknown_balance_is_said_and_not_fatal(
    run: CommandLine, prepare: Callable[[CommandLine], None], problem: str
) -> None:
    prepare(run)
    result = run(*CHECK)
    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("balance unknown: ")]
    assert problem in line


# Standard input


def with_input(text: str, *arguments: str) -> Any:
    return CliRunner().invoke(main, arguments, input=text, catch_exceptions=False)


def test_standard_input_is_checked_and_sent(run: CommandLine) -> None:
    result = with_input("+447700900123\n", "check", "-", "--name", "oslo.txt", "--checker", "band")
    assert "oslo.txt: for band (Band): 1 entry to send" in result.stdout
    assert run.uploads() == []
    assert (
        with_input("+447700900123\n", "send", "-", "--name", "oslo.txt", "--checker", "band").exit_code == 0
    )
    (upload,) = run.uploads()
    assert upload.key.endswith("/oslo.txt")
    body = boto3.client("s3").get_object(Bucket=upload.bucket, Key=upload.key)["Body"]
    assert body.read() == b"+447700900123\n"


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("", ["-", "--name", "a.txt"], "Standard input is empty."),
        ("x", ["-"], "needs --name"),
        ("x", ["leads.txt", "--name", "a.txt"], "needs --name"),
        ("x", ["-", "-", "--name", "a.txt"], "can be read once"),
        ("x", ["-", "leads.txt", "--name", "leads.txt"], "2 files are called"),
        ("x", ["-", "--name", "a/b.txt"], "without /"),
        ("x", ["-", "--name", ".."], "without /"),
    ],
)
def test_standard_input_is_named_once(
    run: CommandLine, text: str, arguments: list[str], message: str
) -> None:
    for command in ("check", "send"):
        result = with_input(text, command, *arguments, "--checker", "band")
        assert result.exit_code == 2
        assert message in result.stderr
    assert run.uploads() == []


# Sending


@pytest.mark.parametrize(
    ("checker", "content", "code"),
    [
        ("ws", "+447700900123\n+447700900124\n", "TOO_SMALL"),
        ("band", "hello\n", "NO_VALID_NUMBERS"),
        ("band", "\n\n", "EMPTY_FILE"),
        ("band", "PK\x03\x04 and so on", "NOT_TEXT"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--yes"]])
def test_a_file_that_would_fail_is_not_sent(
    run: CommandLine, tmp_path: Path, *, checker: str, content: str, code: str, options: list[str]
) -> None:
    (tmp_path / "bad.txt").write_text(content)
    result = run("send", "leads.txt", "bad.txt", "--checker", checker, *options)
    assert result.exit_code == 1
    assert code in result.stderr
    assert "Nothing was sent." in result.stderr
    assert run.uploads() == []


@pytest.mark.usefixtures("on_a_terminal")
@pytest.mark.parametrize(("answer", "status", "uploads"), [("y\n", 0, 1), ("n\n", 1, 0), ("", 1, 0)])
def test_a_terminal_is_asked(
    run: CommandLine, simulator: Simulator, *, answer: str, status: int, uploads: int
) -> None:
    run.cloudformation.vendor_url = simulator.url
    result = run(*SEND, answer=answer)
    assert (
        "balance 1,000.00 USD\nSend 1 file for less than 0.01 USD at list price to stack numberdrop"
        in result.stdout
    )
    assert (result.exit_code, len(run.uploads())) == (status, uploads)


@pytest.mark.parametrize("change", ["+447700900123\n" * 9, None])
def test_a_file_that_changes_after_the_question_is_not_sent(
    run: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str | None
) -> None:
    def answer(**_: object) -> bool:
        (tmp_path / "leads.txt").unlink() if change is None else (tmp_path / "leads.txt").write_text(change)
        return False

    monkeypatch.setattr(terminal, "can_answer", answer)
    result = run(*SEND)
    assert result.exit_code == 1
    assert ("It has changed" if change else "cannot be read") in result.stderr
    assert run.uploads() == []


@pytest.mark.usefixtures("on_a_terminal")
def test_yes_skips_the_question(run: CommandLine) -> None:
    result = run(*SEND, "--yes")
    assert "Send 1 file" not in result.output
    assert len(run.uploads()) == 1


@pytest.mark.usefixtures("on_a_terminal")
def test_the_question_leaves_json_lines_alone(run: CommandLine) -> None:
    result = run(*SEND, "--json", answer="y\n")
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == ["priced", "sent"]
    assert "Send 1 file" in result.stderr


def test_a_script_is_not_asked(run: CommandLine) -> None:
    assert run(*SEND).exit_code == 0
    assert len(run.uploads()) == 1


@pytest.mark.parametrize(
    ("checker", "most", "sent"),
    [
        ("band", "0.0002", 2),
        ("band", "0.0004", 2),
        ("band", "0.0003", 0),
        ("band", "0.0001", 0),
        ("Twitter", "5", 0),
    ],
)
def test_a_script_states_the_most_it_may_cost(
    run: CommandLine, tmp_path: Path, checker: str, most: str, sent: int
) -> None:
    (tmp_path / "more.txt").write_text("+447700900123\n+447700900124\n")
    files = ["leads.txt", "more.txt"][: 2 if most != "0.0002" else 1]
    result = run("send", *files, "--checker", checker, "--max-usd", most, "--yes")
    assert len(run.uploads()) == (sent and len(files))
    assert result.exit_code == (0 if sent else 1)


def test_the_limit_goes_into_the_metadata(run: CommandLine) -> None:
    run(*SEND, "--max-usd", "12.50")
    (upload,) = run.uploads()
    stored = boto3.client("s3").head_object(Bucket=upload.bucket, Key=upload.key)["Metadata"]
    assert stored["max-usd"] == "12.50"


@pytest.mark.parametrize("amount", ["-1", "five", "1,5", "nan", "1e9"])
def test_a_limit_must_be_an_amount(run: CommandLine, amount: str) -> None:
    assert run(*SEND, "--max-usd", amount).exit_code == 2
    assert run.uploads() == []
