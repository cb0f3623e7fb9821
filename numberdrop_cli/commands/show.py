"""The command `show`: print everything about one job."""

import click

from numberdrop_cli.parameters import Connect, job_argument, json_option
from numberdrop_cli.printing import job_document, print_job, print_json


@click.command()
@job_argument
@json_option
@click.pass_obj
def show(connected: Connect, job_name: str, as_json: bool) -> None:
    """Show everything about one job."""
    connection = connected()
    job = connection.find_job(job_name)
    document = job_document(job, connection.executions.status(job))
    (print_json if as_json else print_job)(document)
