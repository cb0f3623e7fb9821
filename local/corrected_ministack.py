"""Start MiniStack so that all processes of a function share one unpacked copy of its code and layer.

Runs in the environment of the local cloud. MiniStack 1.5.33 unpacks both for every process that it starts.
The layer has some 2,700 files, so that takes most of a second, during which MiniStack answers nobody.
"""

import hashlib
import threading
import zipfile
from collections.abc import Iterable
from pathlib import Path
from tempfile import gettempdir
from types import ModuleType
from typing import Any

from ministack.app import main
from ministack.core import lambda_runtime

_unpacking = threading.Lock()


class SharedArchive(zipfile.ZipFile):
    """An archive that is unpacked once; further folders become links to the first."""

    def __init__(self, file: str, *args: Any, **kwargs: Any) -> None:
        digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        self._copy = Path(gettempdir(), f"unpacked-{digest}")
        super().__init__(file, *args, **kwargs)

    def namelist(self) -> list[str]:
        """Return the names that MiniStack has to check: none if it did so before it unpacked the copy."""
        return [] if self._copy.exists() else super().namelist()

    def extractall(
        self,
        path: Any = None,
        members: Iterable[str | zipfile.ZipInfo] | None = None,
        pwd: bytes | None = None,
    ) -> None:
        """Replace the empty folder ``path`` by a link to the unpacked copy."""
        with _unpacking:
            if not self._copy.exists():
                unfinished = self._copy.with_suffix(".unfinished")
                super().extractall(unfinished, members, pwd)
                unfinished.rename(self._copy)
        Path(path).rmdir()
        Path(path).symlink_to(self._copy)


def share_archives() -> None:
    """Let MiniStack's starter of processes use ``SharedArchive``."""
    shared = ModuleType("zipfile")
    vars(shared).update(vars(zipfile), ZipFile=SharedArchive)
    lambda_runtime.zipfile = shared


if __name__ == "__main__":
    share_archives()
    main()
