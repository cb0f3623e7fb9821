"""The command group `numberdrop`.

Help, completion and usage errors must be quick, so nothing that is imported here may import botocore. The
commands import what they run when they run.
"""

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from numberdrop_cli.commands.after_restore import after_restore
from numberdrop_cli.commands.announce import announce
from numberdrop_cli.commands.balance import balance
from numberdrop_cli.commands.check import check
from numberdrop_cli.commands.checkers import checkers
from numberdrop_cli.commands.collect_again import collect_again
from numberdrop_cli.commands.events import events
from numberdrop_cli.commands.forget import forget
from numberdrop_cli.commands.jobs import jobs
from numberdrop_cli.commands.memory import memory
from numberdrop_cli.commands.redrive import redrive
from numberdrop_cli.commands.resolve import resolve
from numberdrop_cli.commands.send import send
from numberdrop_cli.commands.show import show
from numberdrop_cli.commands.watch import watch
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.output import (
    accept_any_character,
    drop_unwritable_output,
    flush_output,
    replace_closed_streams,
)
from numberdrop_cli.parameters import Single, Words
from numberdrop_cli.signals import interrupted_by_signals

if TYPE_CHECKING:
    from numberdrop_cli.connection import Connection

COMPLETION = """\
\b
Shell completion of commands, checkers and states:
  bash, zsh  eval "$(_NUMBERDROP_COMPLETE=bash_source numberdrop)", or zsh_source
  fish       _NUMBERDROP_COMPLETE=fish_source numberdrop | source
"""


class _CommandGroup(click.Group):
    """A group that turns every expected error into one message and exit status 1."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line, and exit with its status even if the output cannot be written."""
        replace_closed_streams()
        accept_any_character()
        try:
            with interrupted_by_signals():
                return super().main(*args, **kwargs)
        except OSError as error:
            with suppress(OSError):
                click.echo(f"Error: The command failed ({error.strerror}).", err=True)
            sys.exit(1)
        finally:
            drop_unwritable_output()

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            result = super().invoke(ctx)
            flush_output()
        except RefusedError as error:
            raise click.ClickException(str(error)) from None
        return result


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the version and end the command, if ``--version`` was given."""
    if wanted and not ctx.resilient_parsing:
        from numberdrop_cli.version import version

        click.echo(f"numberdrop {version()}")
        ctx.exit()


@click.group(cls=_CommandGroup, epilog=COMPLETION, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@click.option("--stack", cls=Single, type=Words(), help="Name of the stack.")
@click.option("--aws-region", cls=Single, metavar="REGION", type=Words(), help="AWS Region of the stack.")
@click.option("--profile", cls=Single, type=Words(), help="AWS profile with the credentials.")
@click.option(
    "--config-env",
    "environment",
    cls=Single,
    metavar="NAME",
    type=Words(),
    help="Environment in the configuration file, as for 'sam deploy'.",
)
@click.option(
    "--config-file", cls=Single, metavar="FILE", type=Words(), help="Configuration file, as for 'sam deploy'."
)
@click.pass_context
def main(ctx: click.Context, /, **options: str | None) -> None:
    """Send files of numbers to be checked, follow their jobs, and make the decisions that need a person.

    JOB is a job id, its first digits (at least 8), or the key of its file. Without options, the stack is the
    one that 'sam deploy' updates from this folder, else the one called numberdrop. What samconfig.toml does
    not say comes from the usual AWS settings: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, AWS_CA_BUNDLE.
    """
    ctx.obj = lambda: _connect(**options)


def _connect(**options: Any) -> "Connection":
    """Connect to the stack, and explain errors of AWS until the command ends."""
    from numberdrop_cli.aws_errors import explained_errors
    from numberdrop_cli.connection import connect
    from numberdrop_cli.place import chosen_place

    click.get_current_context().with_resource(explained_errors())
    return connect(chosen_place(**options))


for command in (
    check,
    send,
    watch,
    checkers,
    balance,
    announce,
    jobs,
    show,
    events,
    resolve,
    collect_again,
    redrive,
    after_restore,
    memory,
    forget,
):
    main.add_command(command)
