"""EventBridge events that announce how a job ended, or that it needs a person."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from numberdrop.aws.clients import make_client
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.events import DETAIL_TYPES, SOURCE, SchemaVersion, detail
from numberdrop.jobs.job import Job
from numberdrop.metrics import count_ending
from numberdrop.settings import LedgerSettings

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class NotAnnouncedError(Exception):
    """EventBridge did not accept the event: try again."""


@dataclass(frozen=True)
class Announcer:
    """Emits events at least once: it first emits the event, then marks the job as announced in the ledger.

    >>> announcer = Announcer(make_client("events"), "default", Ledger.connect("jobs"))
    >>> announcer.bus  # then: announcer.announce(job)
    'default'
    """

    client: "EventBridgeClient"
    bus: str
    ledger: Ledger
    version: SchemaVersion = SchemaVersion.ONE

    @classmethod
    def from_settings(cls, settings: LedgerSettings, ledger: Ledger) -> Self:
        """Return the announcer for these settings, with a client of its own."""
        version = SchemaVersion(settings.event_schema_version)
        return cls(make_client("events"), settings.event_bus_name, ledger, version)

    def announce(self, job: Job) -> None:
        """Emit the event for the job's state, unless the ledger says that it was already emitted.

        Does nothing in states that have no event.

        Raises:
            NotAnnouncedError: EventBridge rejected the event.
        """
        if job.state not in DETAIL_TYPES or job.ending in job.announced:
            return
        answer = self.client.put_events(
            Entries=[
                {
                    "EventBusName": self.bus,
                    "Source": SOURCE,
                    "DetailType": DETAIL_TYPES[job.state],
                    "Detail": json.dumps(detail(job, self.version)),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode", "unknown")
            raise NotAnnouncedError(f"EventBridge rejected the event ({code}). Try again.")
        self.ledger.mark_announced(job)
        count_ending(job)
