"""The command ``collect-again``: another collection of a failed job's task."""

import click

from numberdrop_cli.confirming import Action, carry_out
from numberdrop_cli.operations import Operations, must_be_collectable
from numberdrop_cli.parameters import Connect, job_argument, yes_option

COLLECT_AGAIN_PLAN = """\
The vendor is asked for the task {task_id} again, and its results are collected.
Nothing is sent: this never makes a new charge."""


@click.command("collect-again")
@job_argument
@yes_option
@click.pass_obj
def collect_again(connected: Connect, prefix: str, yes: bool) -> None:
    """Collect a failed job's results again, free of charge."""
    connection = connected()
    job = connection.job(prefix)
    must_be_collectable(job)
    decision = Action(
        plan=COLLECT_AGAIN_PLAN.format(task_id=job.task_id),
        operation=Operations.collect_again,
        success="The task is followed again.",
    )
    carry_out(decision, connection, job, yes=yes)
