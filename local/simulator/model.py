"""The vendor's tasks, money and progress, without HTTP."""

import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from local.simulator.clock import Clock, new_task_id
from numberdrop.jobs.checkers import Checker, Family

DEFAULT_USD_PER_10K = 1.0
"""The price of a checker without a documented price, in USD per 10,000 rows."""

PENDING_UNTIL = 0.1
COMPLETED_FROM = 0.9
"""Shares of a task's duration: pending before the first, completed without a file after the second."""


class RefusedError(Exception):
    """The vendor refuses a request without charging for it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class TaskStatus(StrEnum):
    """The states of a task, as on the vendor's pages."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    EXPORTED = "exported"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, which can change while the simulator runs.

    Attributes:
        api_key: the only valid API key.
        user_id: the only valid user of the legacy family.
        duration_seconds: from a task's creation to its export; writing a big export may take longer.
        link_life_seconds: how long a link to an export is valid.
        byte_limit: the largest request body of a submission, in bytes.
        enforce_minimum: whether to refuse files below the minimum rows of a checker.
    """

    api_key: str = "test-key"
    user_id: str = "test-user"
    duration_seconds: float = 6.0
    link_life_seconds: float = 3600.0
    byte_limit: int = 1 << 30
    enforce_minimum: bool = False


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A submitted file of numbers.

    Attributes:
        path: where it is stored.
        rows: the number of lines that are not blank.
        size: its size in bytes.
        sha256: the hash of its bytes, in hex.
        framing: ``content-length`` or ``chunked``, as the request was sent.
    """

    path: Path
    rows: int
    size: int
    sha256: str
    framing: str


@dataclass(frozen=True, slots=True)
class Task:
    """An accepted file. Times are seconds of the clock; ``exported`` is when its export is due."""

    task_id: str
    checker: Checker
    rows: int
    numbers: Path
    created: float
    exported: float


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a task at one moment, and the number of rows checked."""

    status: TaskStatus
    success: int


@dataclass(frozen=True, slots=True)
class Charge:
    """The charge for one task, in USD."""

    task_id: str
    checker: str
    path: str
    rows: int
    amount: float
    sha256: str


@dataclass(frozen=True, slots=True)
class Submission:
    """An accepted submission; ``at_once`` is the number of submissions in progress at that moment."""

    task_id: str
    received_at: str
    checker: str
    path: str
    rows: int
    size: int
    sha256: str
    framing: str
    at_once: int


@dataclass(frozen=True, slots=True)
class Download:
    """A request for an export, served or not; the status is None if no answer was sent."""

    task_id: str
    status: int | None
    api_key_sent: bool


class Vendor:
    """The tasks, and the account that pays for them. Thread-safe."""

    def __init__(self, *, settings: Settings, balance: float, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.charges: list[Charge] = []
        self.submissions: list[Submission] = []
        self.downloads: list[Download] = []
        self.submissions_in_progress = 0
        self.peak_submissions = 0
        self._balance = balance
        self._tasks: dict[str, Task] = {}
        self._lock = threading.Lock()

    @property
    def balance(self) -> float:
        """The account's balance in USD."""
        return self._balance

    def top_up(self, usd: float) -> None:
        """Add money to the account, or take it out when negative."""
        with self._lock:
            self._balance = round(self._balance + usd, 6)

    @contextmanager
    def submission_in_progress(self) -> Iterator[None]:
        """Count a submission as in progress until the context ends."""
        with self._lock:
            self.submissions_in_progress += 1
            self.peak_submissions = max(self.peak_submissions, self.submissions_in_progress)
        try:
            yield
        finally:
            with self._lock:
                self.submissions_in_progress -= 1

    def create_task(self, checker: Checker, file: ReceivedFile) -> Task:
        """Accept a file, charge for it, and return its task.

        Raises:
            RefusedError: too few or too many rows, or too little money. Nothing was charged.
        """
        _check_rows(checker, file, enforce_minimum=self.settings.enforce_minimum)
        amount = cost(checker, file.rows)
        with self._lock:
            if self._balance < amount:
                raise RefusedError(402, "insufficient_balance", "The balance is too low.")
            self._balance = round(self._balance - amount, 6)
            task = self._new_task(checker, file)
            self._record(task, file, amount)
        return task

    def task(self, task_id: str, path: str) -> Task:
        """Return a task that was submitted to a path.

        Raises:
            RefusedError: 404, there is no such task.
        """
        task = self._tasks.get(task_id)
        if task is None or task.checker.path != path:
            raise RefusedError(404, "task_not_found", "There is no such task.")
        return task

    def exported_task(self, task_id: str) -> Task:
        """Return the task of a valid link."""
        return self._tasks[task_id]

    def is_due(self, task: Task) -> bool:
        """Tell whether the export of a task is due; it may still be in the making."""
        return self.clock.now() >= task.exported

    def finish_all(self) -> None:
        """Make the export of every existing task due now."""
        with self._lock:
            now = self.clock.now()
            for task in self._tasks.values():
                self._tasks[task.task_id] = replace(task, exported=min(task.exported, now))

    def _new_task(self, checker: Checker, file: ReceivedFile) -> Task:
        now = self.clock.now()
        task = Task(
            task_id=new_task_id(self.clock.unix_second(now)),
            checker=checker,
            rows=file.rows,
            numbers=file.path,
            created=now,
            exported=now + self.settings.duration_seconds,
        )
        self._tasks[task.task_id] = task
        return task

    def _record(self, task: Task, file: ReceivedFile, amount: float) -> None:
        checker = task.checker
        self.charges.append(Charge(task.task_id, checker.name, checker.path, file.rows, amount, file.sha256))
        self.submissions.append(
            Submission(
                task_id=task.task_id,
                received_at=self.clock.timestamp(task.created),
                checker=checker.name,
                path=checker.path,
                rows=file.rows,
                size=file.size,
                sha256=file.sha256,
                framing=file.framing,
                at_once=self.submissions_in_progress,
            )
        )

    def create_reply(self, task: Task) -> dict[str, object]:
        """Return the reply to a submission: five fields in v1, eight in the legacy family."""
        created = self.clock.timestamp(task.created)
        if task.checker.family is Family.V1:
            return {
                "task_id": task.task_id,
                "status": TaskStatus.PENDING,
                "total": task.rows,
                "message": "Task created successfully",
                "created_at": created,
            }
        return self._full_reply(task, created, Progress(TaskStatus.PENDING, 0), total=0)

    def status_reply(self, task: Task, *, exported: bool) -> dict[str, object]:
        """Return the eight fields about a task; ``api.py`` adds the link of an exported one."""
        now = self.clock.now()
        updated = self.clock.timestamp(min(now, task.exported))
        current = Progress(TaskStatus.EXPORTED, task.rows) if exported else progress(task, now)
        return self._full_reply(task, updated, current, total=task.rows)

    def _full_reply(self, task: Task, updated_at: str, current: Progress, *, total: int) -> dict[str, object]:
        return {
            "created_at": self.clock.timestamp(task.created),
            "updated_at": updated_at,
            "task_id": task.task_id,
            "user_id": self.settings.user_id,
            "status": current.status,
            "total": total,
            "success": current.success,
            "failure": 0,
        }


def cost(checker: Checker, rows: int) -> float:
    """Return the price of a task in USD, from the list price for 10,000 rows."""
    price = checker.usd_per_10k
    return round(rows * (DEFAULT_USD_PER_10K if price is None else price) / 10_000, 6)


def progress(task: Task, now: float) -> Progress:
    """Return the state of a task without an export; its id decides how fast it proceeds."""
    if now >= task.exported:
        return Progress(TaskStatus.COMPLETED, task.rows)
    share = (now - task.created) / (task.exported - task.created)
    if share < PENDING_UNTIL:
        return Progress(TaskStatus.PENDING, 0)
    if share >= COMPLETED_FROM:
        return Progress(TaskStatus.COMPLETED, task.rows)
    worked = (share - PENDING_UNTIL) / (COMPLETED_FROM - PENDING_UNTIL)
    exponent = 0.7 + zlib.crc32(task.task_id.encode("ascii")) % 600 / 1000
    return Progress(TaskStatus.PROCESSING, int(task.rows * worked**exponent))


def rows_of(numbers: Path) -> Iterator[str]:
    """Yield the lines of a stored file that are not blank, stripped."""
    with numbers.open(encoding="utf-8-sig", errors="replace") as lines:
        for line in lines:
            if row := line.strip():
                yield row


def _check_rows(checker: Checker, file: ReceivedFile, *, enforce_minimum: bool) -> None:
    if file.rows == 0:
        raise RefusedError(400, "empty_file", "The file has no rows.")
    if file.rows > checker.max_rows:
        raise RefusedError(400, "invalid_batch_size", f"At most {checker.max_rows} rows are allowed.")
    if not enforce_minimum:
        return
    remaining = _distinct_rows(file.path, at_most=checker.min_rows)
    if remaining < checker.min_rows:
        raise RefusedError(
            400,
            "invalid_batch_size",
            f"{remaining} compliant numbers remain for {checker.name}, "
            f"which is less than the minimum {checker.min_rows}",
        )


def _distinct_rows(numbers: Path, *, at_most: int) -> int:
    """Count distinct rows up to a limit: the vendor de-duplicates before it checks its minimum."""
    seen: set[str] = set()
    for row in rows_of(numbers):
        if len(seen) >= at_most:
            break
        seen.add(row)
    return len(seen)
