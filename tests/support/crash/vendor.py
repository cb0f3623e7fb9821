"""An in-memory vendor, and the two clients through which the package uses it."""

import io
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import IO
from zipfile import ZipFile, ZipInfo

from numberdrop.aws.api_key import ApiKey
from numberdrop.jobs.checkers import Checker
from numberdrop.vendor.download import DownloadFailedError
from numberdrop.vendor.outcomes import (
    Accepted,
    Blocked,
    InDoubt,
    NoAnswer,
    Rejected,
    Retryable,
    StatusOutcome,
    SubmitOutcome,
    TaskStatus,
    TaskUnknown,
)
from tests.support.crash.seam import DOWNLOAD, FREE_CALL, POST, STATUS, Seam

NUMBER = "+447700{upload:03}{row:03}"
"""Numbers from a range that is reserved for fiction; each contains the number of its upload."""

KEY = "canary-key"
SIGNATURE = "canary-signature"
CANARIES = ("447700", "canary-")
"""Texts that must never appear outside files and requests."""

DURATION = timedelta(seconds=15)
"""How long a task takes."""


SLOW_DURATION, SLOW_ROWS = timedelta(hours=4), 1_000
"""How long a slow task takes, and how many rows it reports: longer than the world's job time-out."""


class Answer(StrEnum):
    """How the vendor may answer the next file."""

    LOSE_ANSWER = "accepts the file, but the answer is lost"
    RESET = "resets the connection before it accepts the file"
    BUSY = "429"
    SERVER_ERROR = "500"
    REJECT = "400"
    REPEAT_TASK_ID = "accepts the file, but returns the id of the task before"


def rows_of(upload: int) -> list[str]:
    """Return the numbers of an upload."""
    return [NUMBER.format(upload=upload, row=row) for row in range(3)]


def verdict_on(number: str, day: date) -> str:
    """Return the verdict of a number, which changes every day: an old answer shows its age."""
    return "yes" if (int(number[-1]) + day.toordinal()) % 2 else "no"


@dataclass(frozen=True)
class Task:
    """A task that was charged."""

    task_id: str
    upload: int
    rows: tuple[str, ...]
    accepted_at: datetime

    @property
    def ready_at(self) -> datetime:
        return self.accepted_at + DURATION

    @property
    def export(self) -> bytes:
        """The bytes of the task's export."""
        file = io.BytesIO()
        with ZipFile(file, "w") as archive:
            day = self.accepted_at.date()
            lines = ["number,band", *(f"{number},{verdict_on(number, day)}" for number in self.rows)]
            archive.writestr(ZipInfo("export.csv"), "\n".join(lines) + "\n")
        return file.getvalue()


@dataclass
class Vendor:
    """An account at the vendor.

    Attributes:
        on_post: called with the number of the upload at each POST.
        key: the valid API key.
        has_money: whether the account can pay.
        answers: the answers to the next files; once empty, files are accepted.
        tasks: one for each charge.
        fails: whether tasks fail instead of being exported.
        never_finishes: whether tasks stay in processing.
        is_slow: whether tasks take hours, with counts that grow.
        slow_from: from when on tasks that are made take hours.
        is_down: whether a gateway answers 503 to everything instead of the vendor.
        fails_posts: whether it answers 503 to files only.
        refused_checkers: the checkers that the account may not use.
        refused_posts: the upload and the key of each POST that was refused because of the key.
    """

    now: Callable[[], datetime]
    on_post: Callable[[int], None]
    key: str = KEY
    has_money: bool = True
    answers: deque[Answer] = field(default_factory=deque)
    tasks: list[Task] = field(default_factory=list)
    fails: bool = False
    never_finishes: bool = False
    is_slow: bool = False
    slow_from: datetime | None = None
    is_down: bool = False
    fails_posts: bool = False
    refused_checkers: set[str] = field(default_factory=set)
    refused_posts: list[tuple[int, str]] = field(default_factory=list)

    def post(self, upload: int, rows: bytes, key: str, checker: str) -> SubmitOutcome:
        self.on_post(upload)
        if self.is_down or self.fails_posts:
            return InDoubt("The vendor answered 503, an unexpected status.")
        refusal = self._refusal(key, checker)
        if refusal:
            if refusal.concerns_key:
                self.refused_posts.append((upload, key))
            return refusal
        match self.answers.popleft() if self.answers else None:
            case Answer.RESET:
                return InDoubt("The connection failed once sending had begun (ConnectionError).")
            case Answer.BUSY:
                return Retryable(30, "The vendor answered 429: too many requests.")
            case Answer.SERVER_ERROR:
                return Retryable(60, "The vendor answered 500: sorry", server_error=True)
            case Answer.REJECT:
                return Rejected(400, "bad file")
            case answer:
                sent = tuple(rows.decode().split())
                task = Task(f"task-{len(self.tasks) + 1}", upload, sent, self.now())
                self.tasks.append(task)
                if answer is Answer.LOSE_ANSWER:
                    return InDoubt("The connection failed once sending had begun (ConnectionError).")
                is_repeated = answer is Answer.REPEAT_TASK_ID
                return Accepted(self.tasks[-2 if is_repeated else -1].task_id, 3)

    def _refusal(self, key: str, checker: str) -> Blocked | None:
        if key != self.key:
            return Blocked(401, "the key is unknown")
        if checker in self.refused_checkers:
            return Blocked(403, "upgrade the plan")
        return None if self.has_money else Blocked(402, "the account is empty")

    def status(self, task_id: str) -> StatusOutcome:
        task = self.task(task_id)
        if self.is_down:
            return NoAnswer(60, "The vendor answered 503.")
        if task is None:
            return TaskUnknown()
        if self.is_slow or (self.slow_from and task.accepted_at >= self.slow_from):
            age = self.now() - task.accepted_at
            if age < SLOW_DURATION:
                return TaskStatus("processing", SLOW_ROWS, SLOW_ROWS * age // SLOW_DURATION, 0, None)
        if self.never_finishes or self.now() < task.ready_at:
            return TaskStatus("processing", 3, 1, 0, None)
        if self.fails:
            return TaskStatus("failed", 3, 0, 0, None)
        link = f"https://exports.invalid/{task_id}?X-Amz-Signature={SIGNATURE}"
        return TaskStatus("exported", 3, 3, 0, link)

    def task(self, task_id: str) -> Task | None:
        return next((task for task in self.tasks if task.task_id == task_id), None)

    def tasks_of(self, upload: int) -> list[Task]:
        """Return the tasks that an upload was charged for."""
        return [task for task in self.tasks if task.upload == upload]


@dataclass(frozen=True)
class SeamVendorClient:
    """Replaces ``VendorClient``, with the same answers.

    Attributes:
        sender: returns the number of the upload that is being sent.
        watch_post: surrounds each POST, given the number of its upload.
    """

    vendor: Vendor
    seam: Seam
    api_key: ApiKey
    sender: Callable[[], int]
    watch_post: Callable[[int], AbstractContextManager[None]]
    user_id: str = ""

    def submit(self, checker: Checker, file: IO[bytes], *, seconds: float) -> SubmitOutcome:
        upload = self.sender()
        effect = partial(self.vendor.post, upload, file.read(), self.api_key.get(), checker.name)
        with self.watch_post(upload):
            outcome: SubmitOutcome = self.seam.call("vendor.submit", effect, POST, {})
        return outcome

    def answers(self) -> bool:
        outcome: bool = self.seam.call("vendor.answers", lambda: not self.vendor.is_down, FREE_CALL, {})
        return outcome

    def balance(self, *, seconds: float) -> Decimal | NoAnswer:
        outcome: Decimal | NoAnswer = self.seam.call("vendor.balance", lambda: Decimal(5), STATUS, {})
        return outcome

    def answers_about_tasks(self) -> bool:
        outcome: bool = self.seam.call("vendor.answers", lambda: not self.vendor.is_down, FREE_CALL, {})
        return outcome

    def status(self, checker: Checker, task_id: str) -> StatusOutcome:
        if self.api_key.get() != self.vendor.key and not self.api_key.refresh():
            return NoAnswer(60, "The vendor answered 401.")
        effect = partial(self.vendor.status, task_id)
        outcome: StatusOutcome = self.seam.call("vendor.status", effect, STATUS, {})
        return outcome


@dataclass(frozen=True)
class SeamDownloader:
    """Replaces ``Downloader``."""

    vendor: Vendor
    seam: Seam

    @contextmanager
    def open(self, link: str, file: IO[bytes], *, seconds: float) -> Iterator["SeamDownload"]:
        task = self.vendor.task(link.partition("?")[0].rpartition("/")[2])
        assert task
        download = partial(SeamDownload, self.seam, file, task.export)
        yield self.seam.call("downloader.open", download, DOWNLOAD, {})


class SeamDownload:
    """Replaces ``Download``: half of the content is there at once, the rest needs a second side effect."""

    def __init__(self, seam: Seam, file: IO[bytes], content: bytes) -> None:
        self.length = len(content)
        self.start, self._rest = content[: self.length // 2], content[self.length // 2 :]
        self._seam = seam
        self._file = file
        self._failure: DownloadFailedError | None = None
        file.write(self.start)

    def read(self, _size: int = -1) -> bytes:
        """Return all content, and nothing the second time; after a failure, fail again."""
        if self._failure:
            raise self._failure
        if not self._rest:
            return b""
        try:
            self._file.write(self._seam.call("downloader.read", lambda: self._rest, DOWNLOAD, {}))
        except DownloadFailedError as error:
            self._failure = error
            raise
        content, self._rest = self.start + self._rest, b""
        return content

    def finish(self) -> None:
        self.read()
