"""Temporary folders in a function's ephemeral storage.

A function that is killed for running out of time or memory leaves its files behind, and Lambda may keep them
for the next invocation (AWS Lambda developer guide, "Understanding the Lambda execution environment
lifecycle"). A few large files would fill the disk.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir

PREFIX = "numberdrop-scratch-"

_LOCK = "in-use"
"""Name of the lock file in each folder. The lock ends with the process, even if that is killed."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a new folder and delete it afterwards; first delete folders that killed processes left behind.

    >>> with scratch_folder() as folder:
    ...     _ = (folder / "export.zip").write_bytes(b"...")
    >>> folder.exists()
    False
    """
    _delete_abandoned()
    with TemporaryDirectory(prefix=PREFIX) as name:
        folder = Path(name)
        with (folder / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Renamed only once it is locked, so that no other process deletes this folder as abandoned.
            (folder / "lock").rename(folder / _LOCK)
            yield folder


def _delete_abandoned() -> None:
    for folder in Path(gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            rmtree(folder)
