"""What each function reads from its environment, checked when it starts.

The names of the environment variables are the fields' names in capitals; the template sets them.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self


class SettingError(Exception):
    """An environment variable is missing or does not hold what its name says."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Reads its own fields from the environment."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings as the environment has them.

        Raises:
            SettingError: one is missing or unreadable; the message names it.
        """
        environ = os.environ if environ is None else environ
        return cls(**{item.name: _read(item.name.upper(), item.type, environ) for item in fields(cls)})


def _read(name: str, kind: Any, environ: Mapping[str, str]) -> Any:
    try:
        text = environ[name]
    except KeyError:
        raise SettingError(f"The environment variable {name} is missing.") from None
    if kind is str:
        return text
    try:
        return _READERS[kind](text)
    except (KeyError, ValueError):
        raise SettingError(f"The environment variable {name} holds nothing usable.") from None


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


_READERS: Mapping[Any, Callable[[str], Any]] = {bool: _flag, int: int, tuple[str, ...]: _list}


@dataclass(frozen=True, slots=True)
class LedgerSettings(Settings):
    """Where jobs are kept and announced; every function needs these.

    Attributes:
        jobs_table: the ledger's table.
        event_bus_name: the bus that events go to.
    """

    jobs_table: str
    event_bus_name: str


@dataclass(frozen=True, slots=True)
class VendorSettings(LedgerSettings):
    """How the vendor is reached.

    Attributes:
        api_key_secret: ARN of the secret that holds the API key.
        vendor_base_url: scheme and host of the vendor.
        vendor_user_id: the account's user id, empty where only v1 checkers are used.
    """

    api_key_secret: str
    vendor_base_url: str
    vendor_user_id: str


@dataclass(frozen=True, slots=True)
class CheckStatusSettings(VendorSettings):
    """What looking at tasks needs besides.

    Attributes:
        max_wait_seconds: the longest wait between two looks at a young task.
    """

    max_wait_seconds: int


@dataclass(frozen=True, slots=True)
class SubmitSettings(VendorSettings):
    """What submitting needs besides.

    Attributes:
        upload_bucket: the only bucket whose uploads are taken.
        upload_queue_url: the queue that announces uploads.
        state_machine_arn: the workflow that follows a task.
        job_timeout_hours: how long to try to submit, and then how long a task may take.
        allow_sensitive_checkers: whether checkers that infer personal traits may be used.
        default_region: whose numbers those without a country code are where an upload does not say; ISO 3166
            alpha-2, or empty.
    """

    upload_bucket: str
    upload_queue_url: str
    state_machine_arn: str
    job_timeout_hours: int
    allow_sensitive_checkers: bool
    default_region: str


@dataclass(frozen=True, slots=True)
class ReconcileSettings(LedgerSettings):
    """What reconciling needs besides; neither the key nor a bucket is among it.

    Attributes:
        upload_queue_url: the queue that announces uploads.
        state_machine_arn: the workflow that follows a task.
        job_timeout_hours: how long a job that was blocked may then try to submit.
    """

    upload_queue_url: str
    state_machine_arn: str
    job_timeout_hours: int


@dataclass(frozen=True, slots=True)
class AuditSettings(Settings):
    """What the daily look at the bucket needs.

    Attributes:
        jobs_table: the ledger's table.
        upload_bucket: the bucket that uploads come from.
    """

    jobs_table: str
    upload_bucket: str


@dataclass(frozen=True, slots=True)
class CollectSettings(VendorSettings):
    """What collecting needs besides.

    Attributes:
        results_bucket: where results go.
        result_hosts: host names that exports may come from; ``*.suffix`` stands for any host below it.
    """

    results_bucket: str
    result_hosts: tuple[str, ...]
