"""The command `jobs`: list jobs."""

import click

from numberdrop.jobs.transitions import State
from numberdrop_cli.parameters import Connect, json_option
from numberdrop_cli.printing import print_json, print_summaries, short_id, summary_document

BREAKER_OPEN = (
    "The circuit breaker is open: uploads wait until the vendor accepts the file of job {job}. "
    "Look at it: numberdrop show {job}"
)


@click.command()
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only jobs in this state.")
@json_option
@click.pass_obj
def jobs(connected: Connect, state: str | None, as_json: bool) -> None:
    """List jobs, oldest first."""
    connection = connected()
    summaries = connection.jobs.summaries(State(state) if state else None)
    holder = connection.breaker.holder()
    if as_json:
        listed = [summary_document(summary) for summary in summaries]
        print_json({"line_stopped_by": holder, "jobs": listed})
        return
    print_summaries(summaries)
    if holder:
        click.echo(BREAKER_OPEN.format(job=short_id(holder)), err=True)
