"""Why a job failed or needs attention: the reason codes of events."""

from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """The reason codes of the event contract."""

    UNKNOWN_CHECKER = "UNKNOWN_CHECKER"
    CHECKER_NOT_ALLOWED = "CHECKER_NOT_ALLOWED"
    EMPTY_FILE = "EMPTY_FILE"
    NOT_TEXT = "NOT_TEXT"
    TOO_LARGE = "TOO_LARGE"
    TOO_SMALL = "TOO_SMALL"
    TOO_EXPENSIVE = "TOO_EXPENSIVE"
    NO_VALID_NUMBERS = "NO_VALID_NUMBERS"
    UPLOAD_GONE = "UPLOAD_GONE"
    UPLOAD_UNREADABLE = "UPLOAD_UNREADABLE"
    VENDOR_REJECTED = "VENDOR_REJECTED"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    BAD_API_KEY = "BAD_API_KEY"
    SUBMISSION_IN_DOUBT = "SUBMISSION_IN_DOUBT"
    TASK_FAILED = "TASK_FAILED"
    TASK_NOT_FOUND = "TASK_NOT_FOUND"
    TIMED_OUT = "TIMED_OUT"
    RESULT_UNTRUSTED = "RESULT_UNTRUSTED"
    RESULT_INVALID = "RESULT_INVALID"
    RESULT_UNAVAILABLE = "RESULT_UNAVAILABLE"
    ABORTED = "ABORTED"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class Reason:
    """A code for programs and a message that tells a person what to do."""

    code: ReasonCode
    message: str


def in_doubt(cause: str) -> Reason:
    """Return the reason of a submission whose outcome is unknown; ``cause`` is a sentence.

    >>> in_doubt("The connection was reset.").code
    <ReasonCode.SUBMISSION_IN_DOUBT: 'SUBMISSION_IN_DOUBT'>
    """
    return Reason(
        ReasonCode.SUBMISSION_IN_DOUBT,
        f"{cause} The vendor may have charged for the file, so it is not sent again automatically. "
        "Look for the task in the vendor's console, then decide.",
    )


def not_accepted_in_time(read_error: str | None) -> Reason:
    """Return the reason of a job whose file did not reach the vendor before the deadline.

    >>> not_accepted_in_time("AccessDenied").message
    'The upload could not be read in time: S3 answered AccessDenied. Nothing was charged. Let the role of ...'

    Args:
        read_error: S3's latest answer if the upload could not be read, or None.
    """
    if read_error:
        return Reason(
            ReasonCode.TIMED_OUT,
            f"The upload could not be read in time: S3 answered {read_error}. Nothing was charged. Let the "
            "role of the submit function read it, then upload it again.",
        )
    return Reason(
        ReasonCode.TIMED_OUT,
        "The vendor did not accept the file in time. Nothing was charged. Upload it again.",
    )


UPLOAD_IS_ARCHIVED = Reason(
    ReasonCode.UPLOAD_UNREADABLE,
    "The upload is in an archive storage class, so it cannot be read. Nothing was charged. Upload it again "
    "in another storage class.",
)


def refused(words: str, *, concerns_key: bool) -> Reason:
    """Return the reason of a file that the vendor refuses until a person acts; ``words`` are the vendor's.

    >>> refused("balance 0", concerns_key=False).code
    <ReasonCode.INSUFFICIENT_BALANCE: 'INSUFFICIENT_BALANCE'>
    """
    if concerns_key:
        return Reason(
            ReasonCode.BAD_API_KEY,
            f"The vendor refuses the API key ({words}). Put a valid key into the secret; "
            "then the upload continues by itself.",
        )
    return Reason(
        ReasonCode.INSUFFICIENT_BALANCE,
        f"The vendor's account has too little money ({words}). Top it up; then the upload "
        "continues by itself.",
    )


FORGOTTEN_SUBMISSION = in_doubt(
    "The file was about to be sent before, but the ledger has forgotten that, as after restoring its table."
)
REPEATED_TASK_ID = in_doubt("The vendor returned the id of a task that belongs to another file.")
WORKER_LOST_WHILE_SENDING = in_doubt("The function ended while the file was being sent.")


class JobFailedError(Exception):
    """The job fails for the given reason. Do not retry."""

    def __init__(self, code: ReasonCode, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.reason = Reason(code, message)
