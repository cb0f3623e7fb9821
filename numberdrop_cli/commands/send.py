"""The command `send`: upload files, and follow their jobs on request."""

from pathlib import Path

import click

from numberdrop.jobs.reading_choice import Choice
from numberdrop_cli.errors import EXIT_STATUS_HELP, unknown_outcome
from numberdrop_cli.parameters import (
    CheckerFolder,
    ChosenName,
    Connect,
    FileToSend,
    FolderPath,
    Region,
    Single,
    export_option,
    force_option,
    json_lines_option,
    require_different_names,
)

EPILOG = f"""\
\b
Examples:
  numberdrop send leads.txt --checker band --watch
  numberdrop send uk/*.csv --checker ws --region GB --prefix spring/uk
  numberdrop --stack numberdrop-prod send leads.txt --checker rcs --json

{EXIT_STATUS_HELP}"""


@click.command(epilog=EPILOG)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FileToSend())
@click.option(
    "--checker", "folder", cls=Single, required=True, type=CheckerFolder(), help="See 'numberdrop checkers'."
)
@click.option(
    "--region",
    cls=Single,
    type=Region(),
    help="Country of numbers without a plus, for instance GB; international if they begin with its code.",
)
@click.option(
    "--column",
    cls=Single,
    type=ChosenName(),
    help="Column with the entries: a header, or a letter such as C.",
)
@click.option(
    "--sheet", cls=Single, type=ChosenName(), help="Sheet of a workbook. Default: the first with data."
)
@click.option(
    "--prefix", cls=Single, type=FolderPath(), help="Folders in the bucket. Default: new ones each time."
)
@click.option("--watch", "watching", is_flag=True, help="Follow the jobs and save their results.")
@export_option
@force_option
@json_lines_option
@click.pass_obj
def send(
    connected: Connect,
    *,
    files: tuple[Path, ...],
    folder: str,
    region: str | None,
    column: str | None,
    sheet: str | None,
    prefix: str | None,
    watching: bool,
    export: bool,
    force: bool,
    as_json_lines: bool,
) -> None:
    """Send files to be checked, which costs money.

    With --watch, the results of leads.txt are saved next to it as leads.txt.results.csv and so on. Without
    it, the command ends when the files are in the bucket. 'numberdrop watch' can follow the jobs at any time.
    """
    if (export or force) and not watching:
        raise click.UsageError("--export and --force need --watch.")
    require_different_names([path.name for path in files])
    connection = connected()

    from numberdrop_cli.saving import Saver
    from numberdrop_cli.sending import Order, Sender, allowed_checker
    from numberdrop_cli.views import view_for
    from numberdrop_cli.watching import follow_and_save

    sender = Sender(
        connection, Order(allowed_checker(folder, connection), folder, prefix, region, Choice(column, sheet))
    )
    saver = Saver(connection.s3, with_export=export, force=force)
    if watching:
        for path in files:
            saver.check(path.parent, path.name)
    click.echo(f"Sending to {connection.stack.place}.", err=True)
    with unknown_outcome(sender.what_was_sent), view_for(as_json_lines=as_json_lines) as view:
        sender.send_all(files, view)
        if watching:
            follow_and_save(sender.jobs, connection, saver, view)
        sender.hint_at_lost_events(view)
