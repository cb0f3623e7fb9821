"""Settings for unit tests: they cannot open sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_socket import disable_socket, enable_socket

from tests.support.exports import Exports


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    disable_socket()
    yield
    enable_socket()


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return Exports(tmp_path)
