"""A local AWS with numberdrop on it: the real template, deployed by the real SAM CLI, IAM enforced.

Everything listens on loopback, on free ports, and is gone afterwards.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import boto3
from botocore.config import Config

PROJECT = Path(__file__).resolve().parent.parent
TOOLS = PROJECT / ".venv"
REGION = "us-east-1"
STACK = "numberdrop"
START_SECONDS = 60
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
"""MiniStack's root account; what the functions may do is up to their roles."""


class LocalCloudError(Exception):
    """The local cloud could not be brought up; the message says what to look at."""


@dataclass(frozen=True)
class CloudOptions:
    """How a local cloud differs from the usual one.

    Attributes:
        wait_scale: factor for the waits of the state machine; 0.1 makes a minute six seconds.
        parameters: template parameters beyond those that point at the simulator.
        simulator: further arguments of the simulator's command.
        template: the template to deploy.
    """

    wait_scale: float = 1.0
    parameters: Mapping[str, str] = field(default_factory=dict)
    simulator: tuple[str, ...] = ()
    template: Path = PROJECT / "template.yaml"


@dataclass(frozen=True)
class LocalCloud:
    """A running local cloud.

    Attributes:
        endpoint: where its AWS services answer.
        simulator: where the simulated vendor answers.
        outputs: the stack's outputs by name.
        logs: the folder with the logs of its processes.
    """

    endpoint: str
    simulator: str
    outputs: Mapping[str, str]
    logs: Path

    @property
    def session(self) -> boto3.Session:
        """A session with the rights of the root account; pass ``endpoint_url`` to its clients."""
        return boto3.Session("test", "test", region_name=REGION)

    @property
    def client_config(self) -> Config:
        """Retries a little, so that a busy local cloud does not fail a user."""
        return Config(retries={"mode": "standard", "max_attempts": 5})

    @property
    def shell_settings(self) -> Mapping[str, str]:
        """What to set in a shell, for the AWS CLI and other programs to use this cloud."""
        return {**CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.endpoint}


@contextmanager
def local_cloud(options: CloudOptions = CloudOptions()) -> Iterator[LocalCloud]:
    """Brings a local cloud up, with numberdrop deployed on it, and takes it down again.

    Raises:
        LocalCloudError: a process did not start, or the deployment failed.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="numberdrop-")))
        endpoint = stack.enter_context(_ministack(folder, options.wait_scale))
        simulator = stack.enter_context(_simulator(folder, options.simulator))
        deploy(folder, endpoint, simulator, options)
        cloud = LocalCloud(endpoint, simulator, _outputs(endpoint), folder)
        yield cloud


def deploy(folder: Path, endpoint: str, simulator: str, options: CloudOptions) -> None:
    """Builds the template and deploys it, as a user would, with the SAM CLI."""
    build = folder / "build"
    sam = _sam()
    parameters = {
        "EkycproApiKey": "test-key",
        "EkycproUserId": "test-user",
        "EkycproBaseUrl": simulator,
        "ResultHosts": "127.0.0.1",
        "AllowSensitiveCheckers": "true",
        **options.parameters,
    }
    overrides = [f"ParameterKey={name},ParameterValue={value}" for name, value in parameters.items()]
    env = _environment(
        {
            **CREDENTIALS,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint,
            "SAM_CLI_TELEMETRY": "0",
        }
    )
    _run(
        [
            *sam,
            "build",
            "--template",
            str(options.template),
            "--build-dir",
            str(build),
            "--cache-dir",
            str(folder / "cache"),
        ],
        env,
        folder / "build.log",
    )
    _run(
        [
            *sam,
            "deploy",
            "--template",
            str(build / "template.yaml"),
            "--stack-name",
            STACK,
            "--resolve-s3",
            "--capabilities",
            "CAPABILITY_IAM",
            "--no-confirm-changeset",
            "--no-progressbar",
            "--no-fail-on-empty-changeset",
            "--parameter-overrides",
            *overrides,
        ],
        env,
        folder / "deploy.log",
    )


def _outputs(endpoint: str) -> dict[str, str]:
    client = boto3.client(
        "cloudformation",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the local cloud's well-known root
    )
    described = client.describe_stacks(StackName=STACK)["Stacks"][0]
    return {out["OutputKey"]: out["OutputValue"] for out in described["Outputs"]}


@contextmanager
def _ministack(folder: Path, wait_scale: float) -> Iterator[str]:
    port = _free_port()
    endpoint = f"http://127.0.0.1:{port}"
    python = TOOLS / "cloud" / "bin" / "python"
    env = _environment(
        {
            **CREDENTIALS,
            "AUTH": "true",
            "AWS_ENDPOINT_URL": endpoint,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "MINISTACK_REGION": REGION,
            "SFTP_ENABLED": "0",
            "SFN_WAIT_SCALE": str(wait_scale),
            "STATE_DIR": str(folder / "state"),
            "TMPDIR": str(folder),
        }
    )
    log = folder / "ministack.log"
    with _process([str(python), "-m", "ministack"], env, log) as process:
        _wait_until_healthy(f"{endpoint}/_ministack/health", process, log)
        yield endpoint


@contextmanager
def _simulator(folder: Path, arguments: tuple[str, ...]) -> Iterator[str]:
    port_file = folder / "simulator.url"
    log = folder / "simulator.log"
    command = [
        sys.executable,
        "-m",
        "local.simulator",
        "--port",
        "0",
        "--port-file",
        str(port_file),
    ]
    env = _environment({"PYTHONPATH": os.pathsep.join([str(PROJECT / "layers/shared"), str(PROJECT)])})
    with _process([*command, *arguments], env, log) as process:
        end = time.monotonic() + START_SECONDS
        while not (port_file.exists() and port_file.read_text().strip()):
            _check_alive(process, log, end)
            time.sleep(0.05)
        yield port_file.read_text().strip()


@contextmanager
def _process(command: list[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = _started(command, env, output)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _started(command: list[str], env: dict[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command, cwd=PROJECT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    except FileNotFoundError:
        raise LocalCloudError(f"{command[0]} is missing. Run 'make install' first.") from None


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    direct = build_opener(ProxyHandler({}))
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with direct.open(url, timeout=2):
                return
        except (URLError, OSError):
            _check_alive(process, log, end)
            time.sleep(0.1)


def _check_alive(process: subprocess.Popen[bytes], log: Path, end: float) -> None:
    if process.poll() is not None or time.monotonic() > end:
        raise LocalCloudError(f"A process of the local cloud did not start:\n{_tail(log)}")


def _run(command: list[str], env: dict[str, str], log: Path) -> None:
    with log.open("wb") as output:
        process = _started(command, env, output)
        if process.wait() != 0:
            raise LocalCloudError(f"'{Path(command[0]).name} {command[1]}' failed:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-30:])


def _sam() -> list[str]:
    installed = TOOLS / "sam" / "bin" / "sam"
    found = str(installed) if installed.exists() else shutil.which("sam")
    if not found:
        raise LocalCloudError("The SAM CLI is missing. Run 'make install' first.")
    return [found]


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without anything about an AWS account, plus the settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**inherited, **settings}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
