"""The command `check`: say what would be sent of files and what it would cost, and send nothing."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from numberdrop.jobs.checkers import checker_named
from numberdrop.jobs.reading_choice import Choice
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.parameters import (
    Connect,
    checker_option,
    column_option,
    files_argument,
    json_option,
    max_usd_option,
    name_option,
    region_option,
    sheet_option,
)

if TYPE_CHECKING:
    from numberdrop_cli.connection import Connection
    from numberdrop_cli.vendor_balance import Balance

WITHOUT_STACK = (
    "The stack was not asked: {why}\n"
    "So its DefaultRegion, its ceiling and the checkers that it allows are not considered."
)

EPILOG = """\
\b
Examples:
  numberdrop check leads.csv --checker ws --region GB
  grep 'Oslo' leads.csv | numberdrop check - --name oslo.csv --checker band
  numberdrop check *.xlsx --checker rcs --json

Exit status: 0 everything would be sent; 1 a file would fail; 2 wrong usage.
"""


@click.command(epilog=EPILOG)
@files_argument
@checker_option
@region_option
@column_option
@sheet_option
@name_option
@max_usd_option
@json_option
@click.pass_obj
def check(
    connected: Connect,
    *,
    files: tuple[Path, ...],
    folder: str,
    region: str | None,
    column: str | None,
    sheet: str | None,
    name: str | None,
    max_usd: Decimal | None,
    as_json: bool,
) -> None:
    """Read files as the stack would, and say what they would cost. Nothing is sent.

    FILE may be - for standard input. The lines that would be rejected are shown on a terminal only. The
    balance is shown if you may read the secret with the vendor's key.
    """
    from numberdrop_cli import terminal
    from numberdrop_cli.inspection import budget_problem, inspect, rules_of, total_price
    from numberdrop_cli.local_files import opened_files
    from numberdrop_cli.notices import priced
    from numberdrop_cli.order import Order
    from numberdrop_cli.printing import print_json, safe_to_print
    from numberdrop_cli.summary import document, dollars
    from numberdrop_cli.views import as_text

    order = Order(
        checker_named(folder, allow_sensitive=True), folder, None, region, Choice(column, sheet), max_usd
    )
    with opened_files(files, name) as local_files:
        connection, why = _connection(connected)
        rules = rules_of(connection.stack if connection else None)
        remembers = bool(connection and connection.memory)
        inspections = [inspect(file, order, rules, remembers=remembers) for file in local_files]
    total = total_price(inspections)
    balance = _balance(connection)
    if as_json:
        listed = [{"file": safe_to_print(each.file.name), **document(each)} for each in inspections]
        print_json(
            {
                "stack": connection.stack.place if connection else None,
                "files": listed,
                "list_price_usd": total,
                "balance_usd": float(balance.usd) if balance and balance.usd is not None else None,
                "balance_problem": balance.problem if balance else why,
            }
        )
    else:
        for inspection in inspections:
            click.echo(as_text(priced(inspection, shows_entries=terminal.is_terminal())))
        if len(inspections) > 1:
            click.echo(f"all files: list price {'unknown' if total is None else dollars(total)}")
        click.echo(balance.text if balance else WITHOUT_STACK.format(why=why))
    failing = [safe_to_print(each.file.name) for each in inspections if each.problems]
    if failing:
        raise RefusedError(f"This would fail: {', '.join(failing)}. Nothing was sent.")
    if problem := budget_problem(inspections, max_usd):
        raise RefusedError(f"{problem} Nothing was sent.")


def _connection(connected: Connect) -> "tuple[Connection | None, str]":
    """Return the connection to the stack, or None and why there is none."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    from numberdrop_cli.aws_errors import explain

    try:
        return connected(), ""
    except RefusedError as error:
        return None, str(error)
    except (ClientError, BotoCoreError, Boto3Error) as error:
        return None, explain(error)


def _balance(connection: "Connection | None") -> "Balance | None":
    from numberdrop_cli.vendor_balance import read_balance

    return read_balance(connection) if connection else None
