"""Reading the vendor's answers, whose fields may be missing, of another type, or absurd."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from numberdrop.jobs.job import Amount
from numberdrop.vendor.outcomes import TaskStatus

LONGEST_ANSWER = 1024 * 1024
"""How many bytes of an answer are read. The vendor's answers have a few hundred."""

LARGEST_COUNT = 10**12
"""Larger counts are ignored. They are wrong, and some would not fit into the ledger."""

SHORTEST_PAUSE, LONGEST_PAUSE, DEFAULT_PAUSE = 1, 900, 60
"""Minimum, maximum and default of a pause, in seconds."""

_TASK = re.compile(r"(?<![A-Za-z])(?:task|Task|TASK)(?![a-z])|(?<=[a-z])Task(?![a-z])")
"""Matches the word "task", also in ``task_not_found`` and ``unknownTask``."""

_PATH = re.compile(r"\S*(?:[/\\?]|%2f|\w\.\w+\.\w)\S*", re.IGNORECASE)
"""Matches a word that is a path, in whichever way a gateway writes it."""

_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; ``fields`` is empty if the body is not a JSON object."""

    status: int
    retry_after: str | None
    fields: Mapping[str, Any]

    def names_task(self, task_id: str) -> bool:
        """Return whether the words are about the task. A gateway may name a path, and so the task's id."""
        words = _PATH.sub(" ", self.message)
        return self.fields.get("task_id") == task_id or task_id in words or bool(_TASK.search(words))

    @property
    def message(self) -> str:
        """The vendor's error message. It may quote the file and the API key."""
        parts = (self.fields.get(name) for name in ("error", "message"))
        return ": ".join(str(part) for part in parts if part)


def read_answer(response: requests.Response) -> Answer:
    """Read and close a response. At most ``LONGEST_ANSWER`` bytes are read."""
    with response:
        body = bytearray()
        for block in response.iter_content(8192):
            body += block
            if len(body) > LONGEST_ANSWER:
                break
    try:
        fields = json.loads(bytes(body))
    except (ValueError, RecursionError):
        fields = {}
    return Answer(
        response.status_code,
        response.headers.get("Retry-After"),
        fields if isinstance(fields, dict) else {},
    )


def task_status(fields: Mapping[str, Any]) -> TaskStatus:
    """Return the status that the fields of an answer describe.

    >>> task_status({"status": "Processing", "total": 9, "success": "many"})
    TaskStatus('processing', None+None of 9)
    """
    link = fields.get("result_url")
    return TaskStatus(
        word=str(fields.get("status", "")).lower(),
        total=count_of(fields, "total"),
        success=count_of(fields, "success"),
        failure=count_of(fields, "failure"),
        result_url=link if isinstance(link, str) and link else None,
        updated_at=_datetime(fields.get("updated_at")),
        cost=_amount(fields.get("actual_amount")),
    )


def _datetime(value: Any) -> datetime | None:
    """Read a timestamp with an offset. The vendor writes 3, 8 or 9 fractional digits (vendor pages)."""
    try:
        read = datetime.fromisoformat(value)
        return read.astimezone(UTC) if read.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def _amount(value: Any) -> Amount | None:
    match value:
        case {"amount": str(text), "currency": str(currency)}:
            if _AMOUNT.fullmatch(text) and _CURRENCY.fullmatch(currency):
                return Amount(Decimal(text), currency)
    return None


def balance_of(fields: Mapping[str, Any]) -> Decimal | None:
    """Read the balance. It may be negative; JSON as Python reads it may also hold infinity."""
    value = fields.get("balance")
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < LARGEST_COUNT:
        return None
    return Decimal(str(value))


def count_of(fields: Mapping[str, Any], name: str) -> int | None:
    """Return a count, or None if it is missing, not a whole number, negative or absurdly large."""
    value = fields.get(name)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT
    return value if is_count else None


def pause_seconds(retry_after: str | None, *, now: datetime) -> int:
    """Return how many seconds to pause for a Retry-After header: 1 to 900, or 60 if it is missing or invalid.

    >>> from datetime import UTC, datetime
    >>> noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
    >>> pause_seconds("120", now=noon), pause_seconds("Wed, 04 Mar 2026 12:05:00 GMT", now=noon)
    (120, 300)

    Args:
        retry_after: the header's value, seconds or a date (RFC 9110, section 10.2.3).
        now: the time that a date is compared with.
    """
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        seconds = float(text)
    else:
        try:
            date = parsedate_to_datetime(text).astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            return DEFAULT_PAUSE
        seconds = (date - now).total_seconds()
    return round(min(max(seconds, SHORTEST_PAUSE), LONGEST_PAUSE))
