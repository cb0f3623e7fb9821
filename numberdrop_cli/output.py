"""Standard output and standard error that cannot fail on a character, and can be closed by their reader."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper


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
    if sys.stdout:
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
