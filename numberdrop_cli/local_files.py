"""The files that a command works on: those that the user named, and standard input."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import click

from numberdrop.jobs.upload import LARGEST_UPLOAD
from numberdrop_cli.order import LocalFile
from numberdrop_cli.parameters import STANDARD_INPUT, require_different_names

BLOCK_BYTES = 1024 * 1024


def require_names(paths: Sequence[Path], name: str | None) -> None:
    """Check that every file has a name of its own.

    Raises:
        UsageError: standard input is named twice or has no name, or two files have one name.
    """
    if paths.count(STANDARD_INPUT) > 1:
        raise click.UsageError("Standard input (-) can be read once.")
    if (STANDARD_INPUT in paths) != (name is not None):
        raise click.UsageError("Standard input (-) needs --name, and no other file does.")
    require_different_names([name or "" if path == STANDARD_INPUT else path.name for path in paths])


@contextmanager
def opened_files(paths: Sequence[Path], name: str | None) -> Iterator[list[LocalFile]]:
    """Yield the files. Standard input is kept in a temporary folder as long as the context is open.

    Args:
        paths: the files; one of them may be ``-``.
        name: the name of standard input, without which it cannot be named.

    Raises:
        UsageError: see ``require_names``; or standard input is empty or too large.
    """
    require_names(paths, name)
    with TemporaryDirectory() as folder:
        input_path = Path(folder) / "standard-input"
        if STANDARD_INPUT in paths:
            with input_path.open("wb") as copy:
                _copy_input(sys.stdin.buffer, copy)
        yield [
            LocalFile.found(input_path, name or "", Path())
            if path == STANDARD_INPUT
            else LocalFile.found(path, path.name, path.parent)
            for path in paths
        ]


def _copy_input(source: BinaryIO, copy: BinaryIO) -> None:
    size = 0
    while block := source.read(BLOCK_BYTES):
        size += copy.write(block)
        if size > LARGEST_UPLOAD:
            raise click.UsageError(
                f"Standard input has more than {LARGEST_UPLOAD // 1_000_000} MB, the limit for one file."
            )
    if not size:
        raise click.UsageError("Standard input is empty.")
