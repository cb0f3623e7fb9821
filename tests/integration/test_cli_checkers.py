"""Command line: choose a checker from a list or by shell completion."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from numberdrop.jobs.checkers import checkers, found, task_types
from numberdrop_cli.commands.checkers import Listed, lines_for_people
from numberdrop_cli.main import main
from numberdrop_cli.parameters import Single
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
        ("BAND", "band\tphone number, E.164\t-\t10,000,000\t1.00\t-\tBand\tband"),
        ("temu", "temu\tphone number, E.164\t1,000\t100,000\t2.00\t-\tTemu\tactivated"),
        (
            "phonecheck",
            "phoneCheck\tphone number, as written\t-\t10,000,000\t1.50\t-\tPhone number\tphoneCheck",
        ),
        ("apple_email", "apple_email\te-mail address\t-\t10,000,000\t2.00\t-\tApple ID\tapple"),
        (
            "max_full",
            "max_full\tphone number, E.164\t1,000\t10,000,000\t20.00\tsensitive\tMAX\t"
            "activated, id, name, gender, last_seen, avatar",
        ),
        ("Zalo_active", "task_type=zalo_active\tphone number\t-\t-\t8.00\tundocumented\tZalo\tactivated"),
    ],
)
def test_a_checker_is_listed_with_its_limits_and_price(word: str, line: str) -> None:
    assert numberdrop("checkers", word).stdout == f"{line}\n"


def test_checkers_are_printed_as_json() -> None:
    assert json_output(numberdrop("checkers", "vk", "--json")) == {
        "checkers": [
            {
                "name": "vk",
                "brand": "VK",
                "line": "phone",
                "min_rows": 1000,
                "max_rows": 10_000_000,
                "usd_per_10k": 5,
                "sensitive": False,
                "documented": True,
                "result_columns": ["activated"],
            }
        ]
    }


def test_an_unknown_checker_is_answered_with_similar_names() -> None:
    result = numberdrop("checkers", "bnad")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Did you mean band?" in result.stderr


def names_found(word: str) -> list[str]:
    return [line.split("\t")[0] for line in numberdrop("checkers", word).stdout.splitlines()]


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("Instagram", ["ins-simple", "task_type=instagram", "task_type=instagram_email"]),
        ("Line", ["task_type=line", "task_type=line_senior", "task_type=sideline"]),
        ("whats app business", ["netflix-simple", "task_type=ws_business"]),
        ("huobi", ["htx"]),
    ],
)
def test_checkers_are_found_by_brand(word: str, names: list[str]) -> None:
    assert names_found(word) == names


@pytest.mark.parametrize("word", ["", "whatsapp", "x"])
def test_a_terminal_of_80_columns_shows_whole_names(word: str) -> None:
    listed = [Listed.from_checker(checker) for checker in found(word, checkers().values())]
    listed += [Listed.from_task_type(task_type) for task_type in found(word, task_types())]
    header, *lines = lines_for_people(listed, 80)
    assert all(len(line) <= 80 for line in (header, *lines))
    marks = {"": "", "sensitive": "*", "undocumented": "?"}
    for each, line in zip(listed, lines, strict=False):
        name, *rest = line.split()
        assert name == each.name + marks[each.note]
        assert rest[-2:] == [each.smallest, each.price]


# An option that is given twice


def single_options() -> list[tuple[str, click.Option]]:
    commands = [main, *main.commands.values()]
    return [
        (command.name or "", option)
        for command in commands
        for option in command.params
        if isinstance(option, click.Option) and not option.is_flag and option.name != "help"
    ]


def test_every_option_with_a_value_refuses_to_be_given_twice() -> None:
    assert [option.opts[0] for _, option in single_options() if not isinstance(option, Single)] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "leads.txt", "--checker", "band", "--checker", "ws"],
        ["send", "leads.txt", "--checker", "band", "--checker", "band"],
        ["send", "leads.txt", "--checker", "band", "--region", "GB", "--region", "DE"],
        ["--stack", "a", "--stack", "b", "jobs"],
    ],
)
def test_an_option_that_is_given_twice_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "leads.txt").write_text("+447700900123\n")
    result = numberdrop(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "was given 2 times. Give it once." in result.stderr


@pytest.mark.parametrize("second", ["--charged", "--abandon"])
def test_contradicting_decisions_are_refused(second: str) -> None:
    result = numberdrop(
        "resolve", "0123456789ab", second, "--not-charged", "--evidence", "No task is listed."
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Give one of" in result.stderr


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
        ("numberdrop c", ["check", "checkers", "collect-again"]),
    ],
)
def test_the_shell_completes_names(words: str, offered: list[str]) -> None:
    assert completions(words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_completion_script(shell: str) -> None:
    result = CliRunner().invoke(main, prog_name="numberdrop", env={"_NUMBERDROP_COMPLETE": f"{shell}_source"})
    assert "_NUMBERDROP_COMPLETE" in result.stdout
