"""The layer as the SAM CLI builds it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from local.cloud import STACK, LocalCloud
from tests.support.template import PROJECT, resources, template

UNCHECKED_HASH = 1
"""The flags of a compiled file that Python never compares with its source (PEP 552)."""

LIMIT_SECONDS = 10
"""Lambda stops an initialisation after this time and repeats it at the first event, within the function's
time-out (AWS Lambda developer guide, "Understanding the Lambda execution environment lifecycle")."""

FULL_CPU_MB = 1769
"""The memory with which a function gets a whole vCPU. Smaller functions get less in proportion (AWS Lambda
developer guide, "Configure Lambda function memory")."""

FUNCTIONS = resources("AWS::Serverless::Function")


@pytest.fixture
def layer(cloud: LocalCloud) -> Path:
    return cloud.folder / f"{STACK}-build" / "SharedLayer" / "python"


def test_every_module_of_the_layer_is_compiled(layer: Path) -> None:
    sources = list(layer.rglob("*.py"))
    assert sources
    for source in sources:
        flags = Path(cache_from_source(str(source))).read_bytes()[4:8]
        assert int.from_bytes(flags, "little") == UNCHECKED_HASH, source


def test_compiled_modules_contain_their_path_on_lambda(layer: Path) -> None:
    compiled = Path(cache_from_source(str(layer / "numberdrop" / "aws" / "ledger.py"))).read_bytes()
    assert b"/opt/python/numberdrop/aws/ledger.py" in compiled


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_starts_in_half_the_limit_uncompiled(
    layer: Path, tmp_path: Path, record_property: Callable[[str, object], None], name: str
) -> None:
    """Processor time is measured, so other programs do not count. Lambda may have half our speed."""
    not_compiled = tmp_path / "layer"
    shutil.copytree(layer, not_compiled, ignore=shutil.ignore_patterns("__pycache__"))
    function = FUNCTIONS[name]
    path = os.pathsep.join([str(PROJECT / function["CodeUri"]), str(not_compiled)])
    settings = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "us-east-1"}
    code = "import app, time; print(time.process_time())"

    runs = [
        float(subprocess.check_output([sys.executable, "-c", code], env=settings, text=True))
        for _ in range(3)
    ]

    memory = function.get("MemorySize", template()["Globals"]["Function"]["MemorySize"])
    seconds = min(runs) * FULL_CPU_MB / min(memory, FULL_CPU_MB)
    record_property("seconds", seconds)
    assert seconds < LIMIT_SECONDS / 2
