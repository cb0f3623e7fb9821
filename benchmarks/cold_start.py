"""Start-up time of each function with the built layer, compared with common ways to write one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from compileall import compile_dir
from dataclasses import dataclass, fields
from importlib.metadata import files
from pathlib import Path
from py_compile import PycInvalidationMode
from statistics import median
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from numberdrop.settings import (
    AuditSettings,
    CheckStatusSettings,
    CollectSettings,
    CompactSettings,
    MemorySettings,
    ReconcileSettings,
    SubmitSettings,
)

PROJECT = Path(__file__).resolve().parent.parent
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ROUNDS = 15
MB = 1_000_000

MAKERS = {
    "check_status": "status_checker",
    "submit": "queue_handler",
    "collect": "collector",
    "record_failure": "failure_recorder",
    "reconcile": "reconciler",
    "audit": "auditor",
    "compact": "compactor",
}
"""The name in each function's module that creates its clients at the first event."""

BARE = ("requests", "urllib3", "idna", "certifi", "charset-normalizer")
FULL_STACK = (*BARE, "aws-lambda-powertools", "jmespath", "typing-extensions", "aws-xray-sdk", "wrapt")
"""Distributions that each alternative deploys; boto3 is part of the Lambda runtime."""

SAME_CLIENTS = "boto3.client('dynamodb'); boto3.client('secretsmanager')"
"""The clients of check_status."""

IMPORTS_OF_BARE = "import boto3, requests"

IMPORTS_OF_FULL_STACK = """
import boto3, requests
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent
Logger(); Metrics(); Tracer(); DynamoDBPersistenceLayer(table_name="keys")
"""
"""Includes the objects that such a function creates on import; the Tracer then imports the X-Ray SDK."""

TIMED = """
from time import process_time
start = process_time()
{imports}
imported = process_time()
{clients}
print(imported - start, process_time() - start)
"""
"""It measures processor time: start-up waits for nothing, and other programs do not count."""

LAMBDA = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "LAMBDA_TASK_ROOT": "/var/task",  # without it the X-Ray SDK imports other modules
    "POWERTOOLS_SERVICE_NAME": "numberdrop",
    "POWERTOOLS_METRICS_NAMESPACE": "numberdrop",
}


@dataclass(frozen=True, slots=True)
class Start:
    """A function and how it starts.

    Attributes:
        imports: code that runs when the function is loaded.
        clients: code that creates its clients.
        path: deployed folders.
    """

    imports: str
    clients: str
    path: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Unzipped size of the deployed folders in bytes."""
        return sum(
            file.stat().st_size for folder in self.path for file in folder.rglob("*") if file.is_file()
        )


@dataclass(frozen=True, slots=True)
class Duration:
    """Seconds from the start of a function until its imports, and until its clients, are ready."""

    imported: float
    ready: float


def main() -> None:
    """Measure and print the table."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        layer, functions = _build_layer(folder / "layer"), _copy_functions(folder / "functions")
        starts = {function: _of_function(function, functions, layer) for function in MAKERS}
        starts["check_status, not compiled"] = _of_function("check_status", functions, _not_compiled(layer))
        bare = _copy_packages(BARE, folder / "bare")
        full_stack = _copy_packages(FULL_STACK, folder / "full")
        starts |= {
            "boto3 and requests": Start(IMPORTS_OF_BARE, SAME_CLIENTS, (_compiled(bare),)),
            "the usual full stack": Start(IMPORTS_OF_FULL_STACK, SAME_CLIENTS, (_compiled(full_stack),)),
            "... as 'sam build' leaves it": Start(IMPORTS_OF_FULL_STACK, SAME_CLIENTS, (full_stack,)),
        }
        _run(starts["the usual full stack"], keep_compiled=True)  # compiles boto3 too
        _show(starts, _measured(starts))


def _build_layer(folder: Path) -> Path:
    """Build the layer, compiled for the Python that runs this."""
    subprocess.run(
        ["make", "build-SharedLayer", f"ARTIFACTS_DIR={folder}", f"LAMBDA_PYTHON={PYTHON}"],
        cwd=PROJECT / "layers" / "shared",
        env={**os.environ, "PATH": f"{os.environ['PATH']}{os.pathsep}{Path(sys.executable).parent}"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return folder / "python"


def _copy_functions(folder: Path) -> Path:
    shutil.copytree(PROJECT / "functions", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _of_function(name: str, functions: Path, layer: Path) -> Start:
    return Start("import app", f"app.{MAKERS[name]}()", (functions / name, layer))


def _copy_packages(distributions: tuple[str, ...], folder: Path) -> Path:
    """Copy the files of this environment's distributions, without compiled ones."""
    for distribution in distributions:
        for file in files(distribution) or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(Path(file.locate()), target)
    return folder


def _compiled(folder: Path) -> Path:
    """Copy a folder and compile it like the layer."""
    copy = folder.with_name(f"{folder.name}-compiled")
    shutil.copytree(folder, copy)
    compile_dir(copy, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    return copy


def _not_compiled(folder: Path) -> Path:
    """Copy a folder without compiled files, as if Lambda's Python version had not been available."""
    copy = folder.with_name(f"{folder.name}-not-compiled")
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def _measured(starts: Mapping[str, Start]) -> dict[str, Duration]:
    """Return medians of several rounds, in turns so that all see the same noise."""
    runs: dict[str, list[Duration]] = {name: [] for name in starts}
    for _ in range(ROUNDS):
        for name, start in starts.items():
            runs[name].append(_run(start))
    return {
        name: Duration(
            median(run.imported for run in runs_of_name), median(run.ready for run in runs_of_name)
        )
        for name, runs_of_name in runs.items()
    }


def _run(start: Start, *, keep_compiled: bool = False) -> Duration:
    env = {
        **LAMBDA,
        **_settings(),
        "PYTHONPATH": os.pathsep.join(map(str, start.path)),
        "PYTHONDONTWRITEBYTECODE": "" if keep_compiled else "1",
    }
    code = TIMED.format(imports=start.imports, clients=start.clients)
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, check=True, text=True
    )
    imported, ready = done.stdout.split()
    return Duration(float(imported), float(ready))


def _settings() -> dict[str, str]:
    """Return a value for every variable that a function reads."""
    kinds = (
        *(SubmitSettings, CheckStatusSettings, CollectSettings, ReconcileSettings, AuditSettings),
        *(MemorySettings, CompactSettings),
    )
    read = [setting for kind in kinds for setting in fields(kind)]
    values = {setting.name.upper(): "false" if setting.type is bool else "1" for setting in read}
    return values | {"REMEMBER_YES_DAYS": "0", "REMEMBER_NO_DAYS": "0"}


def _show(starts: Mapping[str, Start], durations: Mapping[str, Duration]) -> None:
    table = Table(title="Cold starts", title_justify="left")
    table.add_column("function", no_wrap=True)
    for heading in ("imports ms", "and clients ms", "unzipped MB"):
        table.add_column(heading, justify="right")
    for name, start in starts.items():
        duration = durations[name]
        table.add_row(
            name, f"{duration.imported * 1000:.0f}", f"{duration.ready * 1000:.0f}", f"{start.size / MB:.1f}"
        )
    Console(highlight=False).print(table)
