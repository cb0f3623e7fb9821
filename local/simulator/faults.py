"""The faults that the simulator can inject, one row each in ``FAULTS``.

A fault takes effect at one stage of a request. The stage alone decides whether a submission is
charged: only at ``AFTER_WORK`` has the vendor accepted the file and taken the money.
"""

import inspect
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from local.simulator import malformed
from local.simulator.answers import (
    Answer,
    Delivery,
    error_answer,
    html_answer,
    json_answer,
    storage_error,
)
from local.simulator.exports import CORRECT_SHAPE, Shape


class Operation(StrEnum):
    """The calls that a client can make."""

    SUBMIT = "submit"
    STATUS = "status"
    DOWNLOAD = "download"
    BALANCE = "balance"


class Stage(StrEnum):
    """The stage of a request at which a fault takes effect, in order.

    From ``INSTEAD_OF_WORK`` on, the whole request is read first.
    """

    BEFORE_HEADERS = "before the headers are read"
    AFTER_HEADERS = "after the headers are read"
    MID_BODY = "in the middle of the body"
    INSTEAD_OF_WORK = "instead of the work"
    AFTER_WORK = "after the work"


class UnknownFaultError(ValueError):
    """There is no such fault, or it does not apply to the operation or the parameters."""


ChangeAnswer = Callable[..., Answer]
MakeShape = Callable[..., Shape]


def _unchanged(answer: Answer) -> Answer:
    return answer


def _correct_shape() -> Shape:
    return CORRECT_SHAPE


ANY_OPERATION = frozenset(Operation)
SUBMIT = frozenset({Operation.SUBMIT})
STATUS = frozenset({Operation.STATUS})
DOWNLOAD = frozenset({Operation.DOWNLOAD})
TASK_REPLIES = SUBMIT | STATUS


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    Attributes:
        name: the name to request it by.
        operations: the operations that it can affect.
        stage: the stage at which it takes effect.
        change: makes the faulty answer from the correct one. Its keyword arguments are the fault's
            parameters.
        shape: makes the shape of the faulty export. Its keyword arguments are parameters too.
    """

    name: str
    operations: frozenset[Operation]
    stage: Stage
    change: ChangeAnswer = _unchanged
    shape: MakeShape = _correct_shape


def _reset(answer: Answer) -> Answer:
    return replace(answer, delivery=Delivery.CONNECTION_RESET)


def _never_answer(answer: Answer) -> Answer:
    return replace(answer, delivery=Delivery.NEVER_SENT)


def _http_error(
    _answer: Answer,
    *,
    status: int = 500,
    html: bool = False,
    retry_after: str | None = None,
    error: str = "error",
    message: str = "The request was not served.",
) -> Answer:
    answer = html_answer(status) if html else error_answer(status, error, message)
    return answer if retry_after is None else replace(answer, headers={"Retry-After": retry_after})


def _redirect(_answer: Answer, *, status: int = 302, location: str = "http://127.0.0.1:9/") -> Answer:
    return replace(html_answer(status), headers={"Location": location})


def _html_page(_answer: Answer) -> Answer:
    return html_answer(200)


def _error_in_body(_answer: Answer, *, error: str = "system busy") -> Answer:
    return json_answer(200, {"error": error})


def _link_refused(_answer: Answer, *, code: str = "AccessDenied") -> Answer:
    return storage_error(code)


def _accepted(answer: Answer) -> Answer:
    return replace(answer, status=202) if answer.status == 200 else answer


def _drip(answer: Answer, *, interval: float = 0.05) -> Answer:
    return replace(answer, seconds_per_byte=interval)


def _truncated(answer: Answer, *, after: int = 10) -> Answer:
    return replace(answer, stop_after=after)


def _wrong_length(answer: Answer, *, by: int = -1) -> Answer:
    return replace(answer, length_error=by)


def _edit(answer: Answer, **changes: object) -> Answer:
    """Change fields of a reply about a task; None removes a field. Leave refusals unchanged."""
    if answer.status != 200 or not isinstance(answer.body, bytes):
        return answer
    fields = json.loads(answer.body) | changes
    return json_answer(200, {name: value for name, value in fields.items() if value is not None})


def _no_task_id(answer: Answer) -> Answer:
    return _edit(answer, task_id=None)


def _wrong_task_id(answer: Answer, *, task_id: str = "00000000000000000000") -> Answer:
    return _edit(answer, task_id=task_id)


def _unknown_status(answer: Answer, *, word: str = "archiving") -> Answer:
    return _edit(answer, status=word, result_url=None)


def _failed(answer: Answer) -> Answer:
    return _edit(answer, status="failed", result_url=None)


def _completed_without_file(answer: Answer) -> Answer:
    return _edit(answer, status="completed", result_url=None)


def _exported_without_link(answer: Answer) -> Answer:
    return _edit(answer, status="exported", result_url=None)


def _wrong_link(answer: Answer, *, url: str = "http://elsewhere.example/export.zip") -> Answer:
    return _edit(answer, status="exported", result_url=url)


def _zero_total(answer: Answer) -> Answer:
    return _edit(answer, total=0)


def _counts_fall(answer: Answer) -> Answer:
    """Let ``success`` start at the total and fall as the task proceeds."""
    return _recount(answer, lambda total, success: total - success)


def _counts_exceed_total(answer: Answer, *, by: int = 10) -> Answer:
    return _recount(answer, lambda total, _success: total + by)


def _recount(answer: Answer, count: Callable[[int, int], int]) -> Answer:
    if answer.status != 200 or not isinstance(answer.body, bytes):
        return answer
    fields = json.loads(answer.body)
    return _edit(answer, success=count(fields["total"], fields["success"]))


def _newer_fields(answer: Answer, *, amount: str = "0.45") -> Answer:
    """Add the fields that the vendor's newer contract allows."""
    money = {"amount": amount, "currency": "USD"}
    return _edit(answer, estimated_amount=money, actual_amount=money, message="ok")


def _wrong_time(answer: Answer, *, updated_at: str = "soon") -> Answer:
    """Set ``updated_at`` to a wrong time, or to text that is not a time."""
    return _edit(answer, updated_at=updated_at)


FAULTS: Mapping[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind("reset_before_headers", ANY_OPERATION, Stage.BEFORE_HEADERS, _reset),
        FaultKind("reset_after_headers", ANY_OPERATION, Stage.AFTER_HEADERS, _reset),
        FaultKind("reset_mid_body", SUBMIT, Stage.MID_BODY, _reset),
        FaultKind("reset_after_work", ANY_OPERATION, Stage.AFTER_WORK, _reset),
        FaultKind("never_answer", ANY_OPERATION, Stage.AFTER_WORK, _never_answer),
        FaultKind("drip", ANY_OPERATION, Stage.AFTER_WORK, _drip),
        FaultKind("truncated", ANY_OPERATION, Stage.AFTER_WORK, _truncated),
        FaultKind("wrong_length", ANY_OPERATION, Stage.AFTER_WORK, _wrong_length),
        FaultKind("http_error", ANY_OPERATION, Stage.INSTEAD_OF_WORK, _http_error),
        FaultKind("redirect", ANY_OPERATION, Stage.INSTEAD_OF_WORK, _redirect),
        FaultKind("html_page", ANY_OPERATION, Stage.INSTEAD_OF_WORK, _html_page),
        FaultKind("error_in_body", TASK_REPLIES, Stage.INSTEAD_OF_WORK, _error_in_body),
        FaultKind("accepted_with_202", SUBMIT, Stage.AFTER_WORK, _accepted),
        FaultKind("no_task_id", TASK_REPLIES, Stage.AFTER_WORK, _no_task_id),
        FaultKind("wrong_task_id", STATUS, Stage.AFTER_WORK, _wrong_task_id),
        FaultKind("unknown_status", STATUS, Stage.AFTER_WORK, _unknown_status),
        FaultKind("failed", STATUS, Stage.AFTER_WORK, _failed),
        FaultKind("completed_without_file", STATUS, Stage.AFTER_WORK, _completed_without_file),
        FaultKind("exported_without_link", STATUS, Stage.AFTER_WORK, _exported_without_link),
        FaultKind("wrong_link", STATUS, Stage.AFTER_WORK, _wrong_link),
        FaultKind("zero_total", STATUS, Stage.AFTER_WORK, _zero_total),
        FaultKind("counts_fall", STATUS, Stage.AFTER_WORK, _counts_fall),
        FaultKind("counts_exceed_total", STATUS, Stage.AFTER_WORK, _counts_exceed_total),
        FaultKind("newer_fields", STATUS, Stage.AFTER_WORK, _newer_fields),
        FaultKind("wrong_time", STATUS, Stage.AFTER_WORK, _wrong_time),
        FaultKind("link_refused", DOWNLOAD, Stage.INSTEAD_OF_WORK, _link_refused),
        *(
            FaultKind(shape.__name__, DOWNLOAD, Stage.AFTER_WORK, shape=shape)
            for shape in (
                malformed.missing_rows,
                malformed.extra_rows,
                malformed.duplicate_rows,
                malformed.renamed_columns,
                malformed.no_verdict_column,
                malformed.duplicate_number_column,
                malformed.other_delimiter,
                malformed.plain_csv,
                malformed.gzipped_csv,
                malformed.zip_without_folder,
                malformed.lists_only,
                malformed.zip_bomb,
                malformed.many_members,
                malformed.overlapping_members,
                malformed.path_traversal,
            )
        ),
    )
}
"""Every fault by name. With ``charged=True``, a fault at ``INSTEAD_OF_WORK`` first does the work and
charges for it, then still gives its faulty answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault with its parameters, to apply to one request."""

    kind: FaultKind
    stage: Stage
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def charges(self) -> bool:
        """Tell whether a valid submission with this fault is charged."""
        return self.stage is Stage.AFTER_WORK

    def change(self, answer: Answer) -> Answer:
        """Return the faulty answer made from the correct one."""
        if self.kind.shape is not _correct_shape:
            return answer
        return self.kind.change(answer, **self.parameters)

    def shape(self) -> Shape:
        """Return the shape of the export that a download gets."""
        if self.kind.shape is _correct_shape:
            return CORRECT_SHAPE
        return self.kind.shape(**self.parameters)


NO_FAULT = Fault(FaultKind("none", ANY_OPERATION, Stage.AFTER_WORK), Stage.AFTER_WORK)
"""Changes nothing; for requests that no fault is queued for."""


def make_fault(operation: Operation, name: str, parameters: Mapping[str, object]) -> Fault:
    """Return the fault of a name, with its parameters checked.

    Raises:
        UnknownFaultError: ``FAULTS`` has no such fault, or it does not apply to the operation or the
            parameters.
    """
    kind = FAULTS.get(name)
    if kind is None or operation not in kind.operations:
        raise UnknownFaultError(f"{operation} has no fault {name!r}.")
    own = dict(parameters)
    stage = kind.stage
    if stage is Stage.INSTEAD_OF_WORK and own.pop("charged", False):
        stage = Stage.AFTER_WORK
    fault = Fault(kind, stage, own)
    _check_parameters(fault)
    return fault


def _check_parameters(fault: Fault) -> None:
    kind = fault.kind
    try:
        if kind.shape is not _correct_shape:
            inspect.signature(kind.shape).bind(**fault.parameters)
        else:
            inspect.signature(kind.change).bind(Answer(200), **fault.parameters)
    except TypeError as error:
        raise UnknownFaultError(f"{kind.name}: {error}.") from None


@dataclass(slots=True)
class _QueuedFault:
    fault: Fault
    requests_left: int | None


class FaultQueue:
    """The faults to inject, by operation, in the order in which they were requested."""

    def __init__(self) -> None:
        self._queues: dict[Operation, deque[_QueuedFault]] = {operation: deque() for operation in Operation}
        self._lock = threading.Lock()

    def add(self, operation: Operation, fault: Fault, times: int | None) -> None:
        """Queue a fault for the next ``times`` requests, or for all further ones when ``times`` is None."""
        if times is not None and times < 1:
            raise UnknownFaultError(
                "A fault occurs at least once. Pass times=1 or more, or None for every request."
            )
        with self._lock:
            self._queues[operation].append(_QueuedFault(fault, times))

    def next_for(self, operation: Operation) -> Fault:
        """Return the fault for the next request of an operation."""
        with self._lock:
            queue = self._queues[operation]
            if not queue:
                return NO_FAULT
            queued = queue[0]
            if queued.requests_left is not None:
                queued.requests_left -= 1
                if queued.requests_left == 0:
                    queue.popleft()
            return queued.fault

    def clear(self) -> None:
        """Remove every queued fault."""
        with self._lock:
            for queue in self._queues.values():
                queue.clear()
