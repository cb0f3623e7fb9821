"""The events that tell others how a job ended, or that it needs a person."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from numberdrop.aws.clients import make_client
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.checkers import checkers
from numberdrop.jobs.job import Job, timestamp
from numberdrop.jobs.transitions import State
from numberdrop.metrics import count_ending

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "numberdrop"
SCHEMA_VERSION = "1"

DETAIL_TYPES = {
    State.COMPLETED: "Number Check Completed",
    State.FAILED: "Number Check Failed",
    State.ABANDONED: "Number Check Failed",
    State.IN_DOUBT: "Number Check Needs Attention",
    State.BLOCKED: "Number Check Needs Attention",
}
"""The states that are announced. A job in any other state is still on its way."""


class NotAnnouncedError(Exception):
    """EventBridge did not take the event; try again."""


@dataclass(frozen=True)
class Announcer:
    """Emits events at least once: first the event, then the mark in the ledger."""

    client: "EventBridgeClient"
    bus: str
    ledger: Ledger

    @classmethod
    def connect(cls, bus: str, ledger: Ledger) -> Self:
        """Return the announcer for a bus, with a client of its own."""
        return cls(make_client("events"), bus, ledger)

    def announce(self, job: Job) -> None:
        """Emits the event of the job's ending, unless the ledger says it was emitted.

        Raises:
            NotAnnouncedError: EventBridge refused the entry.
        """
        if job.state not in DETAIL_TYPES or job.ending in job.announced:
            return
        answer = self.client.put_events(
            Entries=[
                {
                    "EventBusName": self.bus,
                    "Source": SOURCE,
                    "DetailType": DETAIL_TYPES[job.state],
                    "Detail": json.dumps(detail(job)),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode", "unknown")
            raise NotAnnouncedError(f"EventBridge refused the event: {code}.")
        self.ledger.mark_announced(job)
        count_ending(job)


def detail(job: Job) -> dict[str, Any]:
    """The event's detail, as the contract has it: ``results`` when completed, ``reason`` otherwise."""
    upload = asdict(job.upload)
    del upload["sequencer"]
    ending = (
        {"results": asdict(job.results)}
        if job.results
        else {"reason": asdict(job.reason) if job.reason else None}
    )
    return {
        "schema_version": SCHEMA_VERSION,
        "job_id": job.job_id,
        "checker": job.checker,
        "task_type": job.task_type,
        "task_id": job.task_id,
        "upload": upload,
        **ending,
        "counts": asdict(job.counts),
        "saved": _saved(job),
        "charged": job.charged,
        "submitted_at": timestamp(job.submitted_at) if job.submitted_at else None,
        "finished_at": timestamp(job.finished_at) if job.finished_at else None,
    }


def _saved(job: Job) -> dict[str, Any]:
    """What it saved to send each number once, by the list price where that is known."""
    checker = checkers().get((job.checker or "").lower())
    duplicates = job.counts.duplicates
    return {"numbers": duplicates, "usd": checker.list_price(duplicates) if checker else None}
