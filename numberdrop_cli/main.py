"""The command group `numberdrop`."""

from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.ledger import TransitionRefusedError
from numberdrop_cli.aws_errors import explain
from numberdrop_cli.commands.announce import announce
from numberdrop_cli.commands.checkers import checkers
from numberdrop_cli.commands.collect_again import collect_again
from numberdrop_cli.commands.jobs import jobs
from numberdrop_cli.commands.redrive import redrive
from numberdrop_cli.commands.resolve import resolve
from numberdrop_cli.commands.send import send
from numberdrop_cli.commands.show import show
from numberdrop_cli.commands.watch import watch
from numberdrop_cli.connection import connect
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.stack import default_stack_name

COMPLETION = """\
\b
Shell completion of commands, checkers and states:
  bash, zsh  eval "$(_NUMBERDROP_COMPLETE=bash_source numberdrop)", or zsh_source
  fish       _NUMBERDROP_COMPLETE=fish_source numberdrop | source
"""


class _CommandGroup(click.Group):
    """A group that turns every expected error into one message and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except RefusedError as error:
            raise click.ClickException(str(error)) from None
        except TransitionRefusedError as error:
            raise click.ClickException(f"The job has changed since. {error} Look at it again.") from None
        except (ClientError, BotoCoreError) as error:
            raise click.ClickException(explain(error)) from None


@click.group(cls=_CommandGroup, epilog=COMPLETION, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stack", help="Name of the stack. Default: the one in samconfig.toml, else numberdrop.")
@click.pass_context
def main(ctx: click.Context, stack: str | None) -> None:
    """Send files of numbers to be checked, follow their jobs, and make the decisions that need a person.

    JOB is a job id or its first digits, at least 8. The usual AWS settings apply: AWS_PROFILE, AWS_REGION,
    AWS_ENDPOINT_URL, AWS_CA_BUNDLE.
    """
    ctx.obj = lambda: connect(stack or default_stack_name(Path.cwd()))


for command in (send, watch, checkers, announce, jobs, show, resolve, collect_again, redrive):
    main.add_command(command)
