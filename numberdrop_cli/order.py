"""The files that the user names, and how to read and send them."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Self

from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.max_age import MAX_AGE_METADATA
from numberdrop.jobs.price_ceiling import MAX_USD_METADATA
from numberdrop.jobs.reading_choice import Choice
from numberdrop.jobs.upload import REGION_METADATA
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.printing import safe_to_print


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this computer.

    Attributes:
        path: where its bytes are.
        name: its name, as people see it. It is the last part of the key.
        folder: where its results are saved.
        size: its size in bytes when it was found.
        modified: when it was last written, in nanoseconds.
    """

    path: Path
    name: str
    folder: Path
    size: int
    modified: int

    @classmethod
    def found(cls, path: Path, name: str, folder: Path) -> Self:
        """Return a file as it is now.

        Raises:
            RefusedError: the file is gone.
        """
        try:
            status = path.stat()
        except OSError as error:
            raise RefusedError(f"{safe_to_print(name)} cannot be read ({error.strerror}).") from None
        return cls(path, name, folder, status.st_size, status.st_mtime_ns)

    @property
    def has_changed(self) -> bool:
        """Whether it has been written to since, so that nobody has seen the price of what it holds."""
        return self.found(self.path, self.name, self.folder) != self


@dataclass(frozen=True, slots=True)
class Order:
    """How to read and send each file.

    Attributes:
        checker: the checker.
        folder: the first part of the key, which names the checker.
        prefix: the folders after it, or None for new ones each time.
        region: where numbers without a country code belong, or None.
        choice: the column and sheet to read.
        max_usd: the most that all files together may cost in USD at list price, or None.
        max_age: how many days old a remembered verdict may be, or None for the stack's own limits.
    """

    checker: Checker
    folder: str
    prefix: str | None
    region: str | None
    choice: Choice
    max_usd: Decimal | None = None
    max_age: int | None = None

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of each object."""
        region = {REGION_METADATA: self.region} if self.region else {}
        most = {MAX_USD_METADATA: f"{self.max_usd:f}"} if self.max_usd is not None else {}
        age = {MAX_AGE_METADATA: str(self.max_age)} if self.max_age is not None else {}
        return region | self.choice.metadata | most | age
