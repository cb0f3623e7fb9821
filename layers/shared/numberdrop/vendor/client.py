"""The client of ekycpro, the vendor that checks numbers for money.

Two families of endpoints do the same thing. v1 (vendor pages "Band Checker API", "Phone Number Validation
API"): ``POST /v1/tasks`` with ``file`` and ``task_type``, ``POST /v1/gettasks`` with ``task_id``. Legacy
(vendor page "WhatsApp Bulk Number Checker Deep API"): ``POST /{service}/api/{tier}/tasks`` with ``file``
and ``user_id``, ``GET`` of the same path with ``/{task_id}?user_id=``.

Every answer, expected or not, is a value that says what the caller may do next. The paid call is never
repeated here.
"""

import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import IO, Any, Literal, Protocol, Self
from urllib.parse import quote

import requests

from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.checkers import Checker, Family
from numberdrop.jobs.job import Amount
from numberdrop.masking import masked
from numberdrop.settings import VendorSettings
from numberdrop.vendor.multipart import MultipartFile
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
from numberdrop.vendor.session import CONNECT_SECONDS, session_with_deadline

STALL_SECONDS = 300
"""How long the vendor may neither read nor answer while a file is sent. It may take minutes over ten million
rows, and whoever gives up on it leaves a doubt that costs a person more than waiting does."""

STATUS_SECONDS = 20
"""The whole time a status call may take."""

LONGEST_ANSWER = 1024 * 1024
"""Bytes of an answer that are read; the vendor's are a few hundred."""

LARGEST_COUNT = 10**12
"""Counts beyond it are nonsense; the ledger could not even hold some of them."""

SHORTEST_PAUSE, LONGEST_PAUSE, DEFAULT_PAUSE = 1, 900, 60
"""Bounds and default, in seconds, of what Retry-After may ask for."""

TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""What may be a task's id; those seen so far have 20 characters of 0-9 and a-v."""

_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


class ApiKeySource(Protocol):
    """Where the client gets the API key from."""

    def get(self) -> str:
        """Return the key."""

    def refresh(self) -> bool:
        """Read the key again; return whether it is another one."""


@dataclass(frozen=True)
class VendorClient:
    """Talks to the vendor for one account.

    Attributes:
        base_url: scheme and host, without a slash at the end.
        api_key: where the key comes from.
        user_id: the account's user id; only the legacy family wants it.
        now: the clock against which a Retry-After date is read.
    """

    base_url: str
    api_key: ApiKeySource
    user_id: str
    now: Clock = utc_now

    @classmethod
    def from_settings(cls, settings: VendorSettings, api_key: ApiKeySource) -> Self:
        """Return the client for the account in a function's settings."""
        return cls(settings.vendor_base_url.rstrip("/"), api_key, settings.vendor_user_id)

    def submit(self, checker: Checker, file: IO[bytes], *, seconds: float) -> SubmitOutcome:
        """Sends a file to be checked, once, within ``seconds``.

        The request is not sent again, and redirects are not followed: ``requests`` would carry the key
        along and, on 307 and 308, the body too.
        """
        end = monotonic() + seconds

        def stop_at_the_end() -> None:
            if monotonic() >= end:
                raise TimeoutError("The deadline passed while sending.")

        body = MultipartFile(self._submit_fields(checker), file, before_each_read=stop_at_the_end)
        headers = self._headers() | {"Content-Type": body.content_type}
        try:
            with session_with_deadline(seconds, on_connect=_allow_stalls) as session:
                response = session.post(
                    self.base_url + checker.path,
                    data=body,
                    headers=headers,
                    timeout=(CONNECT_SECONDS, STALL_SECONDS),
                    allow_redirects=False,
                    stream=True,
                )
                answer = _read_answer(response)
        except Exception as error:  # noqa: BLE001 - whatever failed, only what was sent matters
            cause = _named(error)
            if body.started:
                return InDoubt(f"The connection failed once sending had begun ({cause}).")
            return Retryable(DEFAULT_PAUSE, f"No connection, nothing was sent ({cause}).")
        return self._submit_outcome(answer)

    def status(self, checker: Checker, task_id: str) -> StatusOutcome:
        """Asks for a task's status (free, vendor OpenAPI); reads a fresh key once if the key is refused."""
        answer = self._ask(checker, task_id)
        if isinstance(answer, _Answer) and answer.status in {401, 403} and self.api_key.refresh():
            answer = self._ask(checker, task_id)
        if isinstance(answer, NoAnswer):
            return answer
        if answer.status == 404 and answer.fields:
            return TaskUnknown()
        if answer.status not in {200, 202}:
            return NoAnswer(self._pause(answer), f"The vendor answered {answer.status}.")
        if answer.fields.get("task_id") != task_id:
            return NoAnswer(DEFAULT_PAUSE, "The answer is not about this task.")
        return _task_status(answer.fields)

    def _ask(self, checker: Checker, task_id: str) -> "_Answer | NoAnswer":
        method, url, form = self._status_request(checker, task_id)
        try:
            with session_with_deadline(STATUS_SECONDS) as session:
                response = session.request(
                    method,
                    url,
                    params=None if form else {"user_id": self.user_id},
                    files=form,
                    headers=self._headers(),
                    timeout=(CONNECT_SECONDS, STATUS_SECONDS),
                    allow_redirects=False,
                    stream=True,
                )
                return _read_answer(response)
        except Exception as error:  # noqa: BLE001 - a paid task is waited for, whatever fails on the way to it
            return NoAnswer(DEFAULT_PAUSE, f"The vendor could not be asked ({_named(error)}).")

    def _status_request(
        self, checker: Checker, task_id: str
    ) -> tuple[Literal["GET", "POST"], str, dict[str, tuple[None, str]] | None]:
        if checker.family is Family.V1:
            return "POST", f"{self.base_url}/v1/gettasks", {"task_id": (None, task_id)}
        return "GET", f"{self.base_url}{checker.path}/{quote(task_id, safe='')}", None

    def _submit_fields(self, checker: Checker) -> Mapping[str, str]:
        if checker.family is Family.V1:
            return {"task_type": checker.task_type}
        return {"user_id": self.user_id}

    def _headers(self) -> dict[str, str]:
        return {"X-API-Key": self.api_key.get(), "Accept-Encoding": "identity"}

    def _submit_outcome(self, answer: "_Answer") -> SubmitOutcome:
        match answer.status:
            case 200 | 201 | 202:
                task_id = answer.fields.get("task_id")
                if isinstance(task_id, str) and TASK_ID.fullmatch(task_id):
                    return Accepted(task_id, _count(answer.fields, "total"))
                return InDoubt(f"The vendor answered {answer.status} without a task id.")
            case 400 | 413 | 415 | 422:
                return Rejected(answer.status, answer.message)
            case 401 | 402 | 403:
                return Blocked(answer.status, answer.message)
            case 429:
                return Retryable(self._pause(answer), "The vendor answered 429: too many requests.")
            case 500:
                return Retryable(
                    self._pause(answer),
                    f"The vendor answered 500: {answer.message}",
                    server_error=True,
                )
            case _:
                return InDoubt(f"The vendor answered {answer.status}, which is not foreseen.")

    def _pause(self, answer: "_Answer") -> int:
        return pause_seconds(answer.retry_after, now=self.now())


def _allow_stalls(connected: socket.socket) -> None:
    """urllib3 would send under the time-out of connecting, which is far shorter."""
    connected.settimeout(STALL_SECONDS)


def pause_seconds(retry_after: str | None, *, now: datetime) -> int:
    """Seconds that a Retry-After header asks for, held between 1 and 900; 60 when it makes no sense.

    The header holds seconds or a date (RFC 9110, section 10.2.3).
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


@dataclass(frozen=True, slots=True)
class _Answer:
    """An HTTP answer, read whole; ``fields`` is empty where the body is no JSON object."""

    status: int
    retry_after: str | None
    fields: Mapping[str, Any]

    @property
    def message(self) -> str:
        """What the vendor says about a refusal, masked."""
        said = (self.fields.get(name) for name in ("error", "message"))
        return masked(": ".join(str(word) for word in said if word)) or f"HTTP {self.status}"


def _read_answer(response: requests.Response) -> _Answer:
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
    return _Answer(
        response.status_code,
        response.headers.get("Retry-After"),
        fields if isinstance(fields, dict) else {},
    )


def _task_status(fields: Mapping[str, Any]) -> TaskStatus:
    link = fields.get("result_url")
    return TaskStatus(
        word=str(fields.get("status", "")).lower(),
        total=_count(fields, "total"),
        success=_count(fields, "success"),
        failure=_count(fields, "failure"),
        result_url=link if isinstance(link, str) and link else None,
        updated_at=_moment(fields.get("updated_at")),
        cost=_amount(fields.get("actual_amount")),
    )


def _moment(said: Any) -> datetime | None:
    """A timestamp with its offset; the vendor's carry 3, 8 or 9 fractional digits (vendor pages)."""
    try:
        moment = datetime.fromisoformat(said)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None


def _amount(said: Any) -> Amount | None:
    match said:
        case {"amount": str(text), "currency": str(currency)}:
            if _AMOUNT.fullmatch(text) and _CURRENCY.fullmatch(currency):
                return Amount(Decimal(text), currency)
    return None


def _count(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT
    return value if is_count else None


def _named(error: Exception) -> str:
    """The error's class: its text would print whole links and addresses."""
    return type(error).__name__
