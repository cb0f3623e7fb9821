"""The command ``numberdrop``. What decides about a job says what it will do and asks before it does."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from numberdrop.aws.ledger import TransitionRefusedError
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.vendor.client import TASK_ID

from .announcing import announce
from .aws_errors import in_words
from .checkers import checkers
from .connection import Connection, connect
from .operations import Operations, must_be_collectable, must_be_in_doubt, must_be_waiting
from .parameters import Connect, job_argument, json_option, yes_option
from .printing import (
    SHORT_ID,
    job_document,
    print_job,
    print_json,
    print_summaries,
    summary_document,
    without_numbers,
)
from .refusal import RefusedError
from .sending import send, watch
from .stack import default_stack_name
from .talking import confirm, say_about

CHARGED_PLAN = """\
The ledger will say that the vendor charged for this file and made the task {task_id} of it.
Its results are collected from that task. Nothing is sent, and nothing more is charged."""

NOT_CHARGED_PLAN = """\
The file WILL be sent to the vendor again, and the vendor may charge for it. If the first submission was
charged after all, the file is then paid for twice. Your evidence is kept in the ledger."""

GIVE_UP_PLAN = """\
The file is not sent, and nothing was charged for it. A "Number Check Failed" event (ABORTED) says so. If
it holds the line, the next upload is tried within some minutes. To have it checked after all, upload it
again."""

ABANDON_PLAN = """\
Nothing more will be done about this upload: it is not sent again, and no results are collected, even if the
vendor did charge for it. A "Number Check Failed" event (ABORTED) says so. This cannot be undone."""

COLLECT_AGAIN_PLAN = """\
The vendor is asked for the task {task_id} again, and its results are collected.
Nothing is sent: this never makes a new charge."""

REDRIVE_PLAN = """\
About {count} message(s) of the dead-letter queue go back to the upload queue. That is safe: the ledger knows
every job, so no upload is sent twice. What caused them should be mended first, or they come back."""

LEFT_OVER = """\
The ledger holds the decision, but the next step could not be done: {why}
Do not repeat the command: reconcile does that step within about ten minutes."""

COMPLETION = """\
\b
Completion of commands, checkers and states, by the shell:
  bash, zsh  eval "$(_NUMBERDROP_COMPLETE=bash_source numberdrop)", or zsh_source
  fish       _NUMBERDROP_COMPLETE=fish_source numberdrop | source
"""

BREAKER_OPEN = "The line is stopped by the job {job}: uploads wait until the vendor takes its file."


class _Commands(click.Group):
    """Turns every foreseeable fault into one message and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except RefusedError as error:
            raise click.ClickException(str(error)) from None
        except TransitionRefusedError as error:
            raise click.ClickException(f"The job has moved on. {error} Look at it again.") from None
        except (ClientError, BotoCoreError) as error:
            raise click.ClickException(in_words(error)) from None


@dataclass(frozen=True, slots=True)
class _Decision:
    """What a person wants to be done about a job.

    Attributes:
        plan: what will happen, said before it does.
        operation: does it; returns why the step after the ledger could not be done, if so.
        success: what is said afterwards.
    """

    plan: str
    operation: Callable[[Operations, Job], str | None]
    success: str


GIVE_UP = _Decision(
    plan=GIVE_UP_PLAN,
    operation=Operations.abandon,
    success="The upload is given up, and its event is emitted.",
)
"""Instead of abandoning, where the vendor has not taken the file."""


@click.group(cls=_Commands, epilog=COMPLETION, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stack", help="The stack's name; else the one in samconfig.toml, or numberdrop.")
@click.pass_context
def main(ctx: click.Context, stack: str | None) -> None:
    """Send files of numbers to be checked, look at their jobs, and decide what only a person may decide.

    JOB is a job's id, or the first digits of it, at least 8. The usual AWS settings apply: AWS_PROFILE,
    AWS_REGION, AWS_ENDPOINT_URL, AWS_CA_BUNDLE.
    """
    ctx.obj = lambda: connect(stack or default_stack_name(Path.cwd()))


for command in (send, watch, checkers, announce):
    main.add_command(command)


@main.command()
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only jobs in this state.")
@json_option
@click.pass_obj
def jobs(connected: Connect, state: str | None, as_json: bool) -> None:
    """List jobs, the latest last."""
    connection = connected()
    summaries = connection.jobs.summaries(State(state) if state else None)
    holder = connection.breaker.holder()
    console = Console()
    if as_json:
        listed = [summary_document(summary) for summary in summaries]
        print_json({"line_stopped_by": holder, "jobs": listed}, console)
        return
    print_summaries(summaries, console)
    if holder:
        click.echo(BREAKER_OPEN.format(job=holder[:SHORT_ID]), err=True)


@main.command()
@job_argument
@json_option
@click.pass_obj
def show(connected: Connect, prefix: str, as_json: bool) -> None:
    """Show everything about one job."""
    connection = connected()
    job = connection.job(prefix)
    document = job_document(job, connection.executions.status(job))
    (print_json if as_json else print_job)(document, Console())


@main.command()
@job_argument
@click.option("--charged", "said", flag_value="charged", help="The vendor has a task of this file.")
@click.option("--not-charged", "said", flag_value="not charged", help="It has none: send it again.")
@click.option(
    "--abandon", "said", flag_value="abandon", help="Give up: nobody will find out, or it is not worth it."
)
@click.option("--task-id", metavar="ID", help="With --charged: the vendor's task.")
@click.option("--evidence", metavar="TEXT", help="With --not-charged: how you know; kept in the ledger.")
@yes_option
@click.pass_obj
def resolve(
    connected: Connect,
    *,
    prefix: str,
    said: str | None,
    task_id: str | None,
    evidence: str | None,
    yes: bool,
) -> None:
    """Say what became of a submission in doubt, or give up one that the vendor does not take."""
    decision = _decision(said, task_id, evidence)
    connection = connected()
    job = connection.job(prefix)
    if said == "abandon":
        must_be_waiting(job)
    else:
        must_be_in_doubt(job)
    _carry_out(decision if job.state is State.IN_DOUBT else GIVE_UP, connection, job, yes=yes)


@main.command("collect-again")
@job_argument
@yes_option
@click.pass_obj
def collect_again(connected: Connect, prefix: str, yes: bool) -> None:
    """Collect a failed job's results again, free of charge."""
    connection = connected()
    job = connection.job(prefix)
    must_be_collectable(job)
    decision = _Decision(
        plan=COLLECT_AGAIN_PLAN.format(task_id=job.task_id),
        operation=Operations.collect_again,
        success="The task is followed again.",
    )
    _carry_out(decision, connection, job, yes=yes)


@main.command()
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


def _decision(said: str | None, task_id: str | None, evidence: str | None) -> _Decision:
    match said, task_id, evidence:
        case "charged", str(), None:
            task = _checked_task_id(task_id)
            return _Decision(
                plan=CHARGED_PLAN.format(task_id=task),
                operation=lambda operations, job: operations.charged(job, task),
                success=f"The task {task} is followed now.",
            )
        case "not charged", None, str():
            words = _checked_evidence(evidence)
            return _Decision(
                plan=NOT_CHARGED_PLAN,
                operation=lambda operations, job: operations.not_charged(job, words),
                success="The upload is on its way again.",
            )
        case "abandon", None, None:
            return _Decision(
                plan=ABANDON_PLAN,
                operation=Operations.abandon,
                success="The job is abandoned, and its event is emitted.",
            )
        case _:
            raise click.UsageError(
                "Say one of: --charged --task-id ID, --not-charged --evidence TEXT, --abandon."
            )


def _checked_task_id(task_id: str) -> str:
    if not TASK_ID.fullmatch(task_id):
        raise click.BadParameter("a task id is 1 to 64 letters, digits, - and _.", param_hint="--task-id")
    return task_id


def _checked_evidence(evidence: str) -> str:
    if not evidence.strip():
        raise click.BadParameter("say how you know.", param_hint="--evidence")
    if without_numbers(evidence) != evidence:
        raise click.BadParameter("it holds what may be a phone number.", param_hint="--evidence")
    return evidence


def _carry_out(decision: _Decision, connection: Connection, job: Job, *, yes: bool) -> None:
    say_about(job.upload, connection)
    click.echo(decision.plan)
    confirm(yes=yes)
    left_over = decision.operation(connection.operations, job)
    if left_over:
        click.echo(LEFT_OVER.format(why=left_over), err=True)
    else:
        click.echo(decision.success)
