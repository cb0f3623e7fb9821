"""The client of ekycpro, the vendor that checks numbers for money.

The vendor has two families of endpoints that do the same thing:

- v1 (vendor pages "Band Checker API", "Phone Number Validation API"): ``POST /v1/tasks`` with ``file`` and
  ``task_type``, ``POST /v1/gettasks`` with ``task_id``.
- legacy (vendor page "WhatsApp Bulk Number Checker Deep API"): ``POST /{service}/api/{tier}/tasks`` with
  ``file`` and ``user_id``, ``GET`` of the same path with ``/{task_id}?user_id=``.

Every answer, expected or not, is returned as a value that says what the caller may do next (see
``outcomes``). The paid call is never repeated here.
"""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from time import monotonic
from typing import IO, Any, Literal, Protocol, Self
from urllib.parse import quote

from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.checkers import Checker, Family
from numberdrop.masking import masked, without_secrets
from numberdrop.settings import VendorSettings
from numberdrop.vendor.answers import (
    DEFAULT_PAUSE,
    Answer,
    balance_of,
    count_of,
    pause_seconds,
    read_answer,
    task_status,
)
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
    TaskUnknown,
)
from numberdrop.vendor.session import CONNECT_SECONDS, session_with_deadline

STALL_SECONDS = 300
"""How long, in seconds, the vendor may neither read nor answer while a file is sent. It may need minutes for
ten million rows, and giving up leaves the charge in doubt, which costs a person more time than waiting."""

STATUS_SECONDS = 20
"""Deadline of a status call, and of the call for the balance, in seconds."""

BALANCE_PATH = "/v1/balance"
"""The path of the account's balance (vendor OpenAPI)."""

TASKS_PATH = "/v1/gettasks"
"""The path of the status of v1 tasks (vendor OpenAPI)."""

NO_TASK = "0" * 20
"""An id in the format of task ids (see ``TASK_ID``) that no task has."""

TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""Matches task ids. Those seen so far have 20 characters of 0-9 and a-v."""


class ApiKeySource(Protocol):
    """Provides the API key.

    Attributes:
        version: the version of the key that was read last, or None.
    """

    version: str | None

    def get(self) -> str:
        """Return the key."""

    def refresh(self) -> bool:
        """Read the key again; return whether it has changed."""


@dataclass(frozen=True)
class VendorClient:
    """Sends files and asks for the status of tasks, for one account.

    >>> class FixedKey:
    ...     version = None
    ...     get = staticmethod(lambda: "k3y")
    ...     refresh = staticmethod(lambda: False)
    >>> client = VendorClient("https://api.ekycpro.com", FixedKey(), user_id="")
    >>> client.base_url  # then: client.submit(checker, file, seconds=600), client.status(checker, task_id)
    'https://api.ekycpro.com'

    Attributes:
        base_url: scheme and host, without a slash at the end.
        api_key: provides the key.
        user_id: the account's user id; only the legacy family needs it.
        proxy: the URL of the proxy through which the vendor is reached, or empty for none.
        now: the clock that Retry-After dates are compared with.
    """

    base_url: str
    api_key: ApiKeySource
    user_id: str
    proxy: str = ""
    now: Clock = utc_now

    @classmethod
    def from_settings(cls, settings: VendorSettings, api_key: ApiKeySource) -> Self:
        """Return the client for the account in a function's settings."""
        base_url = settings.vendor_base_url.rstrip("/")
        return cls(base_url, api_key, settings.vendor_user_id, settings.vendor_proxy)

    def submit(self, checker: Checker, file: IO[bytes], *, seconds: float) -> SubmitOutcome:
        """Send a file to be checked, once. The vendor charges for a file that it accepts.

        Never repeats the request and follows no redirects: ``requests`` would send the key to the new address
        and, on 307 and 308, the body too.

        Args:
            checker: what to check.
            file: one entry per line, read from its current position.
            seconds: deadline for the whole call.
        """
        end = monotonic() + seconds

        def check_deadline() -> None:
            if monotonic() >= end:
                raise TimeoutError("The deadline passed while sending.")

        body = MultipartFile(self._submit_fields(checker), file, before_each_read=check_deadline)
        key = self.api_key.get()
        headers = _headers(key) | {"Content-Type": body.content_type}
        try:
            with session_with_deadline(seconds, on_connect=_allow_stalls, proxy=self.proxy) as session:
                response = session.post(
                    self.base_url + checker.path,
                    data=body,
                    headers=headers,
                    timeout=(CONNECT_SECONDS, STALL_SECONDS),
                    allow_redirects=False,
                    stream=True,
                )
                answer = read_answer(response)
        except Exception as error:  # noqa: BLE001 - it only matters whether anything was sent
            cause = _class_name(error)
            if body.started:
                return InDoubt(f"The connection failed once sending had begun ({cause}).")
            return Retryable(DEFAULT_PAUSE, f"The connection failed before anything was sent ({cause}).")
        return self._submit_outcome(answer, key)

    def status(self, checker: Checker, task_id: str) -> StatusOutcome:
        """Ask for a task's status, which is free (vendor OpenAPI).

        If the vendor refuses the key, reads it again and repeats the request once if it has changed.
        """
        answer = self._ask(checker, task_id)
        if isinstance(answer, Answer) and answer.status in {401, 403} and self.api_key.refresh():
            answer = self._ask(checker, task_id)
        if isinstance(answer, NoAnswer):
            return answer
        if answer.status == 404 and answer.names_task(task_id):
            return TaskUnknown()
        if answer.status not in {200, 202}:
            return NoAnswer(self._pause(answer), f"The vendor answered {answer.status}.")
        if answer.fields.get("task_id") != task_id:
            return NoAnswer(DEFAULT_PAUSE, "The answer is not about this task.")
        return task_status(answer.fields)

    def answers(self) -> bool:
        """Return whether the vendor answers in its own words, which a gateway or another server does not.

        Asks for the account's balance, which is free (vendor OpenAPI, ``GET /v1/balance``). A refusal of the
        key in the vendor's format is an answer too: a file would be refused in the same way, free of charge.
        """
        answer = self._request("GET", self.base_url + BALANCE_PATH)
        if isinstance(answer, NoAnswer):
            return False
        if answer.status == 200:
            return balance_of(answer.fields) is not None
        return answer.status in {401, 402, 403} and isinstance(answer.fields.get("error"), str)

    def answers_about_tasks(self) -> bool:
        """Return whether the vendor says in its own words that it does not know a task that cannot exist.

        This is free, too (vendor OpenAPI, ``POST /v1/gettasks``: 404 for an unknown task).
        """
        answer = self._request("POST", self.base_url + TASKS_PATH, files={"task_id": (None, NO_TASK)})
        return isinstance(answer, Answer) and answer.status == 404 and answer.names_task(NO_TASK)

    def balance(self, *, seconds: float = STATUS_SECONDS) -> Decimal | NoAnswer:
        """Ask for the account's balance in USD, which is free (vendor OpenAPI, ``GET /v1/balance``).

        Args:
            seconds: deadline for the whole call.
        """
        answer = self._request("GET", self.base_url + BALANCE_PATH, seconds=seconds)
        if isinstance(answer, NoAnswer):
            return answer
        if answer.status != 200:
            return NoAnswer(self._pause(answer), f"The vendor answered {answer.status}.")
        balance = balance_of(answer.fields)
        return NoAnswer(DEFAULT_PAUSE, "The answer has no balance.") if balance is None else balance

    def _ask(self, checker: Checker, task_id: str) -> Answer | NoAnswer:
        method, url, form = self._status_request(checker, task_id)
        return self._request(method, url, params=None if form else {"user_id": self.user_id}, files=form)

    def _request(
        self, method: Literal["GET", "POST"], url: str, *, seconds: float | None = None, **content: Any
    ) -> Answer | NoAnswer:
        """Send a request that is free, with its ``params`` or ``files``."""
        seconds = STATUS_SECONDS if seconds is None else seconds
        try:
            with session_with_deadline(seconds, proxy=self.proxy) as session:
                response = session.request(
                    method,
                    url,
                    **content,
                    headers=_headers(self.api_key.get()),
                    timeout=(min(CONNECT_SECONDS, seconds), seconds),
                    allow_redirects=False,
                    stream=True,
                )
                return read_answer(response)
        except Exception as error:  # noqa: BLE001 - no error may end a task that is paid for
            return NoAnswer(DEFAULT_PAUSE, f"The request failed ({_class_name(error)}).")

    def _status_request(
        self, checker: Checker, task_id: str
    ) -> tuple[Literal["GET", "POST"], str, dict[str, tuple[None, str]] | None]:
        if checker.family is Family.V1:
            return "POST", self.base_url + TASKS_PATH, {"task_id": (None, task_id)}
        return "GET", f"{self.base_url}{checker.path}/{quote(task_id, safe='')}", None

    def _submit_fields(self, checker: Checker) -> Mapping[str, str]:
        if checker.family is Family.V1:
            return {"task_type": checker.task_type}
        return {"user_id": self.user_id}

    def _submit_outcome(self, answer: Answer, key: str) -> SubmitOutcome:
        words = masked(without_secrets(answer.message, [key, self.user_id])) or f"HTTP {answer.status}"
        match answer.status:
            case 200 | 201 | 202:
                task_id = answer.fields.get("task_id")
                if isinstance(task_id, str) and TASK_ID.fullmatch(task_id):
                    return Accepted(task_id, count_of(answer.fields, "total"))
                return InDoubt(f"The vendor answered {answer.status} without a task id.")
            case 400 | 413 | 415 | 422:
                return Rejected(answer.status, words)
            case 401 | 402 | 403:
                return Blocked(answer.status, words)
            case 429:
                return Retryable(self._pause(answer), "The vendor answered 429: too many requests.")
            case 500:
                return Retryable(
                    self._pause(answer),
                    f"The vendor answered 500: {words}",
                    server_error=True,
                )
            case _:
                return InDoubt(f"The vendor answered {answer.status}, an unexpected status.")

    def _pause(self, answer: Answer) -> int:
        return pause_seconds(answer.retry_after, now=self.now())


def _headers(key: str) -> dict[str, str]:
    return {"X-API-Key": key, "Accept-Encoding": "identity"}


def _allow_stalls(connected: socket.socket) -> None:
    """Set the time-out for sending; urllib3 would use the much shorter one for connecting."""
    connected.settimeout(STALL_SECONDS)


def _class_name(error: Exception) -> str:
    """Return the error's class name. Its message could contain links and addresses."""
    return type(error).__name__
