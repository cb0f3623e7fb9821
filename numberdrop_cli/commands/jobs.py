"""The command `jobs`: list jobs."""

import click

from numberdrop.jobs.breaker import Cause
from numberdrop.jobs.transitions import State
from numberdrop_cli.parameters import Connect, Single, json_option
from numberdrop_cli.printing import print_json, print_summaries, short_id, summary_document

REFUSED = (
    "The circuit breaker is open: the vendor refused the file of job {job}, and uploads wait until it "
    "accepts one. Look at it: numberdrop show {job}"
)
NOT_ANSWERING = (
    "The circuit breaker is open: the submission of job {job} ended in doubt, and uploads wait until the "
    "vendor answers again, which is tested every few minutes. Look at it: numberdrop show {job}"
)


@click.command()
@click.option(
    "--state",
    cls=Single,
    type=click.Choice([state.value for state in State]),
    help="Only jobs in this state.",
)
@json_option
@click.pass_obj
def jobs(connected: Connect, state: str | None, as_json: bool) -> None:
    """List jobs, oldest first."""
    connection = connected()
    summaries = connection.jobs.summaries(State(state) if state else None)
    breaker = connection.breaker.state()
    if as_json:
        listed = [summary_document(summary) for summary in summaries]
        print_json({"line_stopped_by": breaker.holder if breaker else None, "jobs": listed})
        return
    print_summaries(summaries)
    if breaker:
        text = NOT_ANSWERING if breaker.cause is Cause.OUTAGE else REFUSED
        click.echo(text.format(job=short_id(breaker.holder)), err=True)
