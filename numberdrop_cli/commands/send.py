"""The command `send`: upload files, and follow their jobs on request."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from numberdrop.clock import utc_now
from numberdrop.files.formats.archive import ZIP_START
from numberdrop.jobs.checkers import Checker, checker_named
from numberdrop.jobs.reasons import JobFailedError
from numberdrop.steps.preparation import REGION_METADATA
from numberdrop_cli.errors import InterruptedByUserError, OutcomeUnknownError, RefusedError
from numberdrop_cli.following import WatchedJob
from numberdrop_cli.notices import priced, sent
from numberdrop_cli.parameters import (
    CheckerFolder,
    Connect,
    FileToSend,
    FolderPath,
    Region,
    export_option,
    force_option,
    json_lines_option,
)
from numberdrop_cli.printing import safe_to_print
from numberdrop_cli.saving import Saver
from numberdrop_cli.uploading import Uploader, key_for
from numberdrop_cli.views import View, view_for
from numberdrop_cli.watching import EXIT_STATUS_HELP, follow_and_save, require_different_names

if TYPE_CHECKING:
    from numberdrop_cli.connection import Connection

BLOCK_BYTES = 1024 * 1024

EPILOG = f"""\
\b
Examples:
  numberdrop send leads.txt --checker band --watch
  numberdrop send uk/*.csv --checker ws --region GB --prefix spring/uk
  numberdrop --stack numberdrop-prod send leads.txt --checker rcs --json

{EXIT_STATUS_HELP}"""


@dataclass(frozen=True)
class _Order:
    """How to send each file.

    Attributes:
        checker: the checker.
        folder: the first part of the key, which names the checker.
        prefix: the folders after it, or None for new ones each time.
        region: where numbers without a country code belong, or None.
    """

    checker: Checker
    folder: str
    prefix: str | None
    region: str | None

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of each object."""
        return {REGION_METADATA: self.region} if self.region else {}


@click.command(epilog=EPILOG)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FileToSend())
@click.option("--checker", "folder", required=True, type=CheckerFolder(), help="See 'numberdrop checkers'.")
@click.option("--region", type=Region(), help="Country of numbers without a country code, for instance GB.")
@click.option("--prefix", type=FolderPath(), help="Folders in the bucket. Default: new ones each time.")
@click.option("--watch", "watching", is_flag=True, help="Follow the jobs and save their results.")
@export_option
@force_option
@json_lines_option
@click.pass_obj
def send(
    connected: Connect,
    *,
    files: tuple[Path, ...],
    folder: str,
    region: str | None,
    prefix: str | None,
    watching: bool,
    export: bool,
    force: bool,
    as_json_lines: bool,
) -> None:
    """Send files to be checked, which costs money.

    With --watch, the results of leads.txt are saved next to it as leads.txt.results.csv and so on. Without
    it, the command ends when the files are in the bucket. 'numberdrop watch' can follow the jobs at any time.
    """
    if (export or force) and not watching:
        raise click.UsageError("--export and --force need --watch.")
    require_different_names([path.name for path in files])
    connection = connected()
    order = _Order(_allowed_checker(folder, connection), folder, prefix, region)
    saver = Saver(connection.s3, with_export=export, force=force)
    if watching:
        for path in files:
            saver.check(path.parent, path.name)
    with view_for(as_json_lines=as_json_lines) as view:
        jobs = _send_all(files, order, connection, view)
        if watching:
            follow_and_save(jobs, connection, saver, view)


def _allowed_checker(folder: str, connection: "Connection") -> Checker:
    try:
        return checker_named(
            folder,
            allow_sensitive=connection.stack.allow_sensitive,
            allowed_task_types=connection.stack.allowed_task_types,
        )
    except JobFailedError as error:
        raise RefusedError(error.reason.message) from None


def _send_all(files: Sequence[Path], order: _Order, connection: "Connection", view: View) -> list[WatchedJob]:
    """Send one file after the other. Stop at the first that cannot be sent."""
    jobs: list[WatchedJob] = []
    for number, path in enumerate(files, start=1):
        not_sent = "".join(f" {safe_to_print(other.name)} was not sent." for other in files[number:])
        try:
            jobs.append(_send(path, order, connection, view))
        except RefusedError as error:
            error_type = OutcomeUnknownError if jobs else RefusedError
            raise error_type(f"{safe_to_print(path.name)}: {error}{not_sent}") from None
        except OutcomeUnknownError as error:
            raise OutcomeUnknownError(f"{safe_to_print(path.name)}: {error}{not_sent}") from None
        except KeyboardInterrupt:
            raise InterruptedByUserError(
                f"{safe_to_print(path.name)} may have been sent. Check with 'numberdrop jobs'.{not_sent}"
            ) from None
    return jobs


def _send(path: Path, order: _Order, connection: "Connection", view: View) -> WatchedJob:
    key = key_for(order.folder, order.prefix, path.name, utc_now())
    uploader = Uploader(connection.s3, connection.stack.upload_bucket)
    try:
        lines, size = _count_lines(path), path.stat().st_size
        view.show(priced(path.name, order.checker, lines))
        upload = uploader.put(path, key, order.metadata, view.transfer(path.name, "sending", size))
    except OSError as error:
        raise RefusedError(f"Not sent ({error.strerror}).") from None
    job_id = upload.job_id if upload.version_id else None
    view.show(sent(path.name, upload, job_id))
    return WatchedJob(path.name, path.parent, upload, job_id)


def _count_lines(path: Path) -> int | None:
    """Return how many lines a text file has, or None for an archive."""
    newlines, last = 0, b""
    with path.open("rb") as file:
        if file.read(len(ZIP_START)) == ZIP_START:
            return None
        file.seek(0)
        while block := file.read(BLOCK_BYTES):
            newlines += block.count(b"\n")
            last = block[-1:]
    return newlines + (last != b"\n")
