"""The processes of a local cloud: start them, wait until they are up, end them with the cloud."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import choice
from typing import IO

PROJECT = Path(__file__).resolve().parent.parent
TOOLS = PROJECT / ".venv"
START_SECONDS = 60
END_SECONDS = 3
LINES_SHOWN = 30
PORTS = range(20_000, 32_000)


class LocalCloudError(Exception):
    """The local cloud could not be started; the message says where to look."""


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without AWS variables, plus the settings.

    Also without ``PYTHONDONTWRITEBYTECODE``: every function runs in processes of its own, and without
    cached bytecode each of them would compile the package again.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**inherited, **settings}


def run(command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
    """Run a command and wait for it.

    Raises:
        LocalCloudError: the command failed; the message ends with the last lines of its log.
    """
    with log.open("wb") as output:
        if _start(command, env, output).wait() != 0:
            name = " ".join([Path(command[0]).name, *command[1:2]])
            raise LocalCloudError(f"'{name}' failed:\n{_last_lines(log)}")


@contextmanager
def background(
    command: Sequence[str], env: Mapping[str, str], log: Path, *, is_up: Callable[[], bool]
) -> Iterator[None]:
    """Run a command in the background until the context ends.

    Raises:
        LocalCloudError: the command ended early, or was not up within a minute.
    """
    with log.open("wb") as output:
        process = _start(command, env, output)
        try:
            end = time.monotonic() + START_SECONDS
            while not is_up():
                _check_alive(process, end, log)
                time.sleep(0.05)
            _check_alive(process, end, log)
            yield
        finally:
            _end(process)


def free_port() -> int:
    """Return a port of loopback that nothing listens on.

    It is below the range of ephemeral ports, so that the system does not give it to another process
    before it is used.
    """
    while True:
        port = choice(PORTS)  # noqa: S311 - a port is not a secret
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def listens(port: int) -> bool:
    """Tell whether something listens on a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _start(command: Sequence[str], env: Mapping[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=PROJECT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise LocalCloudError(f"{command[0]} is missing. Run 'make install' first.") from None


def _check_alive(process: subprocess.Popen[bytes], end: float, log: Path) -> None:
    if process.poll() is not None or time.monotonic() > end:
        raise LocalCloudError(f"A process of the local cloud did not start:\n{_last_lines(log)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all processes it started."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LINES_SHOWN:])
