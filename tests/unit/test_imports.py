"""What each function imports when it starts: every cold start waits for that."""

import os
import subprocess
import sys
from dataclasses import fields

import pytest

from numberdrop.settings import CollectSettings, MemorySettings, Settings, SubmitSettings
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


OFF = {"REMEMBER_YES_DAYS": "0", "REMEMBER_NO_DAYS": "0", "MEMORY_BUCKET": "", "MEMORY_KEY_SECRET": ""}
"""Variables of a stack that remembers nothing."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "build", "kind"),
    [("submit", "queue_handler", SubmitSettings), ("collect", "collector", CollectSettings)],
)
def test_nothing_of_the_memory_is_loaded_while_it_is_off(
    function: str, build: str, kind: type[Settings]
) -> None:
    path = [PROJECT / "layers" / "shared", PROJECT / "functions" / function]
    settings = [*fields(kind), *fields(MemorySettings)]
    values = {item.name.upper(): "false" if item.type is bool else "1" for item in settings}
    env = {**os.environ, **values, **OFF, "PYTHONPATH": os.pathsep.join(map(str, path))}
    code = f"import sys, app; app.{build}(); print(*sys.modules)"

    listing = [sys.executable, "-c", code]
    loaded = subprocess.run(listing, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout.split()

    assert "numberdrop.steps" in loaded
    assert not [name for name in loaded if "memory" in name]
