"""What ``watch`` and ``send --watch`` share: jobs are followed, and their results saved."""

from collections import Counter
from collections.abc import Sequence

import click
from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.jobs.job import StoredResults
from numberdrop.jobs.transitions import State
from numberdrop_cli.aws_errors import explain
from numberdrop_cli.connection import Connection
from numberdrop_cli.errors import ExitStatus, InterruptedByUserError, OutcomeUnknownError, RefusedError
from numberdrop_cli.following import WatchedJob, follow
from numberdrop_cli.notices import not_saved, saved, stopped
from numberdrop_cli.printing import safe_to_print, short_id
from numberdrop_cli.saving import Saver
from numberdrop_cli.views import View

EXIT_STATUSES = {
    State.COMPLETED: ExitStatus.DONE,
    State.FAILED: ExitStatus.FAILED,
    State.ABANDONED: ExitStatus.FAILED,
    State.BLOCKED: ExitStatus.NEEDS_ATTENTION,
    State.IN_DOUBT: ExitStatus.NEEDS_ATTENTION,
}

EXIT_STATUS_HELP = """\
Exit status: 0 done; 1 refused, nothing was sent; 2 a wrong call; 3 failed; 4 a person must act;
5 it was sent, but how it ended or its results could not be had; 130 interrupted, the jobs go on.
Of several files the worst counts.
"""


def require_different_names(names: Sequence[str]) -> None:
    """Refuses files that are called the same: their results would be, too."""
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise click.UsageError(
            f"{times} files are called {safe_to_print(name)}: take them one after the other."
        )


def follow_and_save(jobs: Sequence[WatchedJob], connection: Connection, saver: Saver, view: View) -> None:
    """Follows jobs to their ends and ends the command by the worst of them."""
    status = ExitStatus.DONE
    ids = " ".join(short_id(job.job_id) for job in jobs if job.job_id)
    left = f"The jobs go on; to follow them: {f'numberdrop watch {ids}' if ids else 'numberdrop jobs'}"
    try:
        for each, job in follow(connection, jobs, view):
            view.show(stopped(each.name, job))
            status = max(status, EXIT_STATUSES[job.state])
            if job.results:
                status = max(status, _save(job.results, each, saver, view))
    except KeyboardInterrupt:
        raise InterruptedByUserError(left) from None
    except (ClientError, BotoCoreError) as error:
        raise OutcomeUnknownError(f"{explain(error)} {left}") from None
    click.get_current_context().exit(status)


def _save(results: StoredResults, each: WatchedJob, saver: Saver, view: View) -> ExitStatus:
    try:
        view.show(saved(each.name, saver.save(results, each.folder, each.name, view)))
    except RefusedError as error:
        view.show(not_saved(each.name, str(error), results))
        return ExitStatus.OUTCOME_UNKNOWN
    return ExitStatus.DONE
