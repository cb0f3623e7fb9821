"""The command `forget`: erase numbers from the verdict memory, or all that it holds of a checker."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from numberdrop_cli.confirming import confirm
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.parameters import CheckerFolder, Connect, FileToSend, Region, Single, yes_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numberdrop_cli.connection import Connection
    from numberdrop_cli.remembered import StackMemory

ERASE = """\
{count} number(s) are erased from what is remembered of {checkers}. They are hidden at once, and deleted by
the next full merge, within a month at most. For 400 days a keyed hash says that each was erased, so that a
job that is under way does not bring it back."""

CLEAR = """\
Everything that is remembered of {checkers} is deleted now, and answers to what was sent up to today are not
remembered. The next uploads pay for all their numbers again."""

UNREAD = "{count} row(s) have neither a phone number nor an e-mail address. Nothing is erased for them."

ELSEWHERE = """\
Nothing else is erased. The numbers may still be in
- uploads in the bucket {uploads}, and results and exports in the bucket {results}: for {days} days, and their
  old versions for up to 38 days more
- answers that jobs have recalled: keyed hashes in {recalled} object(s), for {more_days} days
- files that people saved, and whatever the vendor keeps
docs/security.md says how to delete them."""

EPILOG = """\
\b
Examples:
  numberdrop forget --file erase.txt
  numberdrop forget +447700900123 --checker band
  numberdrop forget --checker band --all

Numbers on the command line stay in the history of your shell. A file avoids that.
"""


@click.command(epilog=EPILOG)
@click.argument("numbers", metavar="[NUMBER]...", nargs=-1)
@click.option("--file", cls=Single, type=FileToSend(), help="A list, table or workbook of numbers.")
@click.option("--region", cls=Single, type=Region(), help="Country of numbers without a plus, as for 'send'.")
@click.option("--checker", cls=Single, type=CheckerFolder(), help="Only this checker. Default: all checkers.")
@click.option("--all", "everything", is_flag=True, help="Everything that is remembered.")
@yes_option
@click.pass_obj
def forget(
    connected: Connect,
    numbers: tuple[str, ...],
    file: Path | None,
    region: str | None,
    checker: str | None,
    *,
    everything: bool,
    yes: bool,
) -> None:
    """Erase phone numbers or e-mail addresses from the verdict memory.

    The command says what else may still hold them. You can run it again at any time.
    """
    if everything == bool(numbers or file):
        raise click.UsageError("Give numbers, a --file of them, or --all.")
    connection = connected()

    from numberdrop.memory.errors import VerdictMemoryError
    from numberdrop_cli.remembered import read_numbers

    memory = connection.require_memory()
    try:
        if everything:
            _clear(connection, memory, checker, yes=yes)
        else:
            found = read_numbers(numbers, file, region)
            names = [name for name in found.checkers if checker in {None, name}]
            if not names:
                raise RefusedError(f"{checker} remembers no entries of this kind, so nothing was erased.")
            _print_plan(
                connection, ERASE.format(count=f"{found.count:,}", checkers=_in_words(names, checker))
            )
            if found.unread:
                click.echo(UNREAD.format(count=f"{found.unread:,}"))
            _print_elsewhere(connection, memory)
            confirm(yes=yes)
            memory.forget(found, names)
            click.echo(f"Erased {found.count:,} number(s).")
    except VerdictMemoryError as error:
        raise RefusedError(f"{error} Some of it may be erased: run the command again.") from None


def _clear(connection: "Connection", memory: "StackMemory", checker: str | None, *, yes: bool) -> None:
    names = [checker] if checker else [each.checker for each in memory.checkers() if each.runs]
    if not names:
        click.echo("Nothing is remembered.")
        return
    _print_plan(connection, CLEAR.format(checkers=_in_words(names, checker)))
    _print_elsewhere(connection, memory)
    confirm(yes=yes)
    click.echo(f"Deleted {memory.clear(names):,} object(s).")


def _print_plan(connection: "Connection", plan: str) -> None:
    click.echo(f"On {connection.stack.place}:\n{plan}")


def _print_elsewhere(connection: "Connection", memory: "StackMemory") -> None:
    stack = connection.stack
    click.echo(
        ELSEWHERE.format(
            uploads=stack.upload_bucket,
            results=stack.results_bucket,
            days=stack.retention_days,
            recalled=f"{memory.recalled():,}",
            more_days=stack.retention_days + 38,
        )
    )


def _in_words(names: "Sequence[str]", checker: str | None) -> str:
    return checker or f"{len(names)} checkers"
