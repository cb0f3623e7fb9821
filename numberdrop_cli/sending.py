"""Send files one after the other, and remember which were sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from numberdrop.clock import utc_now
from numberdrop.files.formats.archive import ZIP_START
from numberdrop.jobs.checkers import Checker, checker_named
from numberdrop.jobs.reading_choice import Choice
from numberdrop.jobs.reasons import JobFailedError
from numberdrop.jobs.upload import REGION_METADATA
from numberdrop_cli.errors import InterruptedByUserError, OutcomeUnknownError, RefusedError
from numberdrop_cli.following import WatchedJob
from numberdrop_cli.notices import hint, priced, sent
from numberdrop_cli.obstacles import YOUNG_STACK
from numberdrop_cli.printing import safe_to_print
from numberdrop_cli.uploading import Uploader, key_for
from numberdrop_cli.views import View

if TYPE_CHECKING:
    from numberdrop_cli.connection import Connection

UNWATCHED = YOUNG_STACK.format(then="If 'numberdrop jobs' does not list it then, announce it:")

BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Order:
    """How to send each file.

    Attributes:
        checker: the checker.
        folder: the first part of the key, which names the checker.
        prefix: the folders after it, or None for new ones each time.
        region: where numbers without a country code belong, or None.
        choice: the column and sheet to read.
    """

    checker: Checker
    folder: str
    prefix: str | None
    region: str | None
    choice: Choice

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of each object."""
        region = {REGION_METADATA: self.region} if self.region else {}
        return region | self.choice.metadata


@dataclass(frozen=True)
class Sender:
    """Sends files to a stack.

    Attributes:
        order: how to send each file.
        jobs: the jobs of the files that were sent so far.
    """

    connection: "Connection"
    order: Order
    jobs: list[WatchedJob] = field(default_factory=list)

    def send_all(self, files: Sequence[Path], view: View) -> None:
        """Send one file after the other. Stop at the first that cannot be sent.

        Raises:
            RefusedError: nothing was sent.
            OutcomeUnknownError: a file was sent, or may have been, and then something failed.
            InterruptedByUserError: the user pressed Ctrl-C.
        """
        for number, path in enumerate(files, start=1):
            not_sent = "".join(f" {safe_to_print(other.name)} was not sent." for other in files[number:])
            try:
                self._send(path, view)
            except RefusedError as error:
                error_type = OutcomeUnknownError if self.jobs else RefusedError
                raise error_type(f"{safe_to_print(path.name)}: {error}{not_sent}") from None
            except OutcomeUnknownError as error:
                raise OutcomeUnknownError(f"{safe_to_print(path.name)}: {error}{not_sent}") from None
            except KeyboardInterrupt:
                raise InterruptedByUserError(
                    f"{safe_to_print(path.name)} may have been sent. Check with 'numberdrop jobs'.{not_sent}"
                ) from None

    def hint_at_lost_events(self, view: View) -> None:
        """Say that the files may go unnoticed, if the stack is new."""
        if self.connection.may_lose_events():
            for job in self.jobs:
                view.show(hint(job.name, UNWATCHED))

    def what_was_sent(self) -> str:
        """Return a sentence for the person whose command failed, or "" if nothing was sent."""
        if not self.jobs:
            return ""
        names = ", ".join(safe_to_print(job.name) for job in self.jobs)
        return f"Do not send again: {names}. The jobs go on. Look at them with 'numberdrop jobs'."

    def _send(self, path: Path, view: View) -> None:
        key = key_for(self.order.folder, self.order.prefix, path.name, utc_now())
        uploader = Uploader(self.connection.s3, self.connection.stack.upload_bucket)
        try:
            lines, size = _count_lines(path), path.stat().st_size
        except OSError as error:
            raise RefusedError(f"Not sent ({error.strerror}).") from None
        view.show(priced(path.name, self.order.checker, lines))
        upload = uploader.put(path, key, self.order.metadata, view.transfer(path.name, "sending", size))
        job_id = upload.job_id if upload.version_id else None
        self.jobs.append(WatchedJob(path.name, path.parent, upload, job_id))
        view.show(sent(path.name, upload, job_id))


def allowed_checker(folder: str, connection: "Connection") -> Checker:
    """Return the checker that the first part of a key names.

    Raises:
        RefusedError: the stack does not allow it.
    """
    try:
        return checker_named(
            folder,
            allow_sensitive=connection.stack.allow_sensitive,
            allowed_task_types=connection.stack.allowed_task_types,
        )
    except JobFailedError as error:
        raise RefusedError(error.reason.message) from None


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
