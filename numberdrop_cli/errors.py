"""The errors that end the command, and its exit statuses. docs/command.md lists the statuses for users."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import IO, Any

import click


class ExitStatus(IntEnum):
    """Exit statuses beyond click's own: 1 for a refused command, 2 for wrong usage.

    A higher status is more urgent, so with several files the highest one counts.
    """

    DONE = 0
    FAILED = 3
    NEEDS_ATTENTION = 4
    OUTCOME_UNKNOWN = 5
    INTERRUPTED = 130


EXIT_STATUS_HELP = """\
Exit status: 0 done; 1 refused, nothing was sent; 2 wrong usage; 3 a job failed; 4 a person must act;
5 sent, but the outcome is unknown or the results were not saved; 130 interrupted, the jobs go on.
With several files, the highest counts.
"""


class RefusedError(Exception):
    """The command cannot be carried out, and nothing was changed. The message says why."""


class OutcomeUnknownError(click.ClickException):
    """A file was sent, or may have been, and the outcome is unknown. The message says what to do."""

    exit_code = ExitStatus.OUTCOME_UNKNOWN

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message. The exit status must not depend on whether that succeeds."""
        with suppress(OSError):
            super().show(file)


class InterruptedByUserError(click.ClickException):
    """The user pressed Ctrl-C. The message says what goes on."""

    exit_code = ExitStatus.INTERRUPTED

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message without "Error:", because an interruption is not an error."""
        with suppress(OSError):
            click.echo(f"Interrupted. {self.message}", file=file, err=True)


@contextmanager
def unknown_outcome(what_was_done: Callable[[], str]) -> Iterator[None]:
    """Turn any failure after the point of no return into an ``OutcomeUnknownError``.

    A script may repeat a command that ends with status 1, and a repetition may be charged.

    >>> with unknown_outcome(lambda: "leads.txt was sent."):
    ...     raise BrokenPipeError(32, "Broken pipe")
    Traceback (most recent call last):
    numberdrop_cli.errors.OutcomeUnknownError: leads.txt was sent. Then the command failed (Broken pipe).

    Args:
        what_was_done: returns what cannot be undone, in a sentence, or "" if nothing has happened so far.
            Failures are then left as they are.
    """
    try:
        yield
    except (OutcomeUnknownError, InterruptedByUserError, click.exceptions.Exit):
        raise
    except KeyboardInterrupt:
        if done := what_was_done():
            raise InterruptedByUserError(done) from None
        raise
    except Exception as error:
        done = what_was_done()
        if not done:
            raise
        raise OutcomeUnknownError(f"{done} {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return why the command failed. The texts of unforeseen errors may contain personal data."""
    match error:
        case RefusedError():
            return str(error)
        case click.ClickException():
            return error.message
        case OSError(strerror=str(reason)):
            return f"Then the command failed ({reason})."
        case _:
            return f"Then the command failed ({type(error).__name__})."
