"""Errors that reject an entry or fail a job because of its upload.

Their texts are for the person who dropped the file: what is wrong, then what to do.
"""

from numberdrop.jobs.reasons import JobFailedError, ReasonCode


class EntryRejectedError(Exception):
    """A row holds no entry that the checker accepts. The reason goes to the list of rejected rows.

    Args:
        reason: what is wrong, a colon, then what to do; without a full stop, as sentences quote it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_SAVE_AS_TEXT = (
    "Save it as plain text with one entry per line, as CSV (UTF-8) or as .xlsx, and upload it again."
)


def not_text(cause: str, advice: str = _SAVE_AS_TEXT) -> JobFailedError:
    """Return the error for a file that is not readable text, a table or a workbook.

    >>> not_text("The file is encoded in UTF-32.").reason.code
    <ReasonCode.NOT_TEXT: 'NOT_TEXT'>

    Args:
        cause: what is wrong, a sentence.
        advice: what to do, a sentence.
    """
    return JobFailedError(ReasonCode.NOT_TEXT, f"{cause} {advice}")


def line_too_long() -> JobFailedError:
    """Return the error for a file with a line longer than any list or table has."""
    return not_text("The file has a line that is far too long for one entry.")


def unknown_region() -> JobFailedError:
    """Return the error for a default region that has no phone numbers."""
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        "The file's default-region is not a country: it must be two letters of ISO 3166, such as DE, GB or "
        "US. Correct the object's metadata, or the stack's DefaultRegion, and upload the file again.",
    )
