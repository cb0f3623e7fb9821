"""Connect to a stack: an AWS session, the stack, and everything that works on it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.buckets import UploadBucket
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.executions import Executions
from numberdrop.aws.fences import Fences
from numberdrop.aws.ledger import Ledger
from numberdrop.aws.listing import UploadListing
from numberdrop.aws.memory_bucket import MemoryBucket
from numberdrop.aws.queue import UploadQueue
from numberdrop.aws.task_ids import TaskIds
from numberdrop.clock import utc_now
from numberdrop.jobs.job import Job
from numberdrop_cli.dead_letters import DeadLetters
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.finding import JobFinder
from numberdrop_cli.jobs_table import JobsTable
from numberdrop_cli.latest_jobs import LatestJobs
from numberdrop_cli.operations import Operations
from numberdrop_cli.place import Place, is_this_computer
from numberdrop_cli.remembered import StackMemory
from numberdrop_cli.restoring import RestoredLedger
from numberdrop_cli.stack import Stack, find_stack
from numberdrop_cli.unannounced import UnannouncedUploads

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

CLIENT_CONFIG = Config(
    connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3}
)
"""Short time-outs in seconds, because a person waits for the answer."""


@dataclass(frozen=True)
class Connection:
    """One stack, and the objects that work on it.

    Attributes:
        client: makes a client of another service, for the few commands that need it.
    """

    stack: Stack
    ledger: Ledger
    jobs: JobsTable
    latest_jobs: LatestJobs
    finder: JobFinder
    breaker: CircuitBreaker
    executions: Executions
    operations: Operations
    queue: UploadQueue
    dead_letters: DeadLetters
    unannounced: UnannouncedUploads
    restored: RestoredLedger
    s3: "S3Client"
    memory: StackMemory | None
    client: "Callable[[Any], Any]"

    def require_memory(self) -> StackMemory:
        """Return the verdict memory.

        Raises:
            RefusedError: it is off.
        """
        if self.memory is None:
            raise RefusedError(
                "The verdict memory of this stack is off. Deploy with RememberYesDays or RememberNoDays to "
                "switch it on."
            )
        return self.memory

    def may_lose_events(self) -> bool:
        """Return whether S3 may not send the events of the upload bucket yet. The local cloud always does."""
        return self.stack.is_young(utc_now()) and not is_this_computer(self.s3.meta.endpoint_url)

    def find_job(self, name: str) -> Job:
        """Return the current state of a job, see ``JobFinder``."""
        return self.finder.find(name)


def connect(place: Place) -> Connection:
    """Find a stack, and connect to everything in it.

    Raises:
        RefusedError: there is no such stack, or a setting is invalid.
    """
    session = boto3.Session(region_name=place.region, profile_name=place.profile)

    def client(service: Any) -> Any:
        try:
            return session.client(service, config=CLIENT_CONFIG)
        except ValueError as error:
            raise RefusedError(f"The AWS settings are invalid. {error}") from None

    stack = find_stack(client("cloudformation"), place.stack_name, lambda: _account(client("sts")))
    ledger = Ledger(client("dynamodb"), stack.jobs_table)
    jobs = JobsTable(ledger.client, ledger.table)
    breaker = CircuitBreaker(ledger.client, ledger.table)
    executions = Executions(client("stepfunctions"), stack.state_machine_arn)
    s3, sqs = client("s3"), client("sqs")
    uploads, fences = UploadBucket(s3), Fences(s3, stack.results_bucket)
    queue = UploadQueue(sqs, stack.upload_queue_url)
    return Connection(
        stack=stack,
        ledger=ledger,
        jobs=jobs,
        latest_jobs=LatestJobs(ledger.client, jobs, stack.created_at),
        finder=JobFinder(ledger, jobs, fences, UploadListing(s3, stack.upload_bucket)),
        breaker=breaker,
        executions=executions,
        operations=Operations(
            ledger=ledger,
            task_ids=TaskIds.beside(ledger),
            fences=fences,
            jobs=jobs,
            executions=executions,
            queue=queue,
            job_timeout=stack.job_timeout,
        ),
        queue=queue,
        dead_letters=DeadLetters(sqs, stack.dead_letter_queue_url, stack.upload_queue_url),
        unannounced=UnannouncedUploads(uploads, stack.upload_bucket, ledger, jobs, breaker),
        restored=RestoredLedger(
            ledger=ledger,
            jobs=jobs,
            fences=fences,
            listing=UploadListing(s3, stack.upload_bucket),
            job_timeout=stack.job_timeout,
        ),
        s3=s3,
        memory=_memory(stack, s3, lambda: client("secretsmanager"), jobs),
        client=client,
    )


def _memory(
    stack: Stack, s3: "S3Client", secrets: "Callable[[], SecretsManagerClient]", jobs: JobsTable
) -> StackMemory | None:
    if not stack.memory_bucket or not stack.memory_key_secret:
        return None
    return StackMemory(MemoryBucket(s3, stack.memory_bucket), secrets(), stack.memory_key_secret, jobs)


def _account(sts: Any) -> str:
    """Return the number of the account, for a message that must not fail."""
    try:
        return str(sts.get_caller_identity()["Account"])
    except (BotoCoreError, ClientError):
        return "unknown"
