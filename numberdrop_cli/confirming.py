"""What is said before something is done, and the question that goes with it."""

from collections.abc import Callable
from dataclasses import dataclass

import click

from numberdrop.jobs.job import Job
from numberdrop.jobs.upload import Upload
from numberdrop.masking import without_numbers
from numberdrop_cli.connection import Connection
from numberdrop_cli.operations import Operations
from numberdrop_cli.printing import SHORT_ID

LEFT_OVER = """\
The ledger holds the decision, but the next step could not be done: {why}
Do not repeat the command: reconcile does that step within about ten minutes."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person wants to be done about a job.

    Attributes:
        plan: what will happen, said before it does.
        operation: does it; returns why the step after the ledger could not be done, if so.
        success: what is said afterwards.
    """

    plan: str
    operation: Callable[[Operations, Job], str | None]
    success: str


def say_about(upload: Upload, connection: Connection) -> None:
    """Names the job that something is about to be done to, and where."""
    name = without_numbers(upload.key)
    click.echo(f"Job {upload.job_id[:SHORT_ID]}, {name!r}, on {connection.stack.place}:")


def confirm(*, yes: bool) -> None:
    """Asks, unless the person has said yes beforehand; a no ends the command."""
    if not yes:
        click.confirm("Go on?", abort=True)


def carry_out(decision: Decision, connection: Connection, job: Job, *, yes: bool) -> None:
    """Says what will be done to a job, asks, does it and says how it went."""
    say_about(job.upload, connection)
    click.echo(decision.plan)
    confirm(yes=yes)
    left_over = decision.operation(connection.operations, job)
    if left_over:
        click.echo(LEFT_OVER.format(why=left_over), err=True)
    else:
        click.echo(decision.success)
