"""The command `watch`: follow jobs to their end and save their results."""

from pathlib import Path

import click

from numberdrop_cli.errors import EXIT_STATUS_HELP
from numberdrop_cli.parameters import (
    Connect,
    JobName,
    Single,
    export_option,
    force_option,
    json_lines_option,
    require_different_names,
)

EPILOG = f"""\
\b
Examples:
  numberdrop watch 330dddc07eb9
  numberdrop watch 330dddc07eb9 --into results --export

{EXIT_STATUS_HELP}"""


@click.command(epilog=EPILOG)
@click.argument("job_names", metavar="JOB...", nargs=-1, required=True, type=JobName())
@click.option(
    "--into",
    cls=Single,
    metavar="FOLDER",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where to save the results. Default: the current folder.",
)
@export_option
@force_option
@json_lines_option
@click.pass_obj
def watch(
    connected: Connect,
    *,
    job_names: tuple[str, ...],
    into: Path,
    export: bool,
    force: bool,
    as_json_lines: bool,
) -> None:
    """Follow jobs to their end and save their results."""
    connection = connected()

    from numberdrop_cli.following import WatchedJob
    from numberdrop_cli.saving import Saver, file_name
    from numberdrop_cli.views import view_for
    from numberdrop_cli.watching import follow_and_save

    found = {job.job_id: job for job in map(connection.find_job, job_names)}
    jobs = [WatchedJob(file_name(job.upload.key), into, job.upload, job.job_id) for job in found.values()]
    require_different_names([job.name for job in jobs])
    saver = Saver(connection.s3, with_export=export, force=force)
    for job in jobs:
        saver.check(into, job.name)
    with view_for(as_json_lines=as_json_lines) as view:
        follow_and_save(jobs, connection, saver, view)
