"""The command `memory`: what the verdict memory holds, and what it saved."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from numberdrop_cli.errors import RefusedError
from numberdrop_cli.parameters import Connect, json_option
from numberdrop_cli.printing import print_json, print_rows

if TYPE_CHECKING:
    from numberdrop_cli.remembered import CheckerMemory

COLUMNS = ("checker", "runs", "entries", "erased", "oldest", "bytes", "saved entries", "saved USD")


@click.command()
@json_option
@click.pass_obj
def memory(connected: Connect, as_json: bool) -> None:
    """Show what is remembered of each checker, and what that saved so far.

    Savings are those of all jobs in the ledger, at list price. The vendor may bill in blocks.
    """
    connection = connected()

    from numberdrop.memory.errors import VerdictMemoryError

    try:
        found = connection.require_memory().checkers()
    except VerdictMemoryError as error:
        raise RefusedError(str(error)) from None
    if as_json:
        print_json({"checkers": [_document(each) for each in found]})
    elif known := [each for each in found if each.entries or each.saved_entries]:
        # Numbers are erased for every checker, also for those of which nothing is remembered.
        print_rows(COLUMNS, map(_cells, known))
    else:
        click.echo("Nothing is remembered yet.", err=True)


def _cells(each: "CheckerMemory") -> tuple[Any, ...]:
    usd = None if each.saved_usd is None else f"{each.saved_usd:.2f}"
    oldest = each.oldest.isoformat() if each.oldest else None
    sizes = (each.runs, each.entries, each.erased, oldest, each.bytes)
    return each.checker, *sizes, each.saved_entries, usd


def _document(each: "CheckerMemory") -> dict[str, Any]:
    days = {"oldest": each.oldest, "cleared": each.cleared}
    return asdict(each) | {name: day.isoformat() if day else None for name, day in days.items()}
