"""numberdrop on a local AWS with a simulated vendor: the real template, deployed by the real SAM CLI.

Everything listens on free ports of loopback and is removed at the end.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from local.aws import LocalAws, local_aws
from local.fault_proxy import FaultProxy, fault_proxy
from local.processes import PROJECT, background, environment, free_port
from local.sam import deploy

STACK = "numberdrop"


@dataclass(frozen=True, slots=True)
class CloudOptions:
    """Options of a local cloud.

    Attributes:
        wait_scale: factor for the waits of the state machine; 0.1 turns a minute into six seconds.
        simulator: further command-line arguments for the simulator.
        parameters: template parameters in addition to those that point at the simulator.
        template: the template to deploy.
        records_calls: whether CloudTrail records every call to AWS, so that they can be counted.
        with_fault_proxy: whether the functions reach AWS through a proxy that can inject faults.
    """

    wait_scale: float = 1.0
    simulator: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    template: Path = PROJECT / "template.yaml"
    records_calls: bool = False
    with_fault_proxy: bool = False


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """A running local cloud.

    Attributes:
        aws: the local AWS.
        simulator: the URL of the simulated vendor.
        outputs: the stack's outputs by name.
        folder: working files, including the logs of its processes.
        faults: the proxy between the functions and AWS; None without one.
    """

    aws: LocalAws
    simulator: str
    outputs: Mapping[str, str]
    folder: Path
    faults: FaultProxy | None = None


@contextmanager
def local_cloud(options: CloudOptions) -> Iterator[LocalCloud]:
    """Start a local cloud with numberdrop deployed on it, and stop it when the context ends.

    Raises:
        LocalCloudError: a process did not start, or the deployment failed.
    """
    with ExitStack() as stack:
        name = stack.enter_context(TemporaryDirectory(prefix="numberdrop-", ignore_cleanup_errors=True))
        folder = Path(name)
        aws, faults = _aws(folder, options, stack)
        simulator = stack.enter_context(_simulator(folder, options.simulator))
        parameters = {**vendor_parameters(simulator), **options.parameters}
        outputs = deploy(aws, options.template, stack=STACK, parameters=parameters, folder=folder)
        yield LocalCloud(aws, simulator, outputs, folder, faults)


def _aws(folder: Path, options: CloudOptions, stack: ExitStack) -> tuple[LocalAws, FaultProxy | None]:
    if not options.with_fault_proxy:
        direct = local_aws(folder, wait_scale=options.wait_scale, records_calls=options.records_calls)
        return stack.enter_context(direct), None
    port = free_port()
    proxied = local_aws(folder, wait_scale=options.wait_scale, functions_endpoint=f"http://127.0.0.1:{port}")
    aws = stack.enter_context(proxied)
    proxy = fault_proxy(folder, port=port, upstream=aws.endpoint, ca_file=aws.ca_file)
    return aws, stack.enter_context(proxy)


def vendor_parameters(simulator: str) -> dict[str, str]:
    """Return the template parameters that point a stack at a simulated vendor."""
    return {
        "EkycproApiKey": "test-key",
        "EkycproUserId": "test-user",
        "EkycproBaseUrl": simulator,
        "ResultHosts": "127.0.0.1",
        "AllowSensitiveCheckers": "true",
    }


@contextmanager
def _simulator(folder: Path, arguments: tuple[str, ...]) -> Iterator[str]:
    url_file = folder / "simulator.url"
    command = [sys.executable, "-m", "local.simulator", "--port-file", str(url_file), *arguments]
    packages = os.pathsep.join([str(PROJECT / "layers" / "shared"), str(PROJECT)])
    env = environment({"PYTHONPATH": packages, "TMPDIR": str(folder)})
    with background(command, env, folder / "simulator.log", is_up=url_file.exists):
        yield url_file.read_text(encoding="utf-8")
