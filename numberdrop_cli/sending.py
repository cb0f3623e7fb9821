"""The commands ``send`` and ``watch``: from a file to its job, and from a job to its results."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from numberdrop.clock import utc_now
from numberdrop.files.formats.archive import ZIP_START
from numberdrop.jobs.checkers import Checker, checker_named
from numberdrop.jobs.job import StoredResults
from numberdrop.jobs.reasons import JobFailedError
from numberdrop.jobs.transitions import State
from numberdrop.steps.submission import REGION_METADATA

from .aws_errors import in_words
from .connection import Connection
from .exit_status import ExitStatus, InterruptedByUserError, OutcomeUnknownError
from .following import Watched, follow
from .news import not_saved, priced, saved, sent, stopped
from .parameters import CheckerFolder, Connect, FileToSend, Folders, JobId, Region
from .printing import SHORT_ID, shown
from .refusal import RefusedError
from .saving import Saver, file_name
from .uploading import Uploader, key_for
from .views import BarView, PlainView, View, as_json, as_text

STATUS = {
    State.COMPLETED: ExitStatus.DONE,
    State.FAILED: ExitStatus.FAILED,
    State.ABANDONED: ExitStatus.FAILED,
    State.BLOCKED: ExitStatus.NEEDS_ATTENTION,
    State.IN_DOUBT: ExitStatus.NEEDS_ATTENTION,
}

BLOCK = 1024 * 1024

EXIT_STATUS = """\
Exit status: 0 done; 1 refused, nothing was sent; 2 a wrong call; 3 failed; 4 a person must act;
5 it was sent, but how it ended or its results could not be had; 130 interrupted, the jobs go on.
Of several files the worst counts.
"""

SEND_EPILOG = f"""\
\b
Examples:
  numberdrop send leads.txt --checker band --watch
  numberdrop send uk/*.csv --checker ws --region GB --prefix spring/uk
  numberdrop --stack numberdrop-prod send leads.txt --checker rcs --json

{EXIT_STATUS}"""

WATCH_EPILOG = f"""\
\b
Examples:
  numberdrop watch 330dddc07eb9
  numberdrop watch 330dddc07eb9 --into results --export

{EXIT_STATUS}"""

_export_option = click.option("--export", is_flag=True, help="Save the vendor's own file too.")
_force_option = click.option("--force", is_flag=True, help="Replace results that were saved before.")
_json_lines_option = click.option(
    "--json", "as_json_lines", is_flag=True, help="One JSON object a line, for programs."
)


@dataclass(frozen=True)
class _Order:
    """What is wanted of files.

    Attributes:
        folder: the first part of the key, which names the checker.
        prefix: the folders after it, or None for new ones.
    """

    checker: Checker
    folder: str
    prefix: str | None
    region: str | None

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of each object."""
        return {REGION_METADATA: self.region} if self.region else {}


@click.command(epilog=SEND_EPILOG)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FileToSend())
@click.option("--checker", "folder", required=True, type=CheckerFolder(), help="See 'numberdrop checkers'.")
@click.option("--region", type=Region(), help="Where numbers without a country code belong, for instance GB.")
@click.option("--prefix", type=Folders(), help="Folders in the bucket; else some that are new each time.")
@click.option("--watch", "watched", is_flag=True, help="Follow the jobs and save their results.")
@_export_option
@_force_option
@_json_lines_option
@click.pass_obj
def send(
    connected: Connect,
    *,
    files: tuple[Path, ...],
    folder: str,
    region: str | None,
    prefix: str | None,
    watched: bool,
    export: bool,
    force: bool,
    as_json_lines: bool,
) -> None:
    """Send files to be checked, which costs money.

    With --watch, the results of leads.txt are saved beside it, as leads.txt.results.csv and so on. Without
    it, the command ends once the files are in the bucket, and 'numberdrop watch' can follow them at any time.
    """
    if (export or force) and not watched:
        raise click.UsageError("--export and --force go with --watch.")
    _must_differ([path.name for path in files])
    connection = connected()
    order = _Order(_allowed_checker(folder, connection), folder, prefix, region)
    saver = Saver(connection.s3, with_export=export, force=force)
    if watched:
        for path in files:
            saver.check(path.parent, path.name)
    with _view(as_json_lines=as_json_lines) as view:
        jobs = _send_all(files, order, connection, view)
        if watched:
            _follow(jobs, connection, saver, view)


@click.command(epilog=WATCH_EPILOG)
@click.argument("prefixes", metavar="JOB...", nargs=-1, required=True, type=JobId())
@click.option(
    "--into",
    metavar="FOLDER",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where to save the results; else here.",
)
@_export_option
@_force_option
@_json_lines_option
@click.pass_obj
def watch(
    connected: Connect,
    *,
    prefixes: tuple[str, ...],
    into: Path,
    export: bool,
    force: bool,
    as_json_lines: bool,
) -> None:
    """Follow jobs to their end and save their results."""
    connection = connected()
    found = {job.job_id: job for job in map(connection.job, prefixes)}
    jobs = [Watched(file_name(job.upload.key), into, job.upload, job.job_id) for job in found.values()]
    _must_differ([job.name for job in jobs])
    saver = Saver(connection.s3, with_export=export, force=force)
    for job in jobs:
        saver.check(into, job.name)
    with _view(as_json_lines=as_json_lines) as view:
        _follow(jobs, connection, saver, view)


def _must_differ(names: Sequence[str]) -> None:
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise click.UsageError(f"{times} files are called {shown(name)}: take them one after the other.")


def _allowed_checker(folder: str, connection: Connection) -> Checker:
    try:
        return checker_named(folder, allow_sensitive=connection.stack.allow_sensitive)
    except JobFailedError as error:
        raise RefusedError(error.reason.message) from None


def _view(*, as_json_lines: bool) -> View:
    console = Console()
    if as_json_lines:
        return PlainView(as_json)
    return BarView(console) if console.is_terminal else PlainView(as_text)


def _send_all(files: Sequence[Path], order: _Order, connection: Connection, view: View) -> list[Watched]:
    """Sends one file after the other, up to the first that cannot be sent."""
    jobs: list[Watched] = []
    for number, path in enumerate(files, start=1):
        left = "".join(f" {shown(other.name)} was not sent." for other in files[number:])
        try:
            jobs.append(_send(path, order, connection, view))
        except RefusedError as error:
            kind = OutcomeUnknownError if jobs else RefusedError
            raise kind(f"{shown(path.name)}: {error}{left}") from None
        except OutcomeUnknownError as error:
            raise OutcomeUnknownError(f"{shown(path.name)}: {error}{left}") from None
        except KeyboardInterrupt:
            raise InterruptedByUserError(
                f"{shown(path.name)} may have been sent: see 'numberdrop jobs'.{left}"
            ) from None
    return jobs


def _send(path: Path, order: _Order, connection: Connection, view: View) -> Watched:
    key = key_for(order.folder, order.prefix, path.name, utc_now())
    uploader = Uploader(connection.s3, connection.stack.upload_bucket)
    try:
        lines, size = _lines(path), path.stat().st_size
        view.tell(priced(path.name, order.checker, lines))
        upload = uploader.put(path, key, order.metadata, view.transfer(path.name, "sending", size))
    except OSError as error:
        raise RefusedError(f"It was not sent ({error.strerror}).") from None
    job_id = upload.job_id if upload.version_id else None
    view.tell(sent(path.name, upload, job_id))
    return Watched(path.name, path.parent, upload, job_id)


def _lines(path: Path) -> int | None:
    """How many lines a text has, or None for an archive."""
    newlines, last = 0, b""
    with path.open("rb") as file:
        if file.read(len(ZIP_START)) == ZIP_START:
            return None
        file.seek(0)
        while block := file.read(BLOCK):
            newlines += block.count(b"\n")
            last = block[-1:]
    return newlines + (last != b"\n")


def _follow(jobs: Sequence[Watched], connection: Connection, saver: Saver, view: View) -> None:
    """Follows jobs to their ends and ends the command by the worst of them."""
    status = ExitStatus.DONE
    ids = " ".join(job.job_id[:SHORT_ID] for job in jobs if job.job_id)
    left = f"The jobs go on; to follow them: {f'numberdrop watch {ids}' if ids else 'numberdrop jobs'}"
    try:
        for each, job in follow(connection, jobs, view):
            view.tell(stopped(each.name, job))
            status = max(status, STATUS[job.state])
            if job.results:
                status = max(status, _save(job.results, each, saver, view))
    except KeyboardInterrupt:
        raise InterruptedByUserError(left) from None
    except (ClientError, BotoCoreError) as error:
        raise OutcomeUnknownError(f"{in_words(error)} {left}") from None
    click.get_current_context().exit(status)


def _save(results: StoredResults, each: Watched, saver: Saver, view: View) -> ExitStatus:
    try:
        view.tell(saved(each.name, saver.save(results, each.folder, each.name, view)))
    except RefusedError as error:
        view.tell(not_saved(each.name, str(error), results))
        return ExitStatus.OUTCOME_UNKNOWN
    return ExitStatus.DONE
