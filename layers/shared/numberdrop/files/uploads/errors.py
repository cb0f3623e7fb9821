"""What cannot be sent: an entry, or an upload with a region that has no numbers."""

from numberdrop.jobs.reasons import JobFailedError, ReasonCode


class EntryRejectedError(Exception):
    """A row holds no entry that the checker takes; the reason is for the list of rejected rows."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def unknown_region() -> JobFailedError:
    """The end of a job with a region that has no numbers."""
    return JobFailedError(
        ReasonCode.NO_VALID_NUMBERS,
        "The file's default-region is no country: it must be two letters of ISO 3166, such as DE, GB or US. "
        "Correct the object's metadata, or the stack's DefaultRegion, and upload the file again.",
    )
