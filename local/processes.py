"""The processes of a local cloud: start them, wait until they are up, end them with the cloud."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import choice
from typing import IO

from numberdrop_cli.signals import at_first_signal

PROJECT = Path(__file__).resolve().parent.parent
TOOLS = PROJECT / ".venv"
START_SECONDS = 60
END_SECONDS = 3
LINES_SHOWN = 30
PORTS = range(20_000, 32_000)
PORT_ATTEMPTS = 100
LOOPBACK = ("127.0.0.1", "localhost")
NO_AWS_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


class LocalCloudError(Exception):
    """The local cloud could not be started; the message says where to look."""


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment for a program of the local cloud, plus the settings.

    Variables that configure Python, the access to AWS or the SAM CLI are left out: a profile that does not
    exist, or ``PYTHONWARNINGS=error``, would end the program. Requests to loopback do not go through a proxy.

    >>> environment({"AWS_REGION": "us-east-1"})["AWS_CONFIG_FILE"]
    '/dev/null'
    """
    others = ("AWS_", "PYTHON", "SAM_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    exceptions = dict.fromkeys(("NO_PROXY", "no_proxy"), proxy_exceptions(os.environ))
    return {**inherited, **NO_AWS_FILES, **exceptions, **settings}


def proxy_exceptions(env: Mapping[str, str]) -> str:
    """Return the hosts that are reached without a proxy: those of an environment, and loopback.

    >>> proxy_exceptions({"no_proxy": "internal.example"})
    'internal.example,127.0.0.1,localhost'
    """
    known = env.get("no_proxy") or env.get("NO_PROXY") or ""
    return ",".join([*filter(None, known.split(",")), *LOOPBACK])


def ignore_settings() -> None:
    """Remove from this process's environment what ``environment`` keeps from other programs.

    The demo and the local cloud are clients of the local AWS, so they must not read the user's settings.
    """
    kept = environment({})
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update({name: kept[name] for name in (*NO_AWS_FILES, "NO_PROXY", "no_proxy")})


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let the first signal that ends the program start the clean-up, and ignore the next ones.

    Closing the terminal sends SIGHUP. Python would end at once, without ``finally``, and leave the processes
    of the local cloud behind.

    Raises:
        KeyboardInterrupt: one of the signals arrived.
    """
    with at_first_signal(lambda _: _held.arrive()):
        yield


def run(command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
    """Run a command and wait for it.

    Raises:
        LocalCloudError: the command failed; the message ends with the last lines of its log.
    """
    with log.open("wb") as output, _running(command, env, output) as process:
        failed = process.wait() != 0
    if failed:
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
    with log.open("wb") as output, _running(command, env, output) as process:
        end = time.monotonic() + START_SECONDS
        while not is_up():
            _check_alive(process, end, log)
            time.sleep(0.05)
        _check_alive(process, end, log)
        yield


def free_port() -> int:
    """Return a port of loopback that nothing listens on.

    It is below the range of ephemeral ports, so that the system does not give it to another process
    before it is used.

    Raises:
        LocalCloudError: there is no such port, for instance because loopback has only an IPv6 address.
    """
    for _ in range(PORT_ATTEMPTS):
        port = choice(PORTS)  # noqa: S311 - a port is not a secret
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK[0], port))
            except OSError as error:
                reason = error.strerror
            else:
                return port
    raise LocalCloudError(
        f"No port of {LOOPBACK[0]} can be used ({reason}). The local cloud needs loopback with IPv4."
    )


def listens(port: int) -> bool:
    """Return whether something listens on a port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class _HeldInterruption:
    """An interruption that waits while a process is being started, so that this process is ended too."""

    holding: bool = False
    arrived: bool = False

    def arrive(self) -> None:
        self.arrived = True
        if not self.holding:
            self.release()

    def release(self) -> None:
        """Raise ``KeyboardInterrupt`` if an interruption has arrived."""
        self.holding = False
        if self.arrived:
            self.arrived = False
            raise KeyboardInterrupt


_held = _HeldInterruption()


@contextmanager
def _running(
    command: Sequence[str], env: Mapping[str, str], output: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until it or the context ends."""
    _held.holding = True
    try:
        process = _start(command, env, output)
        try:
            _held.release()
            yield process
        finally:
            _end(process)
    finally:
        _held.holding = False


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
