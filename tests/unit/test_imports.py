"""What each function imports when it starts: every cold start waits for that."""

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
    "xlsxwriter",
}
"""Modules that are slow to import, or that only some uploads or exports need."""

NEEDED = {
    "submit": {"requests"},
    "check_status": {"requests"},
    "collect": {"requests"},
    "record_failure": set[str](),
    "reconcile": set[str](),
    "audit": set[str](),
    "compact": set[str](),
}


@pytest.mark.slow
@pytest.mark.parametrize("function", NEEDED)
def test_a_function_imports_only_the_slow_modules_it_needs(function: str) -> None:
    path = [PROJECT / "layers" / "shared", PROJECT / "functions" / function]
    listing = [sys.executable, "-c", "import sys, app; print(*sys.modules)"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}

    loaded = subprocess.run(listing, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout.split()

    assert SLOW.intersection(loaded) == NEEDED[function]
    assert "botocore.session" in loaded
