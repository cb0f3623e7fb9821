"""The command `send`: upload files, and follow their jobs on request."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from numberdrop.jobs.checkers import checker_named
from numberdrop.jobs.max_age import LONGEST_LIFE
from numberdrop.jobs.reading_choice import Choice
from numberdrop_cli.errors import EXIT_STATUS_HELP, RefusedError, unknown_outcome
from numberdrop_cli.parameters import (
    Connect,
    FolderPath,
    Single,
    checker_option,
    column_option,
    export_option,
    files_argument,
    force_option,
    json_lines_option,
    max_usd_option,
    name_option,
    region_option,
    sheet_option,
    yes_option,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numberdrop_cli.connection import Connection
    from numberdrop_cli.inspection import Inspection

EPILOG = f"""\
\b
Examples:
  numberdrop send leads.txt --checker band --watch
  numberdrop send uk/*.csv --checker ws --region GB --prefix spring/uk
  grep 'Oslo' leads.csv | numberdrop send - --name oslo.csv --checker band
  numberdrop --stack numberdrop-prod send leads.txt --checker rcs --max-usd 5 --json

{EXIT_STATUS_HELP}"""


@click.command(epilog=EPILOG)
@files_argument
@checker_option
@region_option
@column_option
@sheet_option
@click.option(
    "--prefix", cls=Single, type=FolderPath(), help="Folders in the bucket. Default: new ones each time."
)
@name_option
@max_usd_option
@click.option(
    "--max-age",
    cls=Single,
    metavar="DAYS",
    type=click.IntRange(0, LONGEST_LIFE),
    help="Pay again for numbers whose verdicts are this many days old, or older.",
)
@click.option(
    "--fresh", is_flag=True, help="Send all numbers, even remembered ones: the same as --max-age 0."
)
@yes_option
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
    name: str | None,
    max_usd: Decimal | None,
    max_age: int | None,
    fresh: bool,
    yes: bool,
    watching: bool,
    export: bool,
    force: bool,
    as_json_lines: bool,
) -> None:
    """Send files to be checked, which costs money.

    Reads the files first, as 'numberdrop check' does, and refuses files that would fail. On a terminal, it
    asks before it sends. FILE may be - for standard input.

    With --watch, the results of leads.txt are saved next to it in the folder leads.txt.results. Without
    it, the command ends when the files are in the bucket. 'numberdrop watch' can follow the jobs at any time.
    """
    if (export or force) and not watching:
        raise click.UsageError("--export and --force need --watch.")
    if fresh and max_age is not None:
        raise click.UsageError("--fresh means --max-age 0. Give one of them.")

    from numberdrop_cli.local_files import opened_files, require_names

    require_names(files, name)
    connection = connected()

    from numberdrop_cli import terminal
    from numberdrop_cli.inspection import inspect, rules_of
    from numberdrop_cli.notices import priced
    from numberdrop_cli.order import Order
    from numberdrop_cli.saving import Saver
    from numberdrop_cli.sending import Sender
    from numberdrop_cli.views import view_for
    from numberdrop_cli.watching import follow_and_save

    checker = checker_named(folder, allow_sensitive=True)
    order = Order(checker, folder, prefix, region, Choice(column, sheet), max_usd, 0 if fresh else max_age)
    rules = rules_of(connection.stack)
    sender = Sender(connection, order)
    saver = Saver(connection.s3, with_export=export, force=force)
    with opened_files(files, name) as local_files:
        if watching:
            for file in local_files:
                saver.check(file.folder, file.name)
        with view_for(as_json_lines=as_json_lines) as view:
            inspections = []
            for file in local_files:
                inspections.append(inspect(file, order, rules, remembers=connection.memory is not None))
                view.show(priced(inspections[-1], shows_entries=terminal.is_terminal()))
        _refuse_what_fails(inspections, max_usd)
        if not yes:
            _ask(inspections, connection, err=as_json_lines)
        click.echo(f"Sending to {connection.stack.place}.", err=True)
        with unknown_outcome(sender.what_was_sent), view_for(as_json_lines=as_json_lines) as view:
            sender.send_all(local_files, view)
            if watching:
                follow_and_save(sender.jobs, connection, saver, view)
            sender.hint_at_lost_events(view)


def _refuse_what_fails(inspections: "Sequence[Inspection]", max_usd: Decimal | None) -> None:
    from numberdrop_cli.inspection import budget_problem
    from numberdrop_cli.printing import safe_to_print

    for inspection in inspections:
        for problem in inspection.problems:
            raise RefusedError(
                f"{safe_to_print(inspection.file.name)}: {safe_to_print(problem.message)} "
                f"({problem.code}) Nothing was sent."
            )
    if over_budget := budget_problem(inspections, max_usd):
        raise RefusedError(f"{over_budget} Nothing was sent.")


def _ask(inspections: "Sequence[Inspection]", connection: "Connection", *, err: bool) -> None:
    """Ask whether to spend the money, if there is a person to answer. End the command if not."""
    from numberdrop_cli import terminal
    from numberdrop_cli.inspection import total_price
    from numberdrop_cli.summary import dollars, plural
    from numberdrop_cli.vendor_balance import read_balance

    if not terminal.can_answer():
        return
    click.echo(read_balance(connection).text, err=err)
    total = total_price(inspections)
    price = "an unknown price" if total is None else f"{dollars(total)} at list price"
    files = plural(len(inspections), "file", "files")
    click.confirm(f"Send {files} for {price} to {connection.stack.place}?", abort=True, err=err)
