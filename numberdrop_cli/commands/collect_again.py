"""The command `collect-again`: collect the results of a failed job's task once more."""

import click

from numberdrop_cli.confirming import Action, carry_out
from numberdrop_cli.parameters import Connect, job_argument, yes_option

PLAN = """\
The workflow asks the vendor about task {task_id} again and collects its results.
Nothing is sent: this never causes a new charge."""


@click.command("collect-again")
@job_argument
@yes_option
@click.pass_obj
def collect_again(connected: Connect, job_name: str, yes: bool) -> None:
    """Collect a failed job's results again, free of charge."""
    connection = connected()

    from numberdrop_cli.operations import Operations, must_be_collectable

    job = connection.find_job(job_name)
    must_be_collectable(job)
    action = Action(
        plan=PLAN.format(task_id=job.task_id),
        operation=Operations.collect_again,
        success="The workflow follows the task again.",
    )
    carry_out(action, connection, job, yes=yes)
