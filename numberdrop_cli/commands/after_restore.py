"""The command `after-restore`: put in doubt what a restored ledger has forgotten."""

from typing import TYPE_CHECKING

import click

from numberdrop.masking import without_personal_data
from numberdrop_cli.confirming import confirm
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.parameters import Connect, Single, yes_option
from numberdrop_cli.printing import short_id

if TYPE_CHECKING:
    from numberdrop_cli.restoring import ForgottenSubmission

COPY_PLAN = """\
Jobs that the ledger lacks are copied from the table {source}. Jobs that the ledger has stay as they are."""

PLAN = """\
These {count} file(s) were about to be sent, and may have been charged, but the ledger has forgotten that.
They are put in doubt; their events follow within a few minutes. Nothing is sent. Decide about each:
numberdrop resolve JOB."""

NOTHING_FORGOTTEN = "The ledger knows every submission that has a fence."

WITHOUT_UPLOAD = """\
{count} more submission(s) are unknown, but their files no longer exist or have no version. They are not sent
again: if their events are repeated, they fail or are put in doubt."""

EPILOG = """\
\b
Examples:
  numberdrop after-restore
  numberdrop after-restore --from numberdrop-restored
"""


@click.command("after-restore", epilog=EPILOG)
@click.option(
    "--from", "source", cls=Single, metavar="TABLE", help="First copy the missing jobs from this table."
)
@yes_option
@click.pass_obj
def after_restore(connected: Connect, source: str | None, *, yes: bool) -> None:
    """Put in doubt what the ledger forgot when its table was restored.

    Every submission leaves a fence in the results bucket. This compares the fences with the ledger. It sends
    nothing, and can be repeated.
    """
    connection = connected()

    from numberdrop.aws.ledger import TransitionRefusedError
    from numberdrop_cli.restoring import copy_missing

    click.echo(f"On {connection.stack.place}:")
    if source:
        click.echo(COPY_PLAN.format(source=source))
        confirm(yes=yes)
        copied = copy_missing(connection.ledger.client, source, connection.ledger.table)
        click.echo(f"Copied {copied} item(s).")
    comparison = connection.restored.compare()
    if comparison.without_upload:
        click.echo(WITHOUT_UPLOAD.format(count=comparison.without_upload))
    if not comparison.forgotten:
        click.echo(NOTHING_FORGOTTEN)
        return
    for submission in comparison.forgotten:
        click.echo(f"  {_described(submission)}")
    click.echo(PLAN.format(count=len(comparison.forgotten)))
    confirm(yes=yes)
    refused = 0
    for submission in comparison.forgotten:
        try:
            connection.restored.put_in_doubt(submission)
        except (RefusedError, TransitionRefusedError) as error:
            refused += 1
            click.echo(f"  {short_id(submission.fence.job_id)}  {error}", err=True)
    click.echo(f"Put {len(comparison.forgotten) - refused} file(s) in doubt.")
    if refused:
        raise RefusedError(f"{refused} file(s) have changed meanwhile. Run the command again.")


def _described(submission: "ForgottenSubmission") -> str:
    state = submission.job.state if submission.job else "no job"
    name = without_personal_data(submission.upload.key)
    return f"{short_id(submission.fence.job_id)}  {state:<10}  {name!r}"
