"""What `watch` and `send --watch` share: follow jobs, save their results, and end with an exit status."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.jobs.job import StoredResults
from numberdrop.jobs.transitions import State
from numberdrop_cli.aws_errors import explain
from numberdrop_cli.errors import ExitStatus, InterruptedByUserError, OutcomeUnknownError, RefusedError
from numberdrop_cli.following import WatchedJob, follow
from numberdrop_cli.notices import not_saved, read, saved, stopped
from numberdrop_cli.printing import short_id
from numberdrop_cli.saving import Saver, what_was_read
from numberdrop_cli.views import View

if TYPE_CHECKING:
    from numberdrop_cli.connection import Connection

EXIT_STATUSES = {
    State.COMPLETED: ExitStatus.DONE,
    State.FAILED: ExitStatus.FAILED,
    State.ABANDONED: ExitStatus.FAILED,
    State.BLOCKED: ExitStatus.NEEDS_ATTENTION,
    State.IN_DOUBT: ExitStatus.NEEDS_ATTENTION,
}


def follow_and_save(jobs: Sequence[WatchedJob], connection: "Connection", saver: Saver, view: View) -> None:
    """Follow jobs to their end, save their results, and exit with the highest status."""
    status = ExitStatus.DONE
    ids = " ".join(short_id(job.job_id) for job in jobs if job.job_id)
    jobs_go_on = f"The jobs go on. Follow them: {f'numberdrop watch {ids}' if ids else 'numberdrop jobs'}"
    try:
        for watched, job in follow(connection, jobs, view):
            view.show(stopped(watched.name, job))
            status = max(status, EXIT_STATUSES[job.state])
            if job.results:
                status = max(status, _save(job.results, watched, saver, view))
    except KeyboardInterrupt:
        raise InterruptedByUserError(jobs_go_on) from None
    except (ClientError, BotoCoreError) as error:
        raise OutcomeUnknownError(f"{explain(error)} {jobs_go_on}") from None
    click.get_current_context().exit(status)


def _save(results: StoredResults, watched: WatchedJob, saver: Saver, view: View) -> ExitStatus:
    try:
        paths = saver.save(results, watched.folder, watched.name, view)
        if facts := what_was_read(paths):
            view.show(read(watched.name, facts))
        view.show(saved(watched.name, paths))
    except RefusedError as error:
        view.show(not_saved(watched.name, str(error), results))
        return ExitStatus.OUTCOME_UNKNOWN
    return ExitStatus.DONE
