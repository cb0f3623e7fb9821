"""The layer as the SAM CLI builds it."""

from importlib.util import cache_from_source
from pathlib import Path

import pytest

from local.cloud import STACK, LocalCloud

UNCHECKED_HASH = 1
"""The flags of a compiled file that Python never compares with its source (PEP 552)."""


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
