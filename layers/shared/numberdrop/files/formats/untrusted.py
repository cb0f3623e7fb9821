"""Errors for files that come from outside: uploads and exports."""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL


class InvalidFileError(Exception):
    """A file from outside is broken, hostile or not a table; the message says which and quotes none of it."""


@contextmanager
def parse_errors_as(message: str) -> Iterator[None]:
    """Raise ``InvalidFileError`` with this message in place of whatever a parser raises.

    The cause is dropped because it may quote the file.

        >>> with parse_errors_as("The file is not a number."):
        ...     int("+41790000001x")
        Traceback (most recent call last):
        numberdrop.files.formats.untrusted.InvalidFileError: The file is not a number.
    """
    try:
        yield
    except InvalidFileError:
        raise
    except OSError as error:
        if error.errno not in {None, EINVAL}:  # a full disk, say, is not the fault of the file
            raise
        raise InvalidFileError(message) from None
    except Exception:  # noqa: BLE001 - parsers raise errors of any kind on hostile bytes
        raise InvalidFileError(message) from None
