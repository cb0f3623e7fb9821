"""The time of each invocation and the memory of each process on a local cloud."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rich.table import Table

from local.cloud import STACK, LocalCloud
from local.processes import LocalCloudError

MIB = 1024 * 1024

_DURATION = re.compile(r"Duration: ([0-9.]+) ms")


@dataclass(frozen=True, slots=True)
class Function:
    """A deployed function of the stack.

    Attributes:
        label: its name in the template without the suffix ``Function``.
        name: its name in the local AWS.
        log_group: the log group that reports its invocations.
        memory: its ``MemorySize`` in bytes.
    """

    label: str
    name: str
    log_group: str
    memory: int


@dataclass(frozen=True, slots=True)
class Process:
    """A process that runs a function for the local AWS, one invocation at a time.

    Attributes:
        function: the function's name in the local AWS.
        resident: the bytes of memory it uses now.
        peak: the most bytes it ever used, as recorded by the kernel.
    """

    function: str
    resident: int
    peak: int


@dataclass(slots=True)
class Memory:
    """The memory of the functions as observed so far.

    The kernel records the peak of each process, and the local AWS keeps a process for the next
    invocation, so sampling every second or two misses nothing.

    Attributes:
        peaks: the peak bytes of any one process of a function, by the function's name.
        processes: the largest number of processes at once.
        resident: the most bytes that all processes used together.
    """

    peaks: dict[str, int] = field(default_factory=dict)
    processes: int = 0
    resident: int = 0

    def sample(self, cloud: LocalCloud) -> None:
        """Record the current processes of the functions."""
        found = list(_processes(cloud))
        self.processes = max(self.processes, len(found))
        self.resident = max(self.resident, sum(process.resident for process in found))
        for process in found:
            self.peaks[process.function] = max(self.peaks.get(process.function, 0), process.peak)


def functions(cloud: LocalCloud) -> list[Function]:
    """Return the stack's functions, sorted by label."""
    resources = cloud.aws.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    deployed = [
        _function(cloud, resource["LogicalResourceId"], resource["PhysicalResourceId"])
        for resource in resources
        if resource["ResourceType"] == "AWS::Lambda::Function"
    ]
    return sorted(deployed, key=lambda function: function.label)


def wait_for_executions(cloud: LocalCloud, *, seconds: float = 60) -> None:
    """Wait until no execution of the state machine is running, so that every invocation is reported.

    Raises:
        LocalCloudError: an execution is still running after ``seconds``.
    """
    machine = cloud.outputs["StateMachineArn"]
    executions = cloud.aws.client("stepfunctions")
    end = time.monotonic() + seconds
    while executions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]:
        if time.monotonic() > end:
            raise LocalCloudError(f"An execution is still running after {seconds:g} s. Look at {machine}.")
        time.sleep(0.2)


def durations(cloud: LocalCloud, function: Function) -> list[float]:
    """Return the seconds of each invocation of a function so far, including the start of its process."""
    pages = (
        cloud.aws.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=function.log_group, filterPattern='"REPORT RequestId"')
    )
    messages = (event["message"] for page in pages for event in page["events"])
    return [float(found[1]) / 1000 for message in messages if (found := _DURATION.search(message))]


def functions_table(cloud: LocalCloud, memory: Memory) -> Table:
    """Return a table with the time and memory of each function so far."""
    table = Table("function", title="Functions", title_justify="left")
    for heading in ("invocations", "seconds, median", "longest", "peak MiB", "of MiB"):
        table.add_column(heading, justify="right")
    for function in functions(cloud):
        if seconds := durations(cloud, function):
            table.add_row(
                function.label,
                f"{len(seconds):,}",
                f"{median(seconds):,.2f}",
                f"{max(seconds):,.2f}",
                f"{memory.peaks.get(function.name, 0) / MIB:,.0f}",
                f"{function.memory / MIB:,.0f}",
            )
    return table


def _function(cloud: LocalCloud, label: str, name: str) -> Function:
    configuration = cloud.aws.client("lambda").get_function_configuration(FunctionName=name)
    return Function(
        label=label.removesuffix("Function"),
        name=name,
        log_group=configuration["LoggingConfig"]["LogGroup"],
        memory=configuration["MemorySize"] * MIB,
    )


def _processes(cloud: LocalCloud) -> Iterator[Process]:
    """Yield the processes that run functions of this local AWS, not of another one on this machine."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has ended, or belongs to another user
            environment = _environment(folder)
            name = environment.get("AWS_LAMBDA_FUNCTION_NAME")
            if name and environment.get("TMPDIR") == str(cloud.folder):
                status = (folder / "status").read_text(encoding="ascii")
                yield Process(name, _bytes(status, "VmRSS"), _bytes(status, "VmHWM"))


def _environment(folder: Path) -> Mapping[str, str]:
    variables = (folder / "environ").read_bytes().split(b"\0")
    pairs = (variable.partition(b"=") for variable in variables)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def _bytes(status: str, field_name: str) -> int:
    """Return a field of /proc/PID/status in bytes; 0 for a process that has just ended."""
    found = re.search(rf"^{field_name}:\s+([0-9]+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
