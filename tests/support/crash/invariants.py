"""What must hold when everything has become quiet, whatever went wrong on the path."""

import json
from collections import Counter
from collections.abc import Iterator

from numberdrop.jobs.events import DETAIL_TYPES
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from tests.support.crash.vendor import CANARIES
from tests.support.crash.world import Entry, World

MAX_REPEATS = 8
"""Of one event of a job, or of messages about an upload: more than all faults of a schedule can cause."""

ENDED = {State.COMPLETED, State.FAILED, State.ABANDONED, State.IN_DOUBT}


def violations(world: World) -> list[str]:
    """What does not hold, in words; empty when all is well."""
    return [
        *_excess_charges(world),
        *_unarmed_posts(world),
        *_unfinished_jobs(world),
        *_missing_events(world),
        *_unfounded_events(world),
        *_wrong_results(world),
        *_partial_exports(world),
        *_leaked_secrets(world),
        *_endless_repeats(world),
    ]


def _jobs(world: World) -> Iterator[tuple[int, Job | None]]:
    return ((number, world.job(upload)) for number, upload in enumerate(world.uploads))


def _excess_charges(world: World) -> Iterator[str]:
    for number in range(len(world.uploads)):
        charges = len(world.vendor.tasks_of(number))
        allowed = 1 + world.marked_not_charged.get(number, 0)
        if charges > allowed:
            yield f"upload {number} was charged {charges} times, where {allowed} are allowed"


def _unarmed_posts(world: World) -> Iterator[str]:
    return (f"posted out of turn: {post}" for post in world.unarmed_posts)


def _unfinished_jobs(world: World) -> Iterator[str]:
    holder = next((item["holder"]["S"] for item in world.table.items() if "holder" in item), None)
    for number, job in _jobs(world):
        if job and job.state in ENDED:
            if job.state is State.COMPLETED and not world.vendor.tasks_of(number):
                yield f"upload {number} is completed and was never charged"
            continue
        waits = (
            world.needs_maintainer and holder and (job is None or job.state in {State.CLAIMED, State.BLOCKED})
        )
        if not waits:
            yield f"upload {number} is left behind: {job.state if job else 'no job'}"
    if holder and not world.needs_maintainer:
        yield "the line is still stopped"


def _missing_events(world: World) -> Iterator[str]:
    """Each ending has an event that is younger; a line that is stopped again and again says so once."""
    for number, job in _jobs(world):
        if job is None or job.state not in DETAIL_TYPES:
            continue
        code = str(job.reason.code) if job.reason and job.state is not State.COMPLETED else None
        event = Entry("event", job.job_id, DETAIL_TYPES[job.state], code)
        entered = Entry("state", job.job_id, str(job.state), str(job.reason.code) if job.reason else None)
        begin = 0 if job.state is State.BLOCKED else _last(world.timeline, entered)
        if event not in world.timeline[begin:]:
            yield f"upload {number} is {job.ending}, and no event says so"


def _last(timeline: list[Entry], entry: Entry) -> int:
    return max(place for place, other in enumerate(timeline) if other == entry)


def _unfounded_events(world: World) -> Iterator[str]:
    reached: set[tuple[str, str, str | None]] = set()
    for entry in world.timeline:
        if entry.what == "state":
            detail_type = DETAIL_TYPES.get(State(entry.kind))
            code = None if entry.kind == State.COMPLETED else entry.code
            reached |= {(entry.job_id, detail_type, code)} if detail_type else set()
        elif (entry.job_id, entry.kind, entry.code) not in reached:
            yield f"an event was invented: {entry.kind}, {entry.code}"


def _wrong_results(world: World) -> Iterator[str]:
    for number, job in _jobs(world):
        if job is None or job.state is not State.COMPLETED:
            continue
        task = world.vendor.task(job.task_id or "")
        results = job.results
        if task is None or results is None or task.upload != number:
            yield f"upload {number} is completed without its own task and results"
        elif world.buckets.content(results.bucket, results.export_key) != task.export:
            yield f"upload {number} is completed, and the stored export is not the vendor's"
        elif not all(
            key and world.buckets.content(results.bucket, key)
            for key in (results.csv_key, results.manifest_key, results.report_key)
        ):
            yield f"upload {number} is completed, and its results are not all there"


def _partial_exports(world: World) -> Iterator[str]:
    """What bears an export's name may be read at any time, so not even a short while is allowed."""
    exports = [task.export for task in world.vendor.tasks]
    for (_, key), versions in world.buckets.objects.items():
        if key.endswith("/export.zip") and any(version.content not in exports for version in versions):
            yield f"{key} was not whole at some time"


def _leaked_secrets(world: World) -> Iterator[str]:
    histories = [line for execution in world.executions.by_name.values() for line in execution.history]
    places = {
        "logs and events": world.logs,
        "histories": histories,
        "ledger": [json.dumps(world.table.items())],
    }
    for place, texts in places.items():
        for text in texts:
            if found := [canary for canary in CANARIES if canary in text]:
                yield f"{place} hold {found}: {text[:300]}"


def _endless_repeats(world: World) -> Iterator[str]:
    """Repeats do no harm, as long as they do not go on by themselves."""
    for number, job in _jobs(world):
        executions = [
            execution
            for execution in world.executions.by_name.values()
            if job and execution.input["job_id"] == job.job_id
        ]
        if job and len(executions) > job.run:
            yield f"upload {number} has {len(executions)} executions for {job.run} runs"
    if len(world.queue.messages) > MAX_REPEATS * len(world.uploads):
        yield f"{len(world.queue.messages)} messages wait in the queue for {len(world.uploads)} uploads"
    for entry, times in Counter(world.timeline).items():
        if entry.what == "event" and times > MAX_REPEATS:
            yield f"{entry.kind}, {entry.code} was emitted {times} times"
