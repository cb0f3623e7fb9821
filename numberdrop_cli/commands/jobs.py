"""The command `jobs`: list jobs."""

from datetime import datetime

import click

from numberdrop.jobs.breaker import Cause
from numberdrop.jobs.transitions import State
from numberdrop_cli.parameters import CheckerFolder, Connect, Moment, Single, json_option
from numberdrop_cli.printing import print_json, print_summaries, short_id, summary_document

LIMIT = 50

REFUSED = (
    "The circuit breaker is open: the vendor refused the file of job {job}, and uploads wait until it "
    "accepts one. Look at it: numberdrop show {job}"
)
NOT_ANSWERING = (
    "The circuit breaker is open: the submission of job {job} ended in doubt, and uploads wait until the "
    "vendor answers again, which is tested every few minutes. Look at it: numberdrop show {job}"
)


MORE = "There are older jobs: --limit N, --since DATE or --all."

EPILOG = """\
\b
Examples:
  numberdrop jobs --since 7d --checker band
  numberdrop jobs --state in_doubt --json
"""


@click.command(epilog=EPILOG)
@click.option(
    "--state",
    cls=Single,
    type=click.Choice([state.value for state in State]),
    help="Only jobs in this state. Without --since, this reads the whole ledger.",
)
@click.option("--checker", cls=Single, type=CheckerFolder(), help="Only jobs for this checker.")
@click.option(
    "--since",
    cls=Single,
    metavar="TIME",
    type=Moment(),
    help="Only jobs since then: 12h, 7d, 2026-03-04 or 2026-03-04T12:00, in UTC.",
)
@click.option(
    "--limit",
    cls=Single,
    type=click.IntRange(min=1),
    default=LIMIT,
    show_default=True,
    help="The latest N jobs.",
    metavar="N",
)
@click.option("--all", "everything", is_flag=True, help="All jobs. This reads the whole ledger.")
@json_option
@click.pass_obj
def jobs(
    connected: Connect,
    *,
    state: str | None,
    checker: str | None,
    since: datetime | None,
    limit: int,
    everything: bool,
    as_json: bool,
) -> None:
    """List the latest jobs, oldest first."""
    connection = connected()

    from numberdrop.clock import utc_now
    from numberdrop_cli.latest_jobs import Wanted

    wanted = Wanted(None if everything else limit, since, checker, State(state) if state else None)
    listing = connection.latest_jobs.find(wanted, utc_now())
    breaker = connection.breaker.state()
    if as_json:
        listed = [summary_document(summary) for summary in listing.summaries]
        holder = breaker.holder if breaker else None
        print_json({"line_stopped_by": holder, "jobs": listed, "has_more": listing.has_more})
        return
    print_summaries(listing.summaries)
    if listing.has_more:
        click.echo(MORE, err=True)
    if breaker:
        text = NOT_ANSWERING if breaker.cause is Cause.OUTAGE else REFUSED
        click.echo(text.format(job=short_id(breaker.holder)), err=True)
