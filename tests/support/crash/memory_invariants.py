"""What must hold of the answers in results, while the verdict memory is on."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date

from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.steps.remembering import Rememberer
from tests.support.crash.vendor import Task, verdict_on
from tests.support.crash.world import World


def wrong_answers(world: World) -> Iterator[str]:
    """Require that every answer is what the vendor said on its day, and that it was paid for then."""
    if not world.wiring.remembers:
        return
    for number, upload in enumerate(world.uploads):
        job = world.job(upload)
        if job and job.state is State.COMPLETED:
            rows = _rows(world, job)
            if [row["number"] for row in rows] != world.rows[number]:
                yield f"upload {number} has results for other rows"
            for row in rows:
                yield from (f"upload {number}: {problem}" for problem in _problems(world, job, row))


def _rows(world: World, job: Job) -> list[dict[str, str]]:
    assert job.results
    content = world.buckets.content(job.results.bucket, job.results.csv_key) or b""
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def _problems(world: World, job: Job, row: Mapping[str, str]) -> Iterator[str]:
    if row["status"] == "unresolved":
        # Every try to read the remembered answers may fail.
        if row["verdict"] or len(world.seam.plan) < len(Rememberer.pauses):
            yield "an entry is unresolved"
        return
    day = date.fromisoformat(row["checked_on"])
    bought = [task for task in world.vendor.tasks if row["number"] in task.rows]
    accepted_on = {_day_in_ledger(world, task): task.accepted_at.date() for task in bought}
    if day not in accepted_on:
        yield f"the results say that an entry was bought on {day}, and the ledger does not"
    elif row["verdict"] != verdict_on(row["number"], accepted_on[day]):
        yield "an answer is not the one of its day"
    was_sent = any(task.task_id == job.task_id for task in bought)
    if row["source"] != ("fresh" if was_sent else "remembered"):
        yield f"an entry is called {row['source']}"


def _day_in_ledger(world: World, task: Task) -> date | None:
    """Return the day on which the ledger says that a task was accepted. The write may have been late."""
    job = world.job(world.uploads[task.upload])
    return job.submitted_at.date() if job and job.submitted_at else None
