"""EventBridge events that announce how a job ended, or that it needs a person."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from numberdrop.aws.clients import make_client
from numberdrop.aws.failure_files import FailureFiles
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.events import DETAIL_TYPES, SOURCE, SchemaVersion, detail
from numberdrop.jobs.job import Job
from numberdrop.metrics import count_ending

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class AnnouncerSettings(Protocol):
    """The settings of every function that announces jobs, see ``numberdrop.settings``."""

    @property
    def event_bus_name(self) -> str:
        """The bus that receives the events."""

    @property
    def event_schema_version(self) -> str:
        """The version of the events."""

    @property
    def results_bucket(self) -> str:
        """The bucket for the files of failed jobs."""


class NotAnnouncedError(Exception):
    """EventBridge did not accept the event: try again."""


@dataclass(frozen=True)
class Announcer:
    """Emits events at least once: it first emits the event, then marks the job as announced in the ledger.

    A job that ended without results has its files before its event, so whoever gets the event finds them.

    >>> files = FailureFiles.connect("results")
    >>> announcer = Announcer(make_client("events"), "default", Ledger.connect("jobs"), files)
    >>> announcer.bus  # then: announcer.announce(job)
    'default'
    """

    client: "EventBridgeClient"
    bus: str
    ledger: Ledger
    failure_files: FailureFiles
    version: SchemaVersion = SchemaVersion.ONE

    @classmethod
    def from_settings(cls, settings: AnnouncerSettings, ledger: Ledger) -> Self:
        """Return the announcer for these settings, with clients of its own."""
        version = SchemaVersion(settings.event_schema_version)
        files = FailureFiles.connect(settings.results_bucket)
        return cls(make_client("events"), settings.event_bus_name, ledger, files, version)

    def announce(self, job: Job) -> None:
        """Emit the event for the job's state, unless the ledger says that it was already emitted.

        Does nothing in states that have no event.

        Raises:
            ClientError, BotoCoreError: a service cannot be reached or is busy. Try again.
            NotAnnouncedError: EventBridge rejected the event.
        """
        if job.state not in DETAIL_TYPES or job.ending in job.announced:
            return
        self.failure_files.write(job)
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
