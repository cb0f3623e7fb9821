"""Command line: choose a checker from a list or by shell completion."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from numberdrop.jobs.checkers import checkers
from numberdrop_cli.main import main
from tests.support.command_line import json_output, numberdrop


@pytest.fixture(autouse=True)
def _no_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")


def test_all_checkers_are_listed_one_per_line() -> None:
    result = numberdrop("checkers")
    assert result.exit_code == 0
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [
        checker.name for checker in checkers().values()
    ]


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("BAND", "band\tphone number, E.164\t-\t10,000,000\t1.00\t-"),
        ("temu", "temu\tphone number, E.164\t1,000\t100,000\t2.00\t-"),
        ("phonecheck", "phoneCheck\tphone number, as written\t-\t10,000,000\t1.50\t-"),
        ("apple", "apple_email\te-mail address\t-\t10,000,000\t2.00\t-"),
        ("wa-deep", "wa-deep\tphone number, E.164\t-\t10,000,000\t-\tsensitive"),
    ],
)
def test_a_checker_is_listed_with_its_limits_and_price(word: str, line: str) -> None:
    assert numberdrop("checkers", word).stdout == f"{line}\n"


def test_checkers_are_printed_as_json() -> None:
    assert json_output(numberdrop("checkers", "vk", "--json")) == {
        "checkers": [
            {
                "name": "vk",
                "line": "phone",
                "min_rows": 1000,
                "max_rows": 10_000_000,
                "usd_per_10k": 5,
                "sensitive": False,
            }
        ]
    }


def test_an_unknown_checker_is_answered_with_similar_names() -> None:
    result = numberdrop("checkers", "bnad")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Did you mean band?" in result.stderr


def completions(words: str) -> list[str]:
    """Return what bash offers after these words."""
    environment = {
        "_NUMBERDROP_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    result = CliRunner().invoke(main, prog_name="numberdrop", env=environment)
    return [line.partition(",")[2] for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("numberdrop send --checker am", ["amazon", "amazon_email", "amazon-simple"]),
        ("numberdrop send --checker PHONE", ["phoneCheck"]),
        ("numberdrop jobs --state sub", ["submitting", "submitted"]),
        ("numberdrop c", ["checkers", "collect-again"]),
    ],
)
def test_the_shell_completes_names(words: str, offered: list[str]) -> None:
    assert completions(words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_completion_script(shell: str) -> None:
    result = CliRunner().invoke(main, prog_name="numberdrop", env={"_NUMBERDROP_COMPLETE": f"{shell}_source"})
    assert "_NUMBERDROP_COMPLETE" in result.stdout
