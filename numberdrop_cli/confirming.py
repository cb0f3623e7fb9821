"""What is said before something is done, and the question that goes with it."""

from collections.abc import Callable
from dataclasses import dataclass

import click

from numberdrop.jobs.job import Job
from numberdrop.jobs.upload import Upload
from numberdrop.masking import without_numbers
from numberdrop_cli.connection import Connection
from numberdrop_cli.operations import Operations
from numberdrop_cli.printing import short_id

UNFINISHED = """\
The ledger holds the decision, but the next step could not be done: {why}
Do not repeat the command: reconcile does that step within about ten minutes."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a person wants to be done about a job.

    Attributes:
        plan: what will happen, said before it does.
        operation: does it; returns why the step after the ledger could not be done, if so.
        success: what is said afterwards.
    """

    plan: str
    operation: Callable[[Operations, Job], str | None]
    success: str


def print_heading(upload: Upload, connection: Connection) -> None:
    """Names the job that something is about to be done to, and where."""
    name = without_numbers(upload.key)
    click.echo(f"Job {short_id(upload.job_id)}, {name!r}, on {connection.stack.place}:")


def confirm(*, yes: bool) -> None:
    """Asks, unless the person has said yes beforehand; a no ends the command."""
    if not yes:
        click.confirm("Go on?", abort=True)


def carry_out(decision: Action, connection: Connection, job: Job, *, yes: bool) -> None:
    """Says what will be done to a job, asks, does it and says how it went."""
    print_heading(job.upload, connection)
    click.echo(decision.plan)
    confirm(yes=yes)
    unfinished = decision.operation(connection.operations, job)
    if unfinished:
        click.echo(UNFINISHED.format(why=unfinished), err=True)
    else:
        click.echo(decision.success)
