"""What each function loads before its first event: every cold start waits for it."""

import os
import subprocess
import sys

import pytest

from tests.support.template import PROJECT

SLOW = {
    "boto3",
    "s3transfer",
    "requests",
    "openpyxl",
    "phonenumbers",
    "aws_xray_sdk",
    "jsonschema",
    "sqlite3",
}
"""What takes long to import, and what only some uploads or exports need."""

NEEDED = {
    "submit": {"requests"},
    "check_status": {"requests"},
    "collect": {"requests"},
    "record_failure": set[str](),
    "reconcile": set[str](),
    "audit": set[str](),
}


@pytest.mark.parametrize("function", NEEDED)
def test_a_function_loads_what_it_needs_each_time_and_nothing_slow_besides(function: str) -> None:
    path = [PROJECT / "layers" / "shared", PROJECT / "functions" / function]
    listing = [sys.executable, "-c", "import sys, app; print(*sys.modules)"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}

    loaded = subprocess.run(listing, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout.split()

    assert SLOW.intersection(loaded) == NEEDED[function]
    assert "botocore.session" in loaded
