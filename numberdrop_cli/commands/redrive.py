"""The command ``redrive``: dead letters go back to the upload queue."""

import click

from numberdrop_cli.confirming import confirm
from numberdrop_cli.parameters import Connect, yes_option

REDRIVE_PLAN = """\
About {count} message(s) of the dead-letter queue go back to the upload queue. That is safe: the ledger knows
every job, so no upload is sent twice. What caused them should be mended first, or they come back."""


@click.command()
@yes_option
@click.pass_obj
def redrive(connected: Connect, yes: bool) -> None:
    """Move the dead letters back to the upload queue."""
    connection = connected()
    count = connection.dead_letters.count()
    if not count:
        click.echo("The dead-letter queue is empty.")
        return
    click.echo(f"On {connection.stack.place}:\n{REDRIVE_PLAN.format(count=count)}")
    confirm(yes=yes)
    click.echo(f"Moved {connection.dead_letters.redrive(count)} message(s).")
