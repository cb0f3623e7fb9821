"""The invariants that must hold once the world is idle, whatever went wrong before."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from numberdrop.aws.failure_files import FOR_PEOPLE, FOR_PROGRAMS, failure_folder
from numberdrop.jobs.breaker import Cause
from numberdrop.jobs.checkers import documented_checker
from numberdrop.jobs.events import DETAIL_TYPES
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from tests.support.crash.memory_invariants import wrong_answers
from tests.support.crash.vendor import CANARIES
from tests.support.crash.wiring import RESULTS
from tests.support.crash.world import Entry, World
from tests.support.jobs import NOON

MAX_REPEATS = 8
"""Of one event of a job, or of messages per upload: more than all faults of a schedule can cause."""

FIRST_REFUSED_POSTS, REFUSED_POSTS_PER_HOUR = 7, 2
"""Of one upload under one key: pauses grow to half an hour."""

ENDED = {State.COMPLETED, State.FAILED, State.ABANDONED, State.IN_DOUBT}


def violations(world: World) -> list[str]:
    """Return a sentence for each invariant that does not hold; an empty list if all hold."""
    return [
        *_excess_charges(world),
        *_denied_charges(world),
        *_charges_above_the_ceiling(world),
        *_unarmed_posts(world),
        *_posts_past_the_breaker(world),
        *_repeated_refusals(world),
        *_repeated_openings(world),
        *_unended_turns(world),
        *_unfinished_jobs(world),
        *_missing_events(world),
        *_unannounced_refusals(world),
        *_unfounded_events(world),
        *_wrong_results(world),
        *wrong_answers(world),
        *_misleading_files(world),
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
            yield f"upload {number} was charged {charges} times, but only {allowed} allowed"


def _denied_charges(world: World) -> Iterator[str]:
    """Require that no job ends free of charge if its upload was charged."""
    for number, job in _jobs(world):
        denied = world.marked_not_charged.get(number, 0)
        is_denied = job is not None and job.state in ENDED and job.charged is False
        if is_denied and len(world.vendor.tasks_of(number)) > denied:
            yield f"upload {number} was charged, and its job denies that"


def _charges_above_the_ceiling(world: World) -> Iterator[str]:
    for number, upload in enumerate(world.uploads):
        checker = documented_checker(upload.key)
        if checker and checker.usd_per_10k is None and world.vendor.tasks_of(number):
            yield f"upload {number} was charged, although its price is unknown and there is a ceiling"


def _unarmed_posts(world: World) -> Iterator[str]:
    return (f"posted without arming: {post}" for post in world.unarmed_posts)


def _posts_past_the_breaker(world: World) -> Iterator[str]:
    return (f"posted past the open breaker: {post}" for post in world.posts_past_the_breaker)


def _repeated_refusals(world: World) -> Iterator[str]:
    """Bound how often a file is sent under a key that the vendor refuses: no page says that this is free."""
    hours = (world.clock.now() - NOON) / timedelta(hours=1)
    for (number, _), count in Counter(world.vendor.refused_posts).items():
        if count > FIRST_REFUSED_POSTS + REFUSED_POSTS_PER_HOUR * hours:
            yield f"upload {number} was sent {count} times under a key that was refused"


def _repeated_openings(world: World) -> Iterator[str]:
    """Forbid a job to hold the others back twice because its own file is refused.

    A fault may hide the first time from the job's worker.
    """
    openings = Counter(
        item["holder"]["S"]
        for item in world.table.created
        if "holder" in item and item["cause"]["S"] != Cause.OUTAGE
    )
    for number, upload in enumerate(world.uploads):
        if openings[upload.job_id] > 1 + world.marked_not_charged.get(number, 0) + len(world.seam.plan):
            yield f"upload {number} opened the circuit breaker {openings[upload.job_id]} times"


def _unended_turns(world: World) -> Iterator[str]:
    """Require that an acceptance closes the breaker, unless a process died in between."""
    breaker = world.open_breaker
    prober = world.ledger.get(breaker.prober) if breaker and breaker.prober else None
    if prober and prober.task_id and not world.seam.plan:
        yield "the circuit breaker is open although the vendor accepted the prober's file"


def _unfinished_jobs(world: World) -> Iterator[str]:
    breaker = world.open_breaker
    for number, job in _jobs(world):
        if job and job.state in ENDED:
            is_answered = world.wiring.remembers and job.charged is False
            if job.state is State.COMPLETED and not world.vendor.tasks_of(number) and not is_answered:
                yield f"upload {number} is completed but was never charged"
            continue
        is_unsent = job is None or job.state in {State.CLAIMED, State.BLOCKED}
        waits = world.needs_maintainer and breaker is not None
        if not (is_unsent and (waits or world.is_beyond_the_plan(number))):
            yield f"upload {number} is unfinished: {job.state if job else 'no job'}"
    is_refusal = breaker is not None and breaker.cause is not Cause.OUTAGE
    if is_refusal and not world.needs_maintainer and not world.vendor.refused_checkers:
        # After an outage the next upload closes it, and there may be none.
        yield "the circuit breaker is still open"


def _missing_events(world: World) -> Iterator[str]:
    """Require an event after each ending; a circuit breaker that opens repeatedly is announced once."""
    for number, job in _jobs(world):
        if job is None or job.state not in DETAIL_TYPES:
            continue
        code = str(job.reason.code) if job.reason and job.state is not State.COMPLETED else None
        event = Entry("event", job.job_id, DETAIL_TYPES[job.state], code)
        entered = Entry("state", job.job_id, str(job.state), str(job.reason.code) if job.reason else None)
        begin = 0 if job.state is State.BLOCKED else _last(world.timeline, entered)
        if event not in world.timeline[begin:]:
            yield f"upload {number} is {job.ending}, but no event says so"


def _unannounced_refusals(world: World) -> Iterator[str]:
    """Require that a person was told about the refusal that holds all uploads back."""
    refuses = not world.vendor.has_money or world.vendor.key != world.secrets.value
    told = any(entry.kind == DETAIL_TYPES[State.BLOCKED] for entry in world.timeline)
    if refuses and world.open_breaker and not told:
        yield "uploads wait for a person, but no event says so"


def _last(timeline: list[Entry], entry: Entry) -> int:
    return max(index for index, other in enumerate(timeline) if other == entry)


def _unfounded_events(world: World) -> Iterator[str]:
    reached: set[tuple[str, str, str | None]] = set()
    for entry in world.timeline:
        if entry.category == "state":
            detail_type = DETAIL_TYPES.get(State(entry.kind))
            code = None if entry.kind == State.COMPLETED else entry.code
            reached |= {(entry.job_id, detail_type, code)} if detail_type else set()
        elif (entry.job_id, entry.kind, entry.code) not in reached:
            yield f"an event has no matching state: {entry.kind}, {entry.code}"


def _wrong_results(world: World) -> Iterator[str]:
    for number, job in _jobs(world):
        if job is None or job.state is not State.COMPLETED:
            continue
        task = world.vendor.task(job.task_id or "")
        results = job.results
        if job.charged is False:
            if world.vendor.tasks_of(number) or job.task_id or (results and results.export_key):
                yield f"upload {number} was answered from memory, but it has a task"
        elif task is None or results is None or task.upload != number:
            yield f"upload {number} is completed without its own task or results"
        elif world.buckets.content(results.bucket, results.export_key or "") != task.export:
            yield f"upload {number} is completed, but the stored export is not the vendor's"
        if results and not all(
            key and world.buckets.content(results.bucket, key)
            for key in (results.csv_key, results.manifest_key, results.report_key)
        ):
            yield f"upload {number} is completed, but some of its results are missing"


def _misleading_files(world: World) -> Iterator[str]:
    """Require that a job's ``failed.json`` says how it ended, and that a completed job has none."""
    for number, job in _jobs(world):
        if job is None or job.state not in ENDED:
            continue
        for name in (FOR_PROGRAMS, FOR_PEOPLE):
            content = world.buckets.content(RESULTS, failure_folder(job) + name) or b""
            if job.state is State.COMPLETED:
                if content:
                    yield f"upload {number} is completed, but {name} is there"
            elif not job.reason or job.reason.message not in " ".join(content.decode().split()):
                yield f"upload {number} is {job.ending}, but {name} does not say so"


def _partial_exports(world: World) -> Iterator[str]:
    """Forbid a partial export even for a moment, because it may be read at any time."""
    exports = [task.export for task in world.vendor.tasks]
    for (_, key), versions in world.buckets.objects.items():
        if key.endswith("/export.zip") and any(version.content not in exports for version in versions):
            yield f"{key} was incomplete at some time"


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
                yield f"{place} contain {found}: {text[:300]}"


def _endless_repeats(world: World) -> Iterator[str]:
    """Forbid endless repeats; a few do no harm."""
    for number, job in _jobs(world):
        executions = [
            execution
            for execution in world.executions.by_name.values()
            if job and execution.input["job_id"] == job.job_id
        ]
        if job and len(executions) > job.run:
            yield f"upload {number} has {len(executions)} executions for {job.run} runs"
    if len(world.queue.messages) > MAX_REPEATS * len(world.uploads):
        yield f"{len(world.queue.messages)} messages are queued for {len(world.uploads)} uploads"
    for entry, count in Counter(world.timeline).items():
        if entry.category == "event" and count > MAX_REPEATS:
            yield f"{entry.kind}, {entry.code} was emitted {count} times"
