"""What the functions of a local cloud take: the time of each invocation, the memory of each process."""

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
    """A function of the stack, as it is deployed.

    Attributes:
        label: its name in the template, without the word Function.
        name: its name in the local AWS.
        log_group: where its invocations are reported.
        memory: bytes that the template gives it.
    """

    label: str
    name: str
    log_group: str
    memory: int


@dataclass(frozen=True, slots=True)
class Process:
    """A process in which the local AWS runs a function, one invocation at a time.

    Attributes:
        function: the function's name in the local AWS.
        resident: bytes that it holds now.
        peak: the most bytes that it has ever held, as the kernel knows it.
    """

    function: str
    resident: int
    peak: int


@dataclass(slots=True)
class Memory:
    """What has been seen of the functions' memory so far.

    The kernel keeps each process's own high-water mark, and the local AWS keeps a process for the next
    invocation, so that a look every second or two misses nothing.

    Attributes:
        peaks: the most bytes that one process of a function has held, by the function's name.
        processes: the most processes that were there at once.
        resident: the most bytes that all of them together were seen to hold.
    """

    peaks: dict[str, int] = field(default_factory=dict)
    processes: int = 0
    resident: int = 0

    def look(self, cloud: LocalCloud) -> None:
        """Takes note of the functions' processes as they are now."""
        found = list(_processes(cloud))
        self.processes = max(self.processes, len(found))
        self.resident = max(self.resident, sum(process.resident for process in found))
        for process in found:
            self.peaks[process.function] = max(self.peaks.get(process.function, 0), process.peak)


def functions(cloud: LocalCloud) -> list[Function]:
    """The stack's functions, by label."""
    resources = cloud.aws.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    deployed = [
        _function(cloud, resource["LogicalResourceId"], resource["PhysicalResourceId"])
        for resource in resources
        if resource["ResourceType"] == "AWS::Lambda::Function"
    ]
    return sorted(deployed, key=lambda function: function.label)


def wait_for_executions(cloud: LocalCloud, *, seconds: float = 60) -> None:
    """Returns once no execution of the state machine is running, so that all invocations are reported.

    Raises:
        LocalCloudError: one is still running after so many seconds.
    """
    machine = cloud.outputs["StateMachineArn"]
    executions = cloud.aws.client("stepfunctions")
    end = time.monotonic() + seconds
    while executions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]:
        if time.monotonic() > end:
            raise LocalCloudError("An execution of the state machine does not end.")
        time.sleep(0.2)


def durations(cloud: LocalCloud, function: Function) -> list[float]:
    """The seconds of each invocation of a function so far; those that started a process include that."""
    pages = (
        cloud.aws.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=function.log_group, filterPattern='"REPORT RequestId"')
    )
    messages = (event["message"] for page in pages for event in page["events"])
    return [float(found[1]) / 1000 for message in messages if (found := _DURATION.search(message))]


def functions_table(cloud: LocalCloud, memory: Memory) -> Table:
    """What each function has taken so far, for people."""
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
    """The processes that run functions of this local AWS, and of no other on this machine."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is somebody else's
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
    """A field of /proc/PID/status, which is in KiB; a process that has just ended has none."""
    found = re.search(rf"^{field_name}:\s+([0-9]+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
