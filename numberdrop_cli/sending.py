"""Send files one after the other, and remember which were sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from numberdrop.clock import utc_now
from numberdrop_cli.errors import InterruptedByUserError, OutcomeUnknownError, RefusedError
from numberdrop_cli.following import WatchedJob
from numberdrop_cli.notices import hint, sent
from numberdrop_cli.obstacles import YOUNG_STACK
from numberdrop_cli.order import LocalFile, Order
from numberdrop_cli.printing import safe_to_print
from numberdrop_cli.uploading import Uploader, key_for
from numberdrop_cli.views import View

if TYPE_CHECKING:
    from numberdrop_cli.connection import Connection

UNWATCHED = YOUNG_STACK.format(then="If 'numberdrop jobs' does not list it then, announce it:")


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

    def send_all(self, files: Sequence[LocalFile], view: View) -> None:
        """Send one file after the other. Stop at the first that cannot be sent.

        Raises:
            RefusedError: nothing was sent.
            OutcomeUnknownError: a file was sent, or may have been, and then something failed.
            InterruptedByUserError: the user pressed Ctrl-C.
        """
        # A key that would be too long is found before any file is sent.
        keys = [key_for(self.order.folder, self.order.prefix, file.name, utc_now()) for file in files]
        for number, (file, key) in enumerate(zip(files, keys, strict=True), start=1):
            not_sent = "".join(f" {safe_to_print(other.name)} was not sent." for other in files[number:])
            try:
                self._send(file, key, view)
            except RefusedError as error:
                error_type = OutcomeUnknownError if self.jobs else RefusedError
                raise error_type(f"{safe_to_print(file.name)}: {error}{not_sent}") from None
            except OutcomeUnknownError as error:
                raise OutcomeUnknownError(f"{safe_to_print(file.name)}: {error}{not_sent}") from None
            except KeyboardInterrupt:
                raise InterruptedByUserError(
                    f"{safe_to_print(file.name)} may have been sent. Check with 'numberdrop jobs'.{not_sent}"
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

    def _send(self, file: LocalFile, key: str, view: View) -> None:
        uploader = Uploader(self.connection.s3, self.connection.stack.upload_bucket)
        if file.has_changed:
            raise RefusedError("Not sent. It has changed since its price was computed. Send it again.")
        on_bytes = view.transfer(file.name, "sending", file.size)
        upload = uploader.put(file.path, key, self.order.metadata, on_bytes)
        job_id = upload.job_id if upload.version_id else None
        self.jobs.append(WatchedJob(file.name, file.folder, upload, job_id))
        view.show(sent(file.name, upload, job_id))
