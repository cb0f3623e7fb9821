"""The outcomes of handling a message of the upload queue."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settled:
    """The message is done and can be deleted.

    Attributes:
        accepted: whether the vendor has accepted the file just now.
    """

    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Requeue:
    """A copy of the message must arrive after some seconds."""

    after_seconds: int
