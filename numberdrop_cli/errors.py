"""The errors that end the command, and its exit statuses. docs/command.md lists the statuses for users."""

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


class RefusedError(Exception):
    """The command cannot be carried out, and nothing was changed. The message says why."""


class OutcomeUnknownError(click.ClickException):
    """A file was sent, or may have been, and the outcome is unknown. The message says what to do."""

    exit_code = ExitStatus.OUTCOME_UNKNOWN


class InterruptedByUserError(click.ClickException):
    """The user pressed Ctrl-C. The message says what goes on."""

    exit_code = ExitStatus.INTERRUPTED

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message without "Error:", because an interruption is not an error."""
        click.echo(f"Interrupted. {self.message}", file=file, err=True)
