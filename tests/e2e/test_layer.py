"""The layer as the SAM CLI has built it."""

from importlib.util import cache_from_source
from pathlib import Path

import pytest

from local.cloud import STACK, LocalCloud

UNCHECKED_HASH = 1
"""The flags of a compiled file that is never held against its source (PEP 552)."""


@pytest.fixture
def layer(cloud: LocalCloud) -> Path:
    return cloud.folder / f"{STACK}-build" / "SharedLayer" / "python"


def test_every_module_is_compiled_for_the_python_that_runs_it(layer: Path) -> None:
    sources = list(layer.rglob("*.py"))
    assert sources
    for source in sources:
        flags = Path(cache_from_source(str(source))).read_bytes()[4:8]
        assert int.from_bytes(flags, "little") == UNCHECKED_HASH, source


def test_modules_name_the_place_that_they_run_from(layer: Path) -> None:
    compiled = Path(cache_from_source(str(layer / "numberdrop" / "aws" / "ledger.py"))).read_bytes()
    assert b"/opt/python/numberdrop/aws/ledger.py" in compiled
