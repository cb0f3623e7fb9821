"""The door: one message of the upload queue at a time."""

from dataclasses import dataclass

from numberdrop.queue import UploadQueue
from numberdrop.submission import Submission, TryAgain
from numberdrop.upload import upload_in_message


@dataclass(frozen=True)
class Intake:
    """Takes messages and hands back those whose time has not come."""

    submission: Submission
    queue: UploadQueue
    bucket: str

    def take(self, body: str, *, seconds: float) -> None:
        """Deals with one message within ``seconds``; returning means that the queue may forget it.

        Raises:
            NotAnUploadError: the message announces no upload of our bucket; nothing was read.
        """
        upload = upload_in_message(body, bucket=self.bucket)
        if upload is None:
            return
        outcome = self.submission.submit(upload, seconds=seconds)
        if isinstance(outcome, TryAgain):
            self.queue.send_again(body, after_seconds=outcome.after_seconds)
