"""The command ``resolve``: what a person decides about a submission in doubt, or a blocked one."""

import click

from numberdrop.jobs.transitions import State
from numberdrop.masking import without_numbers
from numberdrop.vendor.client import TASK_ID
from numberdrop_cli.confirming import Action, carry_out
from numberdrop_cli.operations import Operations, must_be_abandonable, must_be_in_doubt
from numberdrop_cli.parameters import Connect, job_argument, yes_option

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

GIVE_UP = Action(
    plan=GIVE_UP_PLAN,
    operation=Operations.abandon,
    success="The upload is given up, and its event is emitted.",
)
"""Instead of abandoning, where the vendor has not taken the file."""


@click.command()
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
        must_be_abandonable(job)
    else:
        must_be_in_doubt(job)
    carry_out(decision if job.state is State.IN_DOUBT else GIVE_UP, connection, job, yes=yes)


def _decision(said: str | None, task_id: str | None, evidence: str | None) -> Action:
    match said, task_id, evidence:
        case "charged", str(), None:
            task = _checked_task_id(task_id)
            return Action(
                plan=CHARGED_PLAN.format(task_id=task),
                operation=lambda operations, job: operations.mark_charged(job, task),
                success=f"The task {task} is followed now.",
            )
        case "not charged", None, str():
            words = _checked_evidence(evidence)
            return Action(
                plan=NOT_CHARGED_PLAN,
                operation=lambda operations, job: operations.mark_not_charged(job, words),
                success="The upload is on its way again.",
            )
        case "abandon", None, None:
            return Action(
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
