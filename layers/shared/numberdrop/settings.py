"""Each function's settings, read from its environment and checked when it starts.

An environment variable has the name of its field in capitals. The template sets them.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any, Self


class SettingError(Exception):
    """An environment variable is missing or has an unusable value."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A base class whose subclasses read their fields from the environment."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings that the environment describes, by default the one of this process.

        >>> AuditSettings.from_env({"JOBS_TABLE": "jobs", "UPLOAD_BUCKET": "uploads"})
        AuditSettings(jobs_table='jobs', upload_bucket='uploads')

        Raises:
            SettingError: a variable is missing or unusable; the message names it.
        """
        environ = os.environ if environ is None else environ
        return cls(**{item.name: _read(item.name.upper(), item.type, environ) for item in fields(cls)})


def _read(name: str, kind: Any, environ: Mapping[str, str]) -> Any:
    try:
        text = environ[name]
    except KeyError:
        raise SettingError(f"The environment variable {name} is missing. Set it in template.yaml.") from None
    if kind is str:
        return text
    try:
        return _READERS[kind](text)
    except (KeyError, ValueError):
        raise SettingError(
            f"The environment variable {name} has an unusable value. Correct it in template.yaml."
        ) from None


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def words(text: str) -> frozenset[str]:
    """Return the words of a list with commas.

    >>> sorted(words("ws_new, tg_new"))
    ['tg_new', 'ws_new']
    """
    return frozenset(word.strip() for word in text.split(",") if word.strip())


def limit(text: str) -> Decimal | None:
    """Return an amount, or None for 0, which means no limit.

    >>> limit("12.50"), limit("0")
    (Decimal('12.50'), None)

    Raises:
        ValueError: the text is not an amount of 0 or more.
    """
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError("This is not a number.") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError("This is not an amount of 0 or more.")
    return amount or None


_READERS: Mapping[Any, Callable[[str], Any]] = {
    bool: _flag,
    int: int,
    tuple[str, ...]: _list,
    frozenset[str]: words,
    Decimal | None: limit,
}


@dataclass(frozen=True, slots=True)
class LedgerSettings(Settings):
    """Where jobs are stored and announced.

    Attributes:
        jobs_table: name of the ledger's table.
        event_bus_name: name of the bus that receives the events.
        event_schema_version: the version of the events, see ``numberdrop.jobs.events``.
    """

    jobs_table: str
    event_bus_name: str
    event_schema_version: str


@dataclass(frozen=True, slots=True)
class VendorSettings(LedgerSettings):
    """How to reach the vendor.

    Attributes:
        api_key_secret: ARN of the secret that holds the API key.
        vendor_base_url: scheme and host of the vendor's API.
        vendor_user_id: the account's user id; empty if only v1 checkers are used.
        vendor_proxy: the proxy through which the vendor and its exports are reached; empty for none.
    """

    api_key_secret: str
    vendor_base_url: str
    vendor_user_id: str
    vendor_proxy: str


@dataclass(frozen=True, slots=True)
class CheckStatusSettings(VendorSettings):
    """Settings of check_status.

    Attributes:
        max_wait_seconds: longest wait between two checks of a young task.
        job_timeout_hours: how long a task may take without progress.
    """

    max_wait_seconds: int
    job_timeout_hours: int


@dataclass(frozen=True, slots=True)
class SubmitSettings(VendorSettings):
    """Settings of submit.

    Attributes:
        upload_bucket: the only bucket whose uploads are accepted.
        upload_queue_url: the queue that announces uploads.
        results_bucket: the bucket in which a fence is put up before a file is sent.
        state_machine_arn: the state machine that follows a task.
        job_timeout_hours: how long submission is retried, and then how long the task may take.
        allow_sensitive_checkers: whether checkers that infer personal traits are allowed, and with them every
            task type that the vendor does not document.
        allowed_task_types: undocumented task types that are allowed all the same, in this spelling.
        default_region: country of numbers without a country code, unless the upload names one; ISO 3166
            alpha-2, or empty for none.
        max_usd_per_upload: the most that a file may cost in USD at list price, or None for any amount.
    """

    upload_bucket: str
    results_bucket: str
    upload_queue_url: str
    state_machine_arn: str
    job_timeout_hours: int
    allow_sensitive_checkers: bool
    allowed_task_types: frozenset[str]
    default_region: str
    max_usd_per_upload: Decimal | None


@dataclass(frozen=True, slots=True)
class RecordFailureSettings(LedgerSettings):
    """Settings of record_failure.

    Attributes:
        results_bucket: the bucket for the files of failed jobs.
    """

    results_bucket: str


@dataclass(frozen=True, slots=True)
class ReconcileSettings(LedgerSettings):
    """Settings of reconcile, which can read neither the API key nor any file.

    Attributes:
        results_bucket: the bucket for the files of failed jobs.
        upload_queue_url: the queue that announces uploads.
        state_machine_arn: the state machine that follows a task.
        job_timeout_hours: how long submission of an unblocked job is retried.
    """

    results_bucket: str
    upload_queue_url: str
    state_machine_arn: str
    job_timeout_hours: int


@dataclass(frozen=True, slots=True)
class AuditSettings(Settings):
    """Settings of the daily audit.

    Attributes:
        jobs_table: name of the ledger's table.
        upload_bucket: the bucket to compare with the ledger.
    """

    jobs_table: str
    upload_bucket: str


@dataclass(frozen=True, slots=True)
class CollectSettings(VendorSettings):
    """Settings of collect.

    Attributes:
        results_bucket: the bucket for results.
        result_hosts: hosts that exports may be downloaded from; ``*.suffix`` allows every subdomain.
    """

    results_bucket: str
    result_hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetentionSettings(Settings):
    """How long verdicts count.

    Attributes:
        remember_yes_days: days for which a "yes" may be reused, 0 for never.
        remember_no_days: days for which a "no" may be reused, 0 for never.
        retention_days: days after which uploads and results are deleted. No verdict counts longer.
    """

    remember_yes_days: int
    remember_no_days: int
    retention_days: int

    @property
    def lives(self) -> tuple[int, int]:
        """Return the days for which a "yes" and a "no" count."""
        return min(self.remember_yes_days, self.retention_days), min(
            self.remember_no_days, self.retention_days
        )


@dataclass(frozen=True, slots=True)
class MemorySettings(RetentionSettings):
    """Settings of the verdict memory, for the functions that read or write it.

    Attributes:
        memory_bucket: the bucket of the memory; empty while it is off.
        memory_key_secret: ARN of the secret under which entries are hashed; empty while the memory is off.
    """

    memory_bucket: str
    memory_key_secret: str

    @property
    def is_on(self) -> bool:
        """Return whether verdicts are remembered."""
        return any(self.lives)


@dataclass(frozen=True, slots=True)
class CompactSettings(RetentionSettings):
    """Settings of compact, which has no access to the key under which entries are hashed.

    Attributes:
        memory_bucket: the bucket of the memory.
    """

    memory_bucket: str
