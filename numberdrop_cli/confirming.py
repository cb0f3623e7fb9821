"""Say what a command is about to do, ask, and do it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from numberdrop.jobs.job import Job
from numberdrop.jobs.upload import Upload
from numberdrop.masking import without_personal_data
from numberdrop_cli.errors import unknown_outcome
from numberdrop_cli.printing import short_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from numberdrop_cli.connection import Connection
    from numberdrop_cli.operations import Operations

UNFINISHED = """\
The ledger holds the decision, but the next step failed: {why}
Do not repeat the command. Reconcile takes that step within about ten minutes."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a person decided to do about a job.

    Attributes:
        plan: what will happen, printed before the question.
        operation: does it. Returns None, or why the step after the ledger write failed.
        success: printed afterwards.
    """

    plan: str
    operation: "Callable[[Operations, Job], str | None]"
    success: str


def print_heading(upload: Upload, connection: "Connection") -> None:
    """Print which job the command is about to change, and on which stack."""
    name = without_personal_data(upload.key)
    click.echo(f"Job {short_id(upload.job_id)}, {name!r}, on {connection.stack.place}:")


def confirm(*, yes: bool) -> None:
    """Ask whether to go on, unless ``--yes`` was given. End the command if the answer is no."""
    if not yes:
        click.confirm("Go on?", abort=True)


def carry_out(action: Action, connection: "Connection", job: Job, *, yes: bool) -> None:
    """Print the plan, ask, do it, and print how it went."""
    print_heading(job.upload, connection)
    click.echo(action.plan)
    confirm(yes=yes)
    failure = action.operation(connection.operations, job)
    with unknown_outcome(lambda: "The ledger holds the decision. Do not repeat the command."):
        if failure:
            click.echo(UNFINISHED.format(why=failure), err=True)
        else:
            click.echo(action.success)
