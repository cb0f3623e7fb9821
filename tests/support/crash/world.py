"""A small deterministic world around the real classes: a queue, executions, a schedule, a vendor, a clock."""

import json
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from io import BytesIO
from itertools import count
from typing import Any

from numberdrop.aws.executions import ExecutionStatus
from numberdrop.aws.ledger import Ledger
from numberdrop.jobs.job import Job
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload, message_for
from numberdrop.steps.queue_handler import Message
from tests.support.crash.executions import Executions
from tests.support.crash.logs import LINES
from tests.support.crash.seam import Client, Invocation, Mode, ProcessDiedError, Seam
from tests.support.crash.services import Buckets, Bus, Queue, Secrets
from tests.support.crash.table import TABLE, Table
from tests.support.crash.vendor import KEY, SeamDownloader, SeamVendorClient, Vendor, rows_of
from tests.support.crash.virtual_clock import VirtualClock
from tests.support.crash.wiring import UPLOADS, Clients, Wiring
from tests.support.jobs import NOON

SCHEDULE = timedelta(minutes=3)
"""How often reconcile runs, as the template has it."""

CHECK_SECONDS = 120
"""How long the function may run that looks at a task, as the template has it."""

STABLE_AFTER = timedelta(hours=3)
"""When nothing has changed for so long, nothing will."""

STABLE_AFTER_WITH_OPEN_BREAKER = timedelta(minutes=45)
"""Longer than a message of a dead worker is invisible."""


class ProcessFailedError(Exception):
    """A function died; Lambda tells its callers no more than that."""


@dataclass(frozen=True)
class Entry:
    """Something that others can see: a job entered a state, or an event was emitted.

    Attributes:
        what: ``state`` or ``event``.
        kind: the state or the event's detail type.
        code: the reason code, if there is one.
    """

    what: str
    job_id: str
    kind: str
    code: str | None


class World:
    """Everything there is, from the bucket to the vendor.

    Attributes:
        uploads: what was uploaded; its place tells its numbers.
        marked_not_charged: by upload, how often a person said so.
        timeline: what happened, in order.
        unarmed_posts: POSTs for which the ledger did not say ``submitting`` with the sender's token.
        logs: what the functions logged, as CloudWatch would get it.
    """

    def __init__(self, plan: Mapping[int, Mode] | None = None, wiring: type[Wiring] = Wiring) -> None:
        self.clock = VirtualClock(NOON)
        self.seam = Seam(self._pass_time, dict(plan or {}))
        self.uploads: list[Upload] = []
        self.marked_not_charged: dict[int, int] = {}
        self.timeline: list[Entry] = []
        self.unarmed_posts: list[str] = []
        self.logs = LINES
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
        self.clock.schedule(NOON + SCHEDULE, self._reconcile)

    # What people and other programs do

    def upload(
        self, key: str = "band/leads.txt", *, announced: bool = True, versioned: bool = True
    ) -> Upload:
        """Puts a file into the bucket."""
        rows = "\n".join(rows_of(len(self.uploads))).encode()
        version_id = self.buckets.put_object(Bucket=UPLOADS, Key=key, Body=BytesIO(rows))["VersionId"]
        etag = self.buckets.objects[UPLOADS, key][-1].etag
        upload = Upload(UPLOADS, key, version_id, etag, len(rows), f"{len(self.uploads):04X}")
        self.uploads.append(upload)
        if announced:
            self.announce(upload, versioned=versioned)
        return upload

    def announce(self, upload: Upload, *, versioned: bool = True) -> None:
        """Delivers the event of an upload."""
        body = json.loads(message_for(upload))
        if not versioned:
            del body["detail"]["object"]["version-id"]
        self.queue.send(json.dumps(body))

    def job(self, upload: Upload) -> Job | None:
        return self.ledger.get(upload.job_id)

    @property
    def ledger(self) -> Ledger:
        """The ledger as a person sees it, past the seam."""
        return Ledger(self.table, TABLE, self.clock.now)  # type: ignore[arg-type]

    def run_for(self, duration: timedelta) -> None:
        self.clock.run_until(self.clock.now() + duration)

    def run_until_idle(self) -> None:
        """Lets time pass until nothing happens any more; a person empties the dead-letter queue once."""
        self._run_until_stable()
        if self.queue.dead_letters:
            self.queue.redrive()
            self._run_until_stable()

    @property
    def needs_maintainer(self) -> bool:
        """Whether the vendor refuses every file until somebody puts something right."""
        return not self.vendor.has_money or self.vendor.key != self.secrets.value

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to be done by anybody."""
        busy = (
            self.queue.messages
            or self.queue.dead_letters
            or self.executions.running()
            or self._undelivered_ends
        )
        return not busy and not self._reconcile_has_work()

    def run(self, function: str, action: Callable[[], Any]) -> Any:
        """Runs a function, or what a service does, in a process of its own.

        Raises:
            ProcessFailedError: it died.
        """
        before = self.seam.invocation
        self.seam.invocation = Invocation(function, next(self._invocations))
        try:
            return action()
        except ProcessDiedError:
            self._warm.pop(function, None)
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
            vendor=lambda api_key: SeamVendorClient(self.vendor, self.seam, api_key),
            downloader=SeamDownloader(self.vendor, self.seam),
        )

    def _function(self, name: str) -> Any:
        """The function as an earlier invocation left it, or a cold one."""
        if name not in self._warm:
            self._warm[name] = getattr(self.wiring, name)()
        return self._warm[name]

    def _poll(self) -> None:
        """Delivers visible messages to the submit function, one at a time; what fails stays in the queue."""
        while message := self.queue.receive():
            taken = Message(message.body, message.receipt, message.receives)
            with suppress(Exception):
                self.run("queue_handler", partial(self._handle_message, taken))
                self.run("poller", partial(self._delete_message, taken.receipt_handle))

    def _handle_message(self, message: Message) -> None:
        self._function("queue_handler").handle(message, seconds=900)

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
        return self._function("collection").collect(event["job_id"], seconds=900).as_payload()

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
        """Delivers the event of an execution that ended unwell; Lambda attempts twice more."""
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
        except Exception:  # noqa: BLE001 - whatever a function raises, Lambda attempts again
            if retries_left:
                self._undelivered_ends += 1
                self.clock.schedule(
                    self.clock.now() + timedelta(minutes=1),
                    lambda: self._settle(execution, status, retries_left=retries_left - 1),
                )

    def _reconcile(self) -> None:
        self.clock.schedule(self.clock.now() + SCHEDULE, self._reconcile)
        if not self._reconcile_has_work():
            return  # It would read that there is nothing, which takes a while here.
        with suppress(Exception):  # it comes again
            self.run("reconcile", lambda: self._function("reconciliation").run())

    def _reconcile_has_work(self) -> bool:
        return any("unsettled" in item or "holder" in item for item in self.table.items())

    def _sleep(self, seconds: float) -> None:
        self._pass_time(timedelta(seconds=seconds))

    def _pass_time(self, duration: timedelta) -> None:
        """Everybody else's time, in the middle of one process."""
        invocation = self.seam.invocation
        self.run_for(duration)
        self.seam.invocation = invocation

    def _run_until_stable(self) -> None:
        seen, since = self._observable_state(), self.clock.now()
        while not self.is_settled:
            self.run_for(SCHEDULE)
            if (now_seen := self._observable_state()) != seen:
                seen, since = now_seen, self.clock.now()
            enough = STABLE_AFTER_WITH_OPEN_BREAKER if self.needs_maintainer else STABLE_AFTER
            if self.clock.now() - since > enough:
                return

    def _observable_state(self) -> tuple[int, int, frozenset[Entry]]:
        """Faults, charges, states, events; a job that is tried again and again adds nothing new to them."""
        struck = sum(number < len(self.seam.calls) for number in self.seam.plan)
        return struck, len(self.vendor.tasks), frozenset(self.timeline)

    # What is noted

    def _record_state(self, item: Mapping[str, Any]) -> None:
        if "state" in item:
            code = item.get("reason", {}).get("M", {}).get("code", {}).get("S")
            entry = Entry("state", item["job_id"]["S"], item["state"]["S"], code)
            of_job = [old for old in self.timeline if (old.what, old.job_id) == ("state", entry.job_id)]
            if not of_job or of_job[-1] != entry:
                self.timeline.append(entry)

    def _record_event(self, detail_type: str, detail: dict[str, Any]) -> None:
        code = detail.get("reason", {}).get("code")
        self.timeline.append(Entry("event", detail["job_id"], detail_type, code))
        self.logs.append(json.dumps(detail))

    def _check_post(self, number: int) -> None:
        """A POST happens only while the ledger shows ``submitting`` with a token of the sender."""
        job = self.job(self.uploads[number])
        tokens = {
            value.get("S")
            for call in self.seam.calls
            if call.invocation == self.seam.invocation and call.name == "dynamodb.update_item"
            for value in call.arguments["ExpressionAttributeValues"].values()
        }
        if job is None or job.state is not State.SUBMITTING or job.token not in tokens:
            self.unarmed_posts.append(f"upload {number} while {job.state if job else 'unknown'}")
