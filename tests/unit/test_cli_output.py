"""Command line: the output never fails on a character, and a closed pipe does not change the exit status."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from numberdrop_cli.errors import InterruptedByUserError, OutcomeUnknownError, RefusedError, unknown_outcome
from numberdrop_cli.names import composed, longest_name
from numberdrop_cli.saving import results_folder
from tests.support.template import PROJECT

SENT_ONE = "leads.txt was sent."

SNOWMAN = "\N{SNOWMAN}"

RUN = """
import click
from numberdrop_cli.errors import unknown_outcome
from numberdrop_cli.main import main

@main.command()
def fake():
    with unknown_outcome(lambda: "A file was sent."):
        {body}

main(["fake"])
"""


def run(
    body: str, *, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE, **env: str
) -> tuple[int, str]:
    """Run a command with this body; return its exit status and its output in CP-1252."""
    path = os.pathsep.join([str(PROJECT / "layers" / "shared"), str(PROJECT)])
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(body=body)],
        env={**os.environ, "PYTHONPATH": path, **env},
        stdout=stdout,
        stderr=stderr,
        check=False,
    )
    return done.returncode, (done.stdout or b"").decode("cp1252") + (done.stderr or b"").decode("cp1252")


@pytest.fixture
def closed_pipe() -> int:
    """Return the end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1"])
def test_a_character_outside_the_encoding_is_escaped(encoding: str) -> None:
    status, output = run("click.echo('caf\\N{SNOWMAN}.txt')", PYTHONIOENCODING=encoding)
    assert status == 0
    assert output.startswith("caf")


@pytest.mark.slow
@pytest.mark.parametrize("body", ["click.echo('x' * 100_000)", "raise RuntimeError", "1 / 0"])
def test_after_sending_a_closed_pipe_means_status_5(closed_pipe: int, body: str) -> None:
    status, _ = run(body, stdout=closed_pipe, stderr=closed_pipe)
    os.close(closed_pipe)
    assert status == 5


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_after_sending_a_full_disk_means_status_5() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    status, output = run("click.echo('sent')", stdout=full)
    os.close(full)
    assert status == 5
    assert output == "Error: A file was sent. Then the command failed (No space left on device).\n"


FULL = [">/dev/full", "2>/dev/full"] if Path("/dev/full").exists() else []


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", *FULL])
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["checkers"], 0),
        (["check", "-", "--name", "leads.txt", "--checker", "band"], 2),
        (["spend"], 2),
    ],
)
def test_a_closed_stream_causes_no_traceback(
    tmp_path: Path, arguments: list[str], status: int, closed: str
) -> None:
    log = tmp_path / "log"
    path = os.pathsep.join([str(PROJECT / "layers" / "shared"), str(PROJECT)])
    shell = f'exec "$@" </dev/null >"{log}" 2>"{log}" {closed}'
    command = [sys.executable, "-m", "numberdrop_cli", *arguments]
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *command], env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert "Traceback" not in log.read_text(encoding="utf-8")
    cannot_print = (closed, status) in {(">/dev/full", 0), ("2>/dev/full", 2)}
    assert done.returncode == (1 if cannot_print else status)


@pytest.mark.parametrize(
    "error", [RefusedError("no"), click.ClickException("no"), ValueError("no"), BrokenPipeError(32, "no")]
)
def test_a_failure_after_sending_is_an_unknown_outcome(error: Exception) -> None:
    with (
        pytest.raises(OutcomeUnknownError, match=r"leads\.txt was sent\. "),
        unknown_outcome(lambda: SENT_ONE),
    ):
        raise error


@pytest.mark.parametrize("error", [RefusedError("no"), ValueError("no"), KeyboardInterrupt()])
def test_a_failure_before_sending_stays_as_it_is(error: BaseException) -> None:
    with pytest.raises(type(error)), unknown_outcome(str):
        raise error


def test_an_interruption_after_sending_says_what_was_sent() -> None:
    with pytest.raises(InterruptedByUserError, match="was sent"), unknown_outcome(lambda: SENT_ONE):
        raise KeyboardInterrupt


def test_the_text_of_an_unforeseen_error_is_not_printed() -> None:
    with pytest.raises(OutcomeUnknownError) as failure, unknown_outcome(lambda: SENT_ONE):
        raise ValueError("+447700900123")
    assert failure.value.message == "leads.txt was sent. Then the command failed (ValueError)."


@pytest.mark.parametrize("make", [str, composed])
def test_composed_names_are_left_alone(make: Callable[[str], str]) -> None:
    assert composed(make("caf\N{LATIN SMALL LETTER E WITH ACUTE} 1.txt")) == "caf\u00e9 1.txt"


def test_the_longest_name_leaves_room_for_the_results_folder(tmp_path: Path) -> None:
    name = "x" * longest_name(tmp_path)
    results_folder(tmp_path, name).mkdir()
    with pytest.raises(OSError, match="too long"):
        results_folder(tmp_path, f"{name}x").mkdir()
