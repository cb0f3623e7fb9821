"""What is said before something is done, and the question that goes with it."""

import click

from numberdrop.jobs.upload import Upload

from .connection import Connection
from .printing import SHORT_ID, without_numbers


def say_about(upload: Upload, connection: Connection) -> None:
    """Names the job that something is about to be done to, and where."""
    name = without_numbers(upload.key)
    click.echo(f"Job {upload.job_id[:SHORT_ID]}, {name!r}, on {connection.stack.place}:")


def confirm(*, yes: bool) -> None:
    """Asks, unless the person has said yes beforehand; a no ends the command."""
    if not yes:
        click.confirm("Go on?", abort=True)
