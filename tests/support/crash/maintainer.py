"""A person who maintains the pipeline with the command line, whose commands can crash too."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop_cli.operations import Operations
from tests.support.crash.world import World

MAX_TRIES = 3
"""A maintainer whose command failed repeats it while the job is unchanged."""


@dataclass(frozen=True)
class Maintainer:
    """Acts on the world from outside."""

    world: World

    def top_up(self) -> None:
        self.world.vendor.has_money = True

    def store_valid_key(self) -> None:
        self.world.secrets.put(self.world.vendor.key)

    def stop_executions(self) -> None:
        for name in list(self.world.executions.by_name):
            self.world.executions.stop(name)

    def purge_queue(self) -> None:
        """Delete the messages about uploads in the ledger; the audit would find the others."""
        in_ledger = [upload.key for upload in self.world.uploads if self.world.job(upload)]
        self.world.queue.messages = [
            message
            for message in self.world.queue.messages
            if not any(f'"{key}"' in message.body for key in in_ledger)
        ]

    def resolve_doubts(self) -> None:
        """Resolve every doubt according to the vendor's console."""
        for number in self._in_state(State.IN_DOUBT):
            tasks = self.world.vendor.tasks_of(number)
            if tasks:
                self._mark_charged(number, tasks[-1].task_id)
            else:
                self._mark_not_charged(number)

    def mark_doubts_not_charged(self) -> None:
        """Mark every job in doubt as not charged, whether that is true or not."""
        for number in self._in_state(State.IN_DOUBT):
            self._mark_not_charged(number)

    def abandon_doubts(self) -> None:
        """Abandon every job in doubt."""
        for number in self._in_state(State.IN_DOUBT):
            self._do(number, Operations.abandon)

    def abandon_unsent_jobs(self) -> None:
        """Abandon every job that the vendor does not accept, until none is left."""
        while self._unsent() or not self.world.timeline:
            self.world.run_for(timedelta(minutes=1))
            for number in self._unsent():
                self._do(number, Operations.abandon)

    def put_forgotten_submissions_in_doubt(self) -> None:
        """Compare the fences with the restored ledger until nothing is left to put in doubt."""
        for _ in range(MAX_TRIES):
            with suppress(Exception):
                self.world.run("maintainer", self._put_forgotten_submissions_in_doubt)

    def _put_forgotten_submissions_in_doubt(self) -> None:
        restored = self.world.wiring.restored()
        for submission in restored.compare().forgotten:
            restored.put_in_doubt(submission)

    def collect_again(self) -> None:
        """Collect every failed task again."""
        for number in self._in_state(State.FAILED):
            job = self.world.job(self.world.uploads[number])
            if job and job.task_id:
                self._do(number, Operations.collect_again)

    def _mark_charged(self, number: int, task_id: str) -> None:
        self._do(number, lambda operations, job: operations.mark_charged(job, task_id))

    def _mark_not_charged(self, number: int) -> None:
        marked = self.world.marked_not_charged
        marked[number] = marked.get(number, 0) + 1
        self._do(number, lambda operations, job: operations.mark_not_charged(job, "the vendor's console"))

    def _do(self, number: int, operation: Callable[[Operations, Job], Any]) -> None:
        upload = self.world.uploads[number]
        before = self.world.job(upload)
        for _ in range(MAX_TRIES):
            job = self.world.job(upload)
            if job is None or before is None or job.state is not before.state:
                return
            with suppress(Exception):
                self.world.run("maintainer", partial(operation, self.world.wiring.operations(), job))

    def _unsent(self) -> list[int]:
        return [*self._in_state(State.CLAIMED), *self._in_state(State.BLOCKED)]

    def _in_state(self, state: State) -> list[int]:
        jobs = [self.world.job(upload) for upload in self.world.uploads]
        return [number for number, job in enumerate(jobs) if job and job.state is state]
