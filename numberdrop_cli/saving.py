"""Results from the results bucket to files beside the one that was sent."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.buckets import ResultsBucket, StoredFile
from numberdrop.jobs.job import StoredResults
from numberdrop_cli.aws_errors import explain
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.printing import safe_to_print
from numberdrop_cli.views import View

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RESULTS = {"results.csv", "rejected.csv", "report.html", "manifest.json"}
"""What is saved, as far as the job has it."""

EXPORT = "export."
"""How the name of the vendor's own file begins; its ending differs by checker."""


def file_name(key: str) -> str:
    """The last part of a key as the name of a file; what is unfit for one is replaced."""
    last = key.rpartition("/")[2]
    return "".join(letter if letter.isprintable() and letter != "\\" else "_" for letter in last)


@dataclass(frozen=True)
class Saver:
    """Saves results as ``<file name>.results.csv`` and so on.

    Attributes:
        with_export: whether the vendor's own file is saved too.
        force: whether files that are there may be replaced.
    """

    client: "S3Client"
    with_export: bool
    force: bool

    def check(self, folder: Path, name: str) -> None:
        """Raises ``RefusedError`` unless the results of a file so called can be saved in a folder."""
        if not os.access(folder, os.W_OK | os.X_OK):
            raise RefusedError(f"Nothing can be saved in the folder {safe_to_print(str(folder))!r}.")
        start = f"{name}."
        taken = [
            safe_to_print(path.name)
            for path in folder.iterdir()
            if path.name.startswith(start) and self._wants(path.name.removeprefix(start))
        ]
        if taken and not self.force:
            raise RefusedError(
                f"There are results already: {', '.join(sorted(taken))}. Move them away, or say --force."
            )

    def save(self, results: StoredResults, folder: Path, name: str, view: View) -> list[Path]:
        """Saves a job's results, each file whole or not at all; returns where they are.

        Raises:
            RefusedError: they are not all saved.
        """
        self.check(folder, name)
        saved = []
        try:
            for file_name, stored in self._stored(results):
                path = folder / f"{name}.{file_name}"
                received = view.transfer(name, f"saving {file_name},", stored.size)
                self.client.download_file(results.bucket, stored.key, str(path), Callback=received)
                saved.append(path)
        except (ClientError, BotoCoreError, Boto3Error) as error:
            raise RefusedError(f"The results could not be fetched. {safe_to_print(explain(error))}") from None
        except OSError as error:
            raise RefusedError(f"The results could not be written ({error.strerror}).") from None
        if not saved:
            raise RefusedError("The results are not in the bucket any more.")
        return saved

    def _stored(self, results: StoredResults) -> Iterator[tuple[str, StoredFile]]:
        """What the results' folder holds of what is wanted, by name."""
        prefix = results.csv_key.removesuffix("results.csv")
        for stored in ResultsBucket(self.client, results.bucket).files(prefix):
            file_name = stored.key.removeprefix(prefix)
            if self._wants(file_name):
                yield file_name, stored

    def _wants(self, file_name: str) -> bool:
        return file_name in RESULTS or (self.with_export and file_name.startswith(EXPORT))
