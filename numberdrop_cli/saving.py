"""Download results into a folder next to the file that was sent."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.buckets import ResultsBucket, StoredFile
from numberdrop.jobs.job import StoredResults
from numberdrop_cli.aws_errors import explain
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.names import RESULTS_ENDING, longest_name
from numberdrop_cli.printing import safe_to_print
from numberdrop_cli.views import View

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MANIFEST = "manifest.json"

RESULTS = {
    "results.csv",
    "results.xlsx",
    "yes.txt",
    "no.txt",
    "unknown.txt",
    "rejected.csv",
    "report.html",
    MANIFEST,
}
"""The files to save, if the job has them."""

EXPORT = re.compile(r"export\.[A-Za-z0-9]+")
"""The name of the vendor's own file. A name with separators is not trusted: it belongs to another upload,
whose key begins like this folder."""


def file_name(key: str) -> str:
    r"""Return the last part of a key as a file name, with unsafe characters replaced.

    >>> file_name("band/spring/a\\b.txt")
    'a_b.txt'
    """
    last = key.rpartition("/")[2]
    return "".join(letter if letter.isprintable() and letter != "\\" else "_" for letter in last)


def what_was_read(saved: Sequence[Path]) -> Mapping[str, Any] | None:
    """Return the member ``read`` of a saved manifest, or None if it has none."""
    for path in saved:
        if path.name == MANIFEST:
            facts: Mapping[str, Any] | None = json.loads(path.read_text("utf-8")).get("read")
            return facts
    return None


def results_folder(folder: Path, name: str) -> Path:
    """Return the folder for the results of a file of this name.

    >>> results_folder(Path("spring"), "leads.csv").as_posix()
    'spring/leads.csv.results'
    """
    return folder / f"{name}{RESULTS_ENDING}"


@dataclass(frozen=True)
class Saver:
    """Save results in ``<file name>.results/`` under their own names, by which ``report.html`` links to them.

    Attributes:
        with_export: save the vendor's own file too.
        force: overwrite existing files.
    """

    client: "S3Client"
    with_export: bool
    force: bool

    def check(self, folder: Path, name: str) -> None:
        """Check that the results of the named file can be saved in a folder.

        Raises:
            RefusedError: the folder is not writable, the name would be too long, or files would be
                overwritten.
        """
        target = results_folder(folder, name)
        if len(os.fsencode(name)) > longest_name(folder):
            raise RefusedError(
                f"The name {safe_to_print(name)} is too long: the folder of its results begins with it. "
                f"It may have {longest_name(folder)} bytes. Rename the file, or send it without --watch."
            )
        if target.exists() and not target.is_dir():
            raise RefusedError(
                f"{safe_to_print(target.name)} is a file, but the results need a folder of this name. "
                "Move it away."
            )
        for written in (folder, target):
            if written.exists() and not os.access(written, os.R_OK | os.W_OK | os.X_OK):
                raise RefusedError(
                    f"Cannot write to the folder {safe_to_print(str(written))!r}. "
                    "Choose another, or make it writable."
                )
        existing = target.iterdir() if target.exists() else ()
        taken = [safe_to_print(f"{target.name}/{path.name}") for path in existing if self._wants(path.name)]
        if taken and not self.force:
            raise RefusedError(
                f"Results exist already: {', '.join(sorted(taken))}. "
                "Move them away, or overwrite them with --force."
            )

    def save(self, results: StoredResults, folder: Path, name: str, view: View) -> list[Path]:
        """Save a job's results and return their paths. Each file is written whole or not at all.

        Raises:
            RefusedError: not all of the files were saved.
        """
        self.check(folder, name)
        target = results_folder(folder, name)
        saved = []
        try:
            target.mkdir(exist_ok=True)
            for file_name, stored in self._stored(results):
                path = target / file_name
                received = view.transfer(name, f"saving {file_name},", stored.size)
                self.client.download_file(results.bucket, stored.key, str(path), Callback=received)
                saved.append(path)
        except (ClientError, BotoCoreError, Boto3Error) as error:
            raise RefusedError(
                f"The results could not be downloaded. {safe_to_print(explain(error))}"
            ) from None
        except OSError as error:
            raise RefusedError(f"The results could not be written ({error.strerror}).") from None
        if not saved:
            raise RefusedError("The results are no longer in the bucket.")
        return saved

    def _stored(self, results: StoredResults) -> Iterator[tuple[str, StoredFile]]:
        """Yield the files to save, each with its name."""
        prefix = results.csv_key.removesuffix("results.csv")
        for stored in ResultsBucket(self.client, results.bucket).files(prefix):
            file_name = stored.key.removeprefix(prefix)
            if self._wants(file_name):
                yield file_name, stored

    def _wants(self, file_name: str) -> bool:
        return file_name in RESULTS or (self.with_export and bool(EXPORT.fullmatch(file_name)))
