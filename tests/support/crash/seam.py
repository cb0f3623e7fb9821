"""The seam that every side effect passes through, and the faults that can be injected there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, NoReturn

from botocore.exceptions import ClientError, ReadTimeoutError

from numberdrop.vendor.download import DownloadFailedError
from numberdrop.vendor.outcomes import InDoubt, NoAnswer


class Mode(StrEnum):
    """What goes wrong at a call."""

    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    LOST = "answer lost"
    TWICE = "applied twice"
    REFUSED = "refused for now"
    LATE = "others run run_others"


class ProcessDiedError(BaseException):
    """The process ends here; ``except Exception`` does not catch it."""


@dataclass(frozen=True)
class Kind:
    """A kind of side effect, and what can go wrong with it.

    Attributes:
        modes: the faults that can make a difference.
        lost: returns or raises what the caller gets if the effect happens but its answer is lost.
        delay: how late the effect can happen.
    """

    modes: tuple[Mode, ...]
    lost: Callable[[], Any]
    delay: timedelta = timedelta(seconds=200)


def _read_timeout() -> NoReturn:
    """Raise what botocore raises after all its retries failed."""
    raise ReadTimeoutError(endpoint_url="https://aws.invalid")


def _broken_download() -> NoReturn:
    raise DownloadFailedError("The download failed (ConnectionError).")


READ = Kind((Mode.DIES_BEFORE, Mode.LOST), _read_timeout)
SLOW_READ = Kind((*READ.modes, Mode.LATE), _read_timeout)
"""Reading a large file takes minutes, in which other workers run."""

WRITE = Kind(tuple(Mode), _read_timeout)
LATE_WRITE = Kind(tuple(Mode), _read_timeout, delay=timedelta(hours=1))
"""A write to the ledger or the memory may arrive long after its sender has ended."""

POST = Kind(
    (Mode.DIES_BEFORE, Mode.DIES_AFTER, Mode.LOST, Mode.LATE),
    lambda: InDoubt("The connection failed once sending had begun (ConnectionError)."),
)
STATUS = Kind(
    (Mode.DIES_BEFORE, Mode.LOST), lambda: NoAnswer(60, "The vendor did not answer (ConnectionError).")
)
FREE_CALL = Kind((Mode.DIES_BEFORE, Mode.LOST), lambda: False)
DOWNLOAD = Kind((Mode.DIES_BEFORE, Mode.LOST), _broken_download)


class Invocation(NamedTuple):
    """One invocation of a function."""

    function: str
    number: int


NOBODY = Invocation("nobody", 0)
"""What people and services do is part of no invocation."""


@dataclass(frozen=True)
class Call:
    """A requested side effect.

    Attributes:
        follows: whether nothing happened since the call before it returned: no time passed, and no other
            invocation ran. Then the world is as that call left it.
    """

    number: int
    invocation: Invocation
    name: str
    kind: Kind
    arguments: Mapping[str, Any]
    follows: bool = False

    def __str__(self) -> str:
        return f"call {self.number}, {self.invocation.function}: {self.name}"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong at the call with this number."""

    call_number: int
    mode: Mode


@dataclass
class Seam:
    """Numbers all side effects, and injects the planned faults.

    Attributes:
        run_others: lets everything else run for a while.
        now: returns the current time.
        plan: the mode by call number; if the call cannot have that mode, the process dies before it.
        calls: the calls so far.
        invocation: the current invocation.
        returned: the number of the latest call that returned without a fault, and when it did.
    """

    run_others: Callable[[timedelta], None]
    now: Callable[[], datetime]
    plan: dict[int, Mode] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    invocation: Invocation = NOBODY
    returned: tuple[int, datetime] | None = None

    def call(self, name: str, effect: Callable[[], Any], kind: Kind, arguments: Mapping[str, Any]) -> Any:
        """Perform an effect, with the fault that the plan has for this call.

        Raises:
            ProcessDiedError: according to the plan, the process dies here.
        """
        call = Call(len(self.calls), self.invocation, name, kind, arguments, self._follows())
        self.calls.append(call)
        mode = self.plan.get(call.number)
        if mode is None:
            answer = effect()
            self.returned = call.number, self.now()
            return answer
        match mode if mode in kind.modes else Mode.DIES_BEFORE:
            case Mode.DIES_BEFORE:
                raise ProcessDiedError
            case Mode.DIES_AFTER:
                effect()
                raise ProcessDiedError
            case Mode.LOST:
                with suppress(ClientError):
                    effect()
                return kind.lost()
            case Mode.TWICE:
                with suppress(ClientError):
                    effect()
                return effect()
            case Mode.REFUSED:
                raise ClientError(
                    {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, name
                )
            case Mode.LATE:
                self.run_others(kind.delay)
                return effect()

    def _follows(self) -> bool:
        if self.returned != (len(self.calls) - 1, self.now()):
            return False
        return self.calls[-1].invocation == self.invocation != NOBODY


class Client:
    """A client of an AWS service whose methods all go through the seam."""

    def __init__(self, seam: Seam, service: str, client: Any) -> None:
        self._seam = seam
        self._service = service
        self._client = client

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        name = f"{self._service}.{operation}"
        method = getattr(self._client, operation)
        kind = _kind(name, operation)

        def call_through_seam(**arguments: Any) -> Any:
            return self._seam.call(name, partial(method, **arguments), kind, arguments)

        setattr(self, operation, call_through_seam)  # found without this method from now on
        return call_through_seam

    def get_paginator(self, operation: str) -> "_Paginator":
        return _Paginator(getattr(self, operation))


def _kind(name: str, operation: str) -> Kind:
    if name == "s3.get_object":
        return SLOW_READ
    if operation.startswith(_READING):
        return READ
    return LATE_WRITE if name in _LATE_WRITES else WRITE


_READING = ("get_", "head_", "describe_", "list_", "query", "scan")
_LATE_WRITES = {"dynamodb.update_item", "memory.put_object"}


@dataclass(frozen=True)
class _Paginator:
    """A paginator with everything on one page."""

    fetch: Callable[..., Any]

    def paginate(self, **arguments: Any) -> Iterator[Any]:
        yield self.fetch(**arguments)
