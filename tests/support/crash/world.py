"""A small deterministic world around the real classes: queue, executions, schedule, vendor, clock."""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from io import BytesIO
from itertools import count
from typing import Any, NamedTuple

from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.executions import ExecutionStatus
from numberdrop.aws.fences import PREFIX as FENCES
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.breaker import Cause, OpenBreaker
from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload, message_for
from numberdrop.steps.queue_handler import Message
from tests.support.crash.executions import Executions
from tests.support.crash.seam import Client, Invocation, Mode, ProcessDiedError, Seam
from tests.support.crash.services import LOG_LINES, Buckets, Bus, Queue, Secrets
from tests.support.crash.table import TABLE, Table
from tests.support.crash.vendor import KEY, SeamDownloader, SeamVendorClient, Vendor, rows_of
from tests.support.crash.virtual_clock import VirtualClock
from tests.support.crash.wiring import RESULTS, UPLOADS, Clients, Wiring
from tests.support.jobs import NOON

SCHEDULE = timedelta(minutes=3)
"""How often reconcile runs, as in the template."""

CHECK_SECONDS = 120
"""The timeout of the function that checks a task, as in the template."""

STABLE_AFTER = timedelta(hours=3)
"""If nothing changed for this long, nothing will."""

STABLE_AFTER_WITH_OPEN_BREAKER = timedelta(minutes=45)
"""The same while the circuit breaker is open."""


class ProcessFailedError(Exception):
    """A function died; Lambda's callers learn nothing more."""


class Entry(NamedTuple):
    """Something visible from outside: a job entered a state, or an event was emitted.

    Attributes:
        category: ``state`` or ``event``.
        kind: the state or the event's detail type.
        code: the reason code, or None.
    """

    category: str
    job_id: str
    kind: str
    code: str | None


class World:
    """The whole system, from the bucket to the vendor.

    Attributes:
        uploads: the uploads so far; the index of an upload is its number.
        marked_not_charged: how often a maintainer marked each upload as not charged.
        timeline: what happened, in order.
        unarmed_posts: POSTs while the ledger did not show ``submitting`` with the sender's token.
        posts_past_the_breaker: POSTs while the breaker was open that had no turn, or not the only one.
        logs: what the functions logged, as CloudWatch would receive it.
        rows: the numbers of each upload.
    """

    def __init__(self, plan: Mapping[int, Mode] | None = None, wiring: type[Wiring] = Wiring) -> None:
        self.clock = VirtualClock(NOON)
        self.seam = Seam(self._pass_time, self.clock.now, dict(plan or {}))
        self.uploads: list[Upload] = []
        self.rows: list[list[str]] = []
        self.marked_not_charged: dict[int, int] = {}
        self.timeline: list[Entry] = []
        self.unarmed_posts: list[str] = []
        self.posts_past_the_breaker: list[str] = []
        self._probes_in_progress: list[int] = []
        self.logs = LOG_LINES
        self.logs.clear()
        self._invocations = count(1)
        self._undelivered_ends = 0

        self.table = Table(self._record_state)
        self.buckets = Buckets()
        self.queue = Queue(self.clock.now, lambda moment: self.clock.schedule(moment, self._poll))
        self.secrets = Secrets(KEY)
        self.vendor = Vendor(self.clock.now, self._check_post)
        self.executions = Executions(self.clock, self._run_task, self._deliver_end)
        self.wiring = wiring(self._clients(), self.clock.now, self._sleep)
        self._warm: dict[str, Any] = {}
        self._instances: dict[Invocation, str] = {}
        self.clock.schedule(NOON + SCHEDULE, self._reconcile)

    # What people and other programs do

    def remember(self) -> None:
        """Switch the verdict memory on."""
        self.wiring = replace(self.wiring, remembers=True)

    def upload(
        self,
        key: str = "band/leads.txt",
        numbers: list[str] | None = None,
        *,
        announced: bool = True,
        versioned: bool = True,
    ) -> Upload:
        """Put a file into the bucket, by default with numbers that no other file has."""
        self.rows.append(numbers or rows_of(len(self.uploads)))
        rows = "\n".join(self.rows[-1]).encode()
        version_id = self.buckets.put_object(Bucket=UPLOADS, Key=key, Body=BytesIO(rows))["VersionId"]
        etag = self.buckets.objects[UPLOADS, key][-1].etag
        upload = Upload(UPLOADS, key, version_id, etag, len(rows), f"{len(self.uploads):04X}")
        self.uploads.append(upload)
        if announced:
            self.announce(upload, versioned=versioned)
        return upload

    def announce(self, upload: Upload, *, versioned: bool = True) -> None:
        """Deliver the event of an upload."""
        body = json.loads(message_for(upload))
        if not versioned:
            del body["detail"]["object"]["version-id"]
        self.queue.send(json.dumps(body))

    def job(self, upload: Upload) -> Job | None:
        return self.ledger.get(upload.job_id)

    @property
    def ledger(self) -> Ledger:
        """The ledger without the seam, as a person sees it."""
        return Ledger(self.table, TABLE, self.clock.now)  # type: ignore[arg-type]

    def run_for(self, duration: timedelta) -> None:
        self.clock.run_until(self.clock.now() + duration)

    def run_until_idle(self) -> None:
        """Let time pass until nothing changes; redrive the dead-letter queue once."""
        self._run_until_stable()
        if self.queue.dead_letters:
            self.queue.redrive()
            self._run_until_stable()

    @property
    def needs_maintainer(self) -> bool:
        """Whether no file is accepted until a maintainer fixes the account, or the outage is over."""
        refuses = not self.vendor.has_money or self.vendor.key != self.secrets.value
        return refuses or self.vendor.is_down or self.vendor.fails_posts

    def is_beyond_the_plan(self, number: int) -> bool:
        """Whether the vendor refuses the checker of an upload."""
        return self.uploads[number].key.partition("/")[0] in self.vendor.refused_checkers

    @property
    def open_breaker(self) -> OpenBreaker | None:
        """The state of the circuit breaker, without the seam."""
        return CircuitBreaker(self.table, TABLE).state()  # type: ignore[arg-type]

    @property
    def is_settled(self) -> bool:
        """Whether no work is left."""
        busy = (
            self.queue.messages
            or self.queue.dead_letters
            or self.executions.running()
            or self._undelivered_ends
        )
        return not busy and not self._reconcile_has_work()

    def run(self, function: str, action: Callable[[], Any]) -> Any:
        """Run a function, or an action of a service, in a process of its own.

        Raises:
            ProcessFailedError: the process died.
        """
        before = self.seam.invocation
        self.seam.invocation = Invocation(function, next(self._invocations))
        try:
            return action()
        except ProcessDiedError:
            self._warm.pop(self._instances.get(self.seam.invocation, ""), None)
            raise ProcessFailedError("The process died.") from None
        except Exception:
            self.logs.append(traceback.format_exc())
            raise
        finally:
            self.seam.invocation = before

    # What services do

    def _clients(self) -> Clients:
        def client(service: str, real: Any) -> Client:
            return Client(self.seam, service, real)

        return Clients(
            dynamodb=client("dynamodb", self.table),
            s3=client("s3", self.buckets),
            sqs=client("sqs", self.queue),
            events=client("events", Bus(self._record_event)),
            stepfunctions=client("stepfunctions", self.executions),
            secretsmanager=client("secretsmanager", self.secrets),
            memory=client("memory", self.buckets),
            memory_key=client("secretsmanager", Secrets("canary-memory-key")),
            vendor=lambda api_key: SeamVendorClient(
                self.vendor, self.seam, api_key, self._sender, self._watch_post
            ),
            downloader=SeamDownloader(self.vendor, self.seam),
        )

    def _function(self, name: str) -> Any:
        """Return the warm instance of a function, or start a cold one; it ends if the invocation dies."""
        self._instances[self.seam.invocation] = name
        if name not in self._warm:
            self._warm[name] = getattr(self.wiring, name)()
        return self._warm[name]

    def _poll(self) -> None:
        """Deliver visible messages to the submit function one by one; failed ones stay in the queue."""
        while message := self.queue.receive():
            received = Message(message.body, message.receipt, message.receives)
            with suppress(Exception):
                if self.run("queue_handler", partial(self._handle_message, received)):
                    self.run("poller", partial(self._delete_message, received.receipt_handle))

    def _handle_message(self, message: Message) -> bool:
        handled: bool = self._function("queue_handler").handle(message, seconds=900)
        return handled

    def _delete_message(self, receipt: str) -> None:
        self.wiring.clients.sqs.delete_message(QueueUrl="", ReceiptHandle=receipt)

    def _run_task(self, function: str, payload: dict[str, Any]) -> Any:
        name = function.strip("${}")
        result = self.run(name, lambda: self._TASKS[function](self, json.loads(json.dumps(payload))))
        return json.loads(json.dumps(result))

    def _check_status(self, event: dict[str, Any]) -> Any:
        status_check = self._function("status_check")
        return status_check.check(event["job_id"], event["seen"], seconds=CHECK_SECONDS).as_payload()

    def _collect(self, event: dict[str, Any]) -> Any:
        return self._function("collection").collect(event["job_id"], event["seen"], seconds=900).as_payload()

    def _record_failure(self, event: dict[str, Any]) -> Any:
        reason = Reason(ReasonCode(event["reason"]["code"]), event["reason"]["message"])
        record = self._function("failure_record")
        return asdict(record.record(event["job_id"], reason, execution=event["execution"]))

    _TASKS = {  # noqa: RUF012 - a constant
        "${CheckStatusFunctionArn}": _check_status,
        "${CollectFunctionArn}": _collect,
        "${RecordFailureFunctionArn}": _record_failure,
    }

    def _deliver_end(self, execution: str, status: str) -> None:
        """Deliver the event of an execution that failed, timed out or was aborted; Lambda retries twice."""
        if status in {"ABORTED", "FAILED", "TIMED_OUT"}:
            self._undelivered_ends += 1
            self.clock.schedule(self.clock.now(), lambda: self._settle(execution, status, retries_left=2))

    def _settle(self, execution: str, status: str, *, retries_left: int) -> None:
        self._undelivered_ends -= 1
        try:
            self.run(
                "settle",
                lambda: self._function("reconciliation").settle(execution, ExecutionStatus(status)),
            )
        except Exception:  # noqa: BLE001 - Lambda retries after any exception
            if retries_left:
                self._undelivered_ends += 1
                self.clock.schedule(
                    self.clock.now() + timedelta(minutes=1),
                    lambda: self._settle(execution, status, retries_left=retries_left - 1),
                )

    def _reconcile(self) -> None:
        self.clock.schedule(self.clock.now() + SCHEDULE, self._reconcile)
        if not self._reconcile_has_work():
            return  # Skip a run that would find nothing; it is slow here.
        with suppress(Exception):  # the schedule runs it again
            self.run("reconcile", lambda: self._function("reconciliation").run())

    def _reconcile_has_work(self) -> bool:
        breaker = self.open_breaker
        refusal = breaker is not None and breaker.cause is not Cause.OUTAGE
        return refusal or any("unsettled" in item for item in self.table.items())

    def _sleep(self, seconds: float) -> None:
        self._pass_time(timedelta(seconds=seconds))

    def _pass_time(self, duration: timedelta) -> None:
        """Let time pass for everything else, in the middle of an invocation."""
        invocation = self.seam.invocation
        self.run_for(duration)
        self.seam.invocation = invocation

    def _run_until_stable(self) -> None:
        state, since = self._observable_state(), self.clock.now()
        while not self.is_settled:
            self.run_for(SCHEDULE)
            if (new_state := self._observable_state()) != state:
                state, since = new_state, self.clock.now()
            # A message whose worker died is hidden for longer, and may open the closed breaker again.
            is_open = self.needs_maintainer and self.open_breaker is not None
            stable_after = STABLE_AFTER_WITH_OPEN_BREAKER if is_open else STABLE_AFTER
            if self.clock.now() - since > stable_after:
                return

    def _observable_state(self) -> tuple[int, int, frozenset[Entry]]:
        """Return faults, charges, states and events; a job that is only retried does not change them."""
        injected = sum(number < len(self.seam.calls) for number in self.seam.plan)
        return injected, len(self.vendor.tasks), frozenset(self.timeline)

    # What is recorded

    def _record_state(self, item: Mapping[str, Any]) -> None:
        if "state" in item:
            code = item.get("reason", {}).get("M", {}).get("code", {}).get("S")
            entry = Entry("state", item["job_id"]["S"], item["state"]["S"], code)
            of_job = [old for old in self.timeline if (old.category, old.job_id) == ("state", entry.job_id)]
            if not of_job or of_job[-1] != entry:
                self.timeline.append(entry)

    def _record_event(self, detail_type: str, detail: dict[str, Any]) -> None:
        code = detail.get("reason", {}).get("code")
        self.timeline.append(Entry("event", detail["job_id"], detail_type, code))
        self.logs.append(json.dumps(detail))

    @contextmanager
    def _watch_post(self, number: int) -> Iterator[None]:
        """Record a POST past the open breaker. Other invocations may run during the POST."""
        breaker = self.open_breaker
        if breaker is None:
            yield
            return
        if breaker.prober != self.uploads[number].job_id:
            self.posts_past_the_breaker.append(f"upload {number} was sent without the turn")
        if self._probes_in_progress:
            self.posts_past_the_breaker.append(f"{self._probes_in_progress} and {number} were sent at once")
        self._probes_in_progress.append(number)
        try:
            yield
        finally:
            self._probes_in_progress.remove(number)

    def _sender(self) -> int:
        """Return the number of the upload whose job the current invocation wrote last."""
        job_ids = [upload.job_id for upload in self.uploads]
        return next(
            job_ids.index(call.arguments["Key"]["job_id"]["S"])
            for call in reversed(self.seam.calls)
            if call.invocation == self.seam.invocation
            and call.name == "dynamodb.update_item"
            and call.arguments["Key"]["job_id"]["S"] in job_ids
        )

    def _check_post(self, number: int) -> None:
        """Record a POST unless the ledger shows ``submitting`` with a token of the sender."""
        job = self.job(self.uploads[number])
        tokens = {
            value.get("S")
            for call in self.seam.calls
            if call.invocation == self.seam.invocation and call.name == "dynamodb.update_item"
            for value in call.arguments["ExpressionAttributeValues"].values()
        }
        fence = self.buckets.metadata(RESULTS, FENCES + job.job_id) if job else {}
        if job and fence.get("token") != job.token:
            self.unarmed_posts.append(f"upload {number} without a fence")
        if job is None or job.state is not State.SUBMITTING or job.token not in tokens:
            self.unarmed_posts.append(f"upload {number} while {job.state if job else 'unknown'}")
