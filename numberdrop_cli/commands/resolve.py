"""The command `resolve`: decide about a submission in doubt, or give up an upload that was not sent."""

import click

from numberdrop.jobs.transitions import State
from numberdrop.masking import without_personal_data
from numberdrop_cli.confirming import Action, carry_out
from numberdrop_cli.parameters import Connect, Single, Words, job_argument, yes_option

CHARGED_PLAN = """\
The ledger will record that the vendor charged for this file and created task {task_id}.
The results of that task are collected. Nothing is sent, and nothing more is charged."""

NOT_CHARGED_PLAN = """\
The file WILL be sent to the vendor again, and the vendor may charge for it. If the first submission was
charged after all, the file is then paid for twice. Your evidence is kept in the ledger."""

GIVE_UP_PLAN = """\
The file is not sent, and nothing was charged for it. A "Number Check Failed" event (ABORTED) reports this
within a few minutes. If this job holds the circuit breaker open, the next upload is tried by then too. To
check the file after all, upload it again."""

ABANDON_PLAN = """\
This upload is given up for good: it is not sent again, and no results are collected, even if the vendor did
charge for it. A "Number Check Failed" event (ABORTED) reports this within a few minutes. You cannot undo
this."""

GIVE_UP = Action(
    plan=GIVE_UP_PLAN,
    operation=lambda operations, job: operations.abandon(job),
    success="The upload is given up. Its event follows within a few minutes.",
)
"""Replaces the decision to abandon if the vendor has not accepted the file."""


@click.command()
@job_argument
@click.option("--charged", is_flag=True, help="The vendor has a task for this file.")
@click.option("--not-charged", is_flag=True, help="The vendor has no task for this file: send it again.")
@click.option("--abandon", is_flag=True, help="Give up: nobody can find out, or the file is not worth it.")
@click.option("--task-id", cls=Single, metavar="ID", help="With --charged: the vendor's task.")
@click.option(
    "--evidence",
    cls=Single,
    metavar="TEXT",
    type=Words(),
    help="With --not-charged: how you know. It is kept in the ledger.",
)
@yes_option
@click.pass_obj
def resolve(
    connected: Connect,
    *,
    job_name: str,
    charged: bool,
    not_charged: bool,
    abandon: bool,
    task_id: str | None,
    evidence: str | None,
    yes: bool,
) -> None:
    """Decide about a submission in doubt, or give up an upload that the vendor does not accept."""
    findings = {"charged": charged, "not charged": not_charged, "abandon": abandon}
    action = _action([finding for finding, given in findings.items() if given], task_id, evidence)
    connection = connected()

    from numberdrop_cli.operations import must_be_abandonable, must_be_in_doubt

    job = connection.find_job(job_name)
    if abandon:
        must_be_abandonable(job)
    else:
        must_be_in_doubt(job)
    carry_out(action if job.state is State.IN_DOUBT else GIVE_UP, connection, job, yes=yes)


def _action(findings: list[str], task_id: str | None, evidence: str | None) -> Action:
    match findings, task_id, evidence:
        case ["charged"], str(), None:
            task = _checked_task_id(task_id)
            return Action(
                plan=CHARGED_PLAN.format(task_id=task),
                operation=lambda operations, job: operations.mark_charged(job, task),
                success=f"The workflow follows task {task} now.",
            )
        case ["not charged"], None, str():
            text = _checked_evidence(evidence)
            return Action(
                plan=NOT_CHARGED_PLAN,
                operation=lambda operations, job: operations.mark_not_charged(job, text),
                success="The upload is back in the queue.",
            )
        case ["abandon"], None, None:
            return Action(
                plan=ABANDON_PLAN,
                operation=lambda operations, job: operations.abandon(job),
                success="The job is abandoned. Its event follows within a few minutes.",
            )
        case _:
            raise click.UsageError(
                "Give one of: --charged --task-id ID, --not-charged --evidence TEXT, --abandon."
            )


def _checked_task_id(task_id: str) -> str:
    from numberdrop.vendor.client import TASK_ID

    if not TASK_ID.fullmatch(task_id):
        raise click.BadParameter("a task id has 1 to 64 letters, digits, '-' or '_'.", param_hint="--task-id")
    return task_id


def _checked_evidence(evidence: str) -> str:
    if without_personal_data(evidence) != evidence:
        raise click.BadParameter(
            "it may contain a phone number or an e-mail address. Leave them out.", param_hint="--evidence"
        )
    return evidence
