"""Start-up time of the command `numberdrop`, compared with the command lines of AWS."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError

from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).resolve().parent.parent
TOOLS = PROJECT / ".venv"
ROUNDS = 15
AIM_SECONDS = 0.3

OURS = [str(TOOLS / "dev" / "bin" / "python"), "-m", "numberdrop_cli"]

COMMANDS = {
    "numberdrop --help": [*OURS, "--help"],
    "numberdrop send --help": [*OURS, "send", "--help"],
    "numberdrop checkers": [*OURS, "checkers"],
    "aws --version": [str(Path(sys.executable).with_name("aws")), "--version"],
    "sam --version": [str(TOOLS / "sam" / "bin" / "sam"), "--version"],
    "sam --help": [str(TOOLS / "sam" / "bin" / "sam"), "--help"],
}
"""Commands that need neither a network nor an account."""


def main() -> None:
    """Measure and print the table."""
    runs: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            runs[name].append(_processor_seconds(command))
    _show({name: median(seconds) for name, seconds in runs.items()})


def _processor_seconds(command: Sequence[str]) -> float:
    """Return the processor time of a command: start-up waits for nothing, and other programs do not count.

    Raises:
        CalledProcessError: the command failed, so its time says nothing.
    """
    packages = os.pathsep.join([str(PROJECT / "layers" / "shared"), str(PROJECT)])
    env = {**os.environ, "PYTHONPATH": packages, "SAM_CLI_TELEMETRY": "0", "PAGER": "cat", "AWS_PAGER": ""}
    silent = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    _, status, usage = os.wait4(os.posix_spawn(command[0], list(command), env, file_actions=silent), 0)
    if status:
        raise CalledProcessError(os.waitstatus_to_exitcode(status), command)
    return usage.ru_utime + usage.ru_stime


def _show(medians: Mapping[str, float]) -> None:
    table = Table(title=f"Start-up, aim {AIM_SECONDS:g} s", title_justify="left")
    table.add_column("command", no_wrap=True)
    table.add_column("processor seconds", justify="right")
    for name, seconds in medians.items():
        table.add_row(name, f"{seconds:.2f}")
    Console(highlight=False).print(table)
