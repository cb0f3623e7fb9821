"""What `watch` and `send --watch` share: follow jobs, save their results, and end with an exit status."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.jobs.job import StoredResults
from numberdrop.jobs.transitions import State
from numberdrop_cli.aws_errors import explain
from numberdrop_cli.errors import ExitStatus, InterruptedByUserError, OutcomeUnknownError, RefusedError
from numberdrop_cli.following import WatchedJob, follow
from numberdrop_cli.notices import not_saved, saved, stopped
from numberdrop_cli.printing import safe_to_print, short_id
from numberdrop_cli.saving import Saver
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

EXIT_STATUS_HELP = """\
Exit status: 0 done; 1 refused, nothing was sent; 2 wrong usage; 3 a job failed; 4 a person must act;
5 sent, but the outcome is unknown or the results were not saved; 130 interrupted, the jobs go on.
With several files, the highest counts.
"""


def require_different_names(names: Sequence[str]) -> None:
    """Raise ``UsageError`` if two files have the same name, because their results would too."""
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise click.UsageError(
            f"{times} files are called {safe_to_print(name)}, so their results would overwrite each other. "
            "Take them one at a time."
        )


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
        view.show(saved(watched.name, saver.save(results, watched.folder, watched.name, view)))
    except RefusedError as error:
        view.show(not_saved(watched.name, str(error), results))
        return ExitStatus.OUTCOME_UNKNOWN
    return ExitStatus.DONE
