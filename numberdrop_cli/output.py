"""Standard streams that may be closed, and whose encoding may not have every character."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path


def replace_closed_streams() -> None:
    """Open the null device for each standard stream that is closed.

    Python has None for such a stream. And the next file to be opened would get its descriptor, so that a
    message of the C library could end up in a file or a connection.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - open until the end
            setattr(sys, name, stream)


def accept_any_character() -> None:
    """Write characters that the output's encoding does not have as escapes.

    A failure would end the command after the file was sent.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush_output() -> None:
    """Write what is buffered.

    Raises:
        OSError: the reader has closed the pipe, or the disk is full.
    """
    sys.stdout.flush()


def drop_unwritable_output() -> None:
    """Drop buffered output that cannot be written.

    Python flushes the output once more when it exits, and would change the exit status if that failed
    (Python documentation, "sys.exit" and "Note on SIGPIPE").
    """
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, TextIOWrapper):
            continue
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):  # the stream has no file descriptor
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
