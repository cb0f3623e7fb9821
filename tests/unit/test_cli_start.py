"""Command line: help, completion and usage errors start without the libraries that talk to AWS."""

import os
import subprocess
import sys

import pytest

from numberdrop_cli.main import main
from tests.support.template import PROJECT

SLOW = {"boto3", "botocore", "openpyxl", "phonenumbers", "requests", "rich", "s3transfer", "urllib3"}

COMPLETION = {"_NUMBERDROP_COMPLETE": "bash_complete"}

RUN = """
import sys
from numberdrop_cli.main import main
try:
    main(sys.argv[1:], prog_name="numberdrop")
finally:
    print("loaded", *sys.modules)
"""


def loaded_by(*arguments: str, **settings: str) -> set[str]:
    """Return the modules that a run of the command has loaded at its end."""
    path = os.pathsep.join([str(PROJECT / "layers" / "shared"), str(PROJECT)])
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env={**os.environ, "PYTHONPATH": path, **settings},
        capture_output=True,
        check=False,
        text=True,
    )
    *_, last = done.stdout.splitlines()
    assert last.startswith("loaded"), done.stderr
    return set(last.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *([name, "--help"] for name in sorted(main.commands)),
        ["spend"],
        ["send", "no-such-file.txt", "--checker", "band"],
        ["show", "x"],
        ["resolve", "0123456789ab"],
    ],
    ids=" ".join,
)
def test_help_and_usage_errors_load_no_slow_module(arguments: list[str]) -> None:
    assert SLOW & loaded_by(*arguments) == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "index"),
    [("numberdrop s", "1"), ("numberdrop send --checker ba", "3"), ("numberdrop jobs --state f", "3")],
)
def test_completion_loads_no_slow_module(words: str, index: str) -> None:
    assert SLOW & loaded_by(COMP_WORDS=words, COMP_CWORD=index, **COMPLETION) == set()
