"""Folders for working files, in the function's ephemeral storage.

A function that is killed, because its time or its memory is used up, leaves its files behind, and Lambda
keeps them for whoever comes next (AWS Lambda developer guide, "Understanding the Lambda execution environment
lifecycle"). A few large ones would fill the disk.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir

PREFIX = "numberdrop-scratch-"

_LOCK = "in-use"
"""A file in each folder that its owner keeps locked; the lock ends with the process, however that ends."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that is gone afterwards; those that others have left behind go first."""
    _clear_away()
    with TemporaryDirectory(prefix=PREFIX) as name:
        folder = Path(name)
        with (folder / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # It is called so only once it is locked: nobody takes the folder for one that was left behind.
            (folder / "lock").rename(folder / _LOCK)
            yield folder


def _clear_away() -> None:
    for folder in Path(gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            rmtree(folder)
