"""How the command ends, for scripts: docs/command.md lists these for people."""

from enum import IntEnum
from typing import IO, Any

import click


class ExitStatus(IntEnum):
    """The higher of two tells the more urgent thing, so of several files the highest counts.

    What is refused ends with 1 and a wrong call with 2, both by click itself.
    """

    DONE = 0
    FAILED = 3
    NEEDS_ATTENTION = 4
    OUTCOME_UNKNOWN = 5
    INTERRUPTED = 130


class RefusedError(Exception):
    """The command does not fit; nothing was changed. The message says why."""


class OutcomeUnknownError(click.ClickException):
    """Something was sent, or may have been, and how it ends is not known here; the message says more."""

    exit_code = ExitStatus.OUTCOME_UNKNOWN


class InterruptedByUserError(click.ClickException):
    """A person pressed Ctrl-C; the message says what goes on."""

    exit_code = ExitStatus.INTERRUPTED

    def show(self, file: IO[Any] | None = None) -> None:
        """Says so, which is no error."""
        click.echo(f"Interrupted. {self.message}", file=file, err=True)
