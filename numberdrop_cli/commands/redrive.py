"""The command `redrive`: move dead letters back to the upload queue."""

import click

from numberdrop_cli.confirming import confirm
from numberdrop_cli.parameters import Connect, yes_option

PLAN = """\
About {count} message(s) move from the dead-letter queue to the upload queue. This is safe: the ledger knows
every job, so no upload is sent twice. Fix the cause first, or the messages come back."""


@click.command()
@yes_option
@click.pass_obj
def redrive(connected: Connect, yes: bool) -> None:
    """Move dead letters back to the upload queue."""
    connection = connected()
    count = connection.dead_letters.count()
    if not count:
        click.echo("The dead-letter queue is empty.")
        return
    click.echo(f"On {connection.stack.place}:\n{PLAN.format(count=count)}")
    confirm(yes=yes)
    click.echo(f"Moved {connection.dead_letters.redrive(count)} message(s).")
