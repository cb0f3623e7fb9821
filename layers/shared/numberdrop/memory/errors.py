"""Errors of the verdict memory. None of them may block a paid job or lead to a wrong verdict."""


class VerdictMemoryError(Exception):
    """The memory could not be read or written.

    Attributes:
        cause: what went wrong, for logs: the class or code of an error.
    """

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class MemoryUnreadableError(VerdictMemoryError):
    """What is remembered cannot be read, so everything is sent to the vendor."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"The verdict memory cannot be read ({cause}). Everything is sent to the vendor.", cause
        )


class MemoryUnwritableError(VerdictMemoryError):
    """Something could not be stored or deleted, so it is paid for again, or has to be erased again."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"The verdict memory cannot be written ({cause}). Try again.", cause)


class ObjectGoneError(MemoryUnreadableError):
    """An object no longer exists. A run that is gone was merged into another one: list the runs again."""

    def __init__(self) -> None:
        super().__init__("gone")


class RecalledMissingError(MemoryUnreadableError):
    """The recalled answers of a job no longer exist, so its remembered entries stay unresolved."""

    def __init__(self) -> None:
        super().__init__("recalled answers are missing")
