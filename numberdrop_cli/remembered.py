"""Show what a stack remembers, and erase it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING
from uuid import uuid4

from numberdrop.aws.memory_bucket import MemoryBucket, hash_key
from numberdrop.clock import Clock, utc_now
from numberdrop.files.exports.matching import Matching
from numberdrop.files.formats.entries_file import line_blocks
from numberdrop.files.uploads.cleaning import clean_upload
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import InputKind, checkers
from numberdrop.jobs.reasons import JobFailedError
from numberdrop.memory.memory import VerdictMemory, clear
from numberdrop.memory.store import RECALLED, listing
from numberdrop.steps.compaction import checkers_of
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.jobs_table import JobsTable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True, slots=True)
class CheckerMemory:
    """What is remembered of one checker.

    Attributes:
        checker: its name.
        runs: the number of objects.
        entries: the number of verdicts. An entry in several runs counts several times until they are merged.
        erased: the number of erasures, which are kept for 400 days.
        bytes: the size of the objects.
        oldest: the day of the oldest verdict or erasure; None without any.
        cleared: the day on which everything was erased; None if it never was.
        saved_entries: the entries that completed jobs did not send because they were remembered.
        saved_usd: their list price; None if it is unknown.
    """

    checker: str
    runs: int
    entries: int
    erased: int
    bytes: int
    oldest: date | None
    cleared: date | None
    saved_entries: int
    saved_usd: float | None


@dataclass(frozen=True, slots=True)
class ToForget:
    """Entries to erase.

    Attributes:
        entries: the entries, by the kind of checkers that may remember them.
        count: how many different ones there are.
        unread: rows that have neither a phone number nor an e-mail address.
    """

    entries: dict[InputKind, list[str]]
    count: int
    unread: int

    @property
    def checkers(self) -> list[str]:
        """The checkers that may have remembered these entries, or may yet."""
        return [
            checker.name
            for checker in checkers().values()
            if checker.may_be_remembered and self.entries.get(checker.input)
        ]


@dataclass(frozen=True)
class StackMemory:
    """The verdict memory of a stack."""

    bucket: MemoryBucket
    secrets: "SecretsManagerClient"
    key_secret: str
    jobs: JobsTable
    now: Clock = utc_now

    @cached_property
    def _memory(self) -> VerdictMemory:
        return VerdictMemory(self.bucket, hash_key(self.secrets, self.key_secret), yes_days=0, no_days=0)

    @property
    def today(self) -> date:
        """The current day in UTC."""
        return self.now().date()

    def checkers(self) -> list[CheckerMemory]:
        """Return what is remembered, and what that saved, by checker.

        Raises:
            VerdictMemoryError: the bucket cannot be listed, or has something else than runs.
        """
        saved = self.jobs.remembered_entries()
        names = sorted({*checkers_of(self.bucket), *saved})
        return [self._checker(name, saved[name]) for name in names]

    def recalled(self) -> int:
        """Return how many objects hold answers that were recalled for a job."""
        return sum(1 for _ in self.bucket.objects(RECALLED))

    def forget(self, found: ToForget, names: Collection[str]) -> None:
        """Erase entries from what is remembered of some checkers.

        Raises:
            VerdictMemoryError: some of them may still be remembered. Forget them again.
        """
        run = f"erasure-{uuid4().hex[:16]}"
        for name in names:
            checker = checkers()[name.lower()]
            entries = found.entries.get(checker.input, [])
            keys_of = Matching(checker.input).entry_keys
            self._memory.forget(checker.name, run, self.today, entries, keys_of)

    def clear(self, names: Collection[str]) -> int:
        """Erase everything that is remembered of some checkers; return how many runs were deleted.

        Raises:
            VerdictMemoryError: some runs may still be there. Clear again.
        """
        return sum(clear(self.bucket, name, self.today) for name in names)

    def _checker(self, name: str, saved: int) -> CheckerMemory:
        found = listing(self.bucket, name)
        checker = checkers().get(name.lower())
        return CheckerMemory(
            checker=name,
            runs=len(found.runs),
            entries=found.verdicts,
            erased=found.erasures,
            bytes=sum(run.size for run, _ in found.runs),
            oldest=min((run.oldest for run, _ in found.runs), default=None),
            cleared=found.cleared,
            saved_entries=saved,
            saved_usd=checker.list_price(saved) if checker else None,
        )


def read_numbers(numbers: Collection[str], file: Path | None, region: str | None) -> ToForget:
    """Return the entries that are given on the command line and in a file.

    Args:
        numbers: phone numbers and e-mail addresses.
        file: a list, table or workbook, as an upload may be.
        region: the region of numbers without a country code.

    Raises:
        RefusedError: the file, or the numbers, cannot be read.
    """
    by_kind = {
        InputKind.EMAIL: [text for text in numbers if "@" in text],
        InputKind.PHONE: [text for text in numbers if "@" not in text],
    }
    found = [_read(_lines(texts), kind, region) for kind, texts in by_kind.items() if texts]
    if file:
        found.append(_read_file(file, region))
    entries: dict[InputKind, list[str]] = {}
    for part in found:
        for kind, of_kind in part.entries.items():
            entries.setdefault(kind, []).extend(of_kind)
    return ToForget(entries, sum(part.count for part in found), sum(part.unread for part in found))


def _lines(texts: list[str]) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


def _read_file(file: Path, region: str | None) -> ToForget:
    content = file.read_bytes()
    try:
        return _read(content, InputKind.PHONE, region)
    except RefusedError as error:
        try:
            return _read(content, InputKind.EMAIL, region)
        except RefusedError:
            raise error from None


def _read(content: bytes, kind: InputKind, region: str | None) -> ToForget:
    numbers, rejected = _entries(content, kind, region)
    if kind is InputKind.EMAIL:
        return ToForget({kind: numbers}, len(numbers), rejected)
    # Other checkers were sent the numbers as they were written: as now, or in another usual spelling.
    written, _ = _entries(content, InputKind.AS_WRITTEN, region)
    spellings = {spelling for number in numbers for spelling in (number, number[1:], f"00{number[1:]}")}
    return ToForget(
        {kind: numbers, InputKind.AS_WRITTEN: sorted(spellings.union(written))}, len(numbers), rejected
    )


def _entries(content: bytes, kind: InputKind, region: str | None) -> tuple[list[str], int]:
    """Return the distinct entries of an upload, and the number of rows without one."""
    with TemporaryFile() as entries, TemporaryFile() as distinct:
        try:
            with open_upload(BytesIO(content), kind, region) as rows:
                counts = clean_upload(rows, entries=entries, numbers=distinct)
        except JobFailedError as failure:
            raise RefusedError(f"Nothing was erased. {failure.reason.message}") from None
        return [entry for block in line_blocks(distinct) for entry in block], counts.rejected
