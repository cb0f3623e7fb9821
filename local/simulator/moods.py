"""Misbehaviour on request: every fault that the simulator can show, one row each in ``MOODS``.

A mood strikes at one moment of a request. That moment alone decides whether a submission is
charged: only ``AFTER_WORK`` comes after the vendor has accepted the file and taken the money.
"""

import inspect
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from local.simulator import misshapen
from local.simulator.answers import (
    Answer,
    Fate,
    error_answer,
    html_answer,
    json_answer,
    storage_refusal,
)
from local.simulator.exports import TRUE_SHAPE, Shape


class Operation(StrEnum):
    """The calls that a client makes."""

    SUBMIT = "submit"
    STATUS = "status"
    DOWNLOAD = "download"
    BALANCE = "balance"


class Moment(StrEnum):
    """When a mood strikes. Requests are read to their end from ``INSTEAD_OF_WORK`` on."""

    BEFORE_HEADERS = "before the headers are read"
    AFTER_HEADERS = "after the headers are read"
    MID_BODY = "in the middle of the body"
    INSTEAD_OF_WORK = "instead of the work"
    AFTER_WORK = "after the work"


class UnknownMoodError(ValueError):
    """There is no such mood, or not for this operation, or not with these parameters."""


ChangeAnswer = Callable[..., Answer]
MakeShape = Callable[..., Shape]


def _as_it_is(answer: Answer) -> Answer:
    return answer


def _true_shape() -> Shape:
    return TRUE_SHAPE


ANYWHERE = frozenset(Operation)
SUBMIT = frozenset({Operation.SUBMIT})
STATUS = frozenset({Operation.STATUS})
DOWNLOAD = frozenset({Operation.DOWNLOAD})
TASK_REPLIES = SUBMIT | STATUS


@dataclass(frozen=True, slots=True)
class Mood:
    """One kind of misbehaviour.

    Attributes:
        name: how it is asked for.
        operations: where it can strike.
        moment: when it strikes.
        change: the answer that is given, made from the right one. Its keyword arguments are the
            mood's parameters.
        shape: the export that is made; its keyword arguments are parameters too.
    """

    name: str
    operations: frozenset[Operation]
    moment: Moment
    change: ChangeAnswer = _as_it_is
    shape: MakeShape = _true_shape


def _reset(answer: Answer) -> Answer:
    return replace(answer, fate=Fate.CONNECTION_RESET)


def _never_answer(answer: Answer) -> Answer:
    return replace(answer, fate=Fate.NEVER_SENT)


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
    return storage_refusal(code)


def _accepted(answer: Answer) -> Answer:
    return replace(answer, status=202) if answer.status == 200 else answer


def _drip(answer: Answer, *, interval: float = 0.05) -> Answer:
    return replace(answer, seconds_per_byte=interval)


def _cut_off(answer: Answer, *, after: int = 10) -> Answer:
    return replace(answer, stop_after=after)


def _wrong_length(answer: Answer, *, by: int = -1) -> Answer:
    return replace(answer, length_error=by)


def _edit(answer: Answer, **changes: object) -> Answer:
    """Other values in a reply about a task; None takes a field away. Refusals stay as they are."""
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


def _other_link(answer: Answer, *, url: str = "http://elsewhere.example/export.zip") -> Answer:
    return _edit(answer, status="exported", result_url=url)


def _total_zero(answer: Answer) -> Answer:
    return _edit(answer, total=0)


def _counts_fall(answer: Answer) -> Answer:
    """Success starts at the total and falls as the task goes on."""
    return _recount(answer, lambda total, success: total - success)


def _counts_pass_total(answer: Answer, *, by: int = 10) -> Answer:
    return _recount(answer, lambda total, _success: total + by)


def _recount(answer: Answer, count: Callable[[int, int], int]) -> Answer:
    if answer.status != 200 or not isinstance(answer.body, bytes):
        return answer
    fields = json.loads(answer.body)
    return _edit(answer, success=count(fields["total"], fields["success"]))


def _newer_fields(answer: Answer, *, amount: str = "0.45") -> Answer:
    """The fields that the vendor's newer contract allows in addition."""
    money = {"amount": amount, "currency": "USD"}
    return _edit(answer, estimated_amount=money, actual_amount=money, message="ok")


def _other_time(answer: Answer, *, updated_at: str = "soon") -> Answer:
    """The vendor's clock is wrong, or what should be its time is none."""
    return _edit(answer, updated_at=updated_at)


MOODS: Mapping[str, Mood] = {
    mood.name: mood
    for mood in (
        Mood("reset_before_headers", ANYWHERE, Moment.BEFORE_HEADERS, _reset),
        Mood("reset_after_headers", ANYWHERE, Moment.AFTER_HEADERS, _reset),
        Mood("reset_mid_body", SUBMIT, Moment.MID_BODY, _reset),
        Mood("reset_after_work", ANYWHERE, Moment.AFTER_WORK, _reset),
        Mood("never_answer", ANYWHERE, Moment.AFTER_WORK, _never_answer),
        Mood("drip", ANYWHERE, Moment.AFTER_WORK, _drip),
        Mood("cut_off", ANYWHERE, Moment.AFTER_WORK, _cut_off),
        Mood("wrong_length", ANYWHERE, Moment.AFTER_WORK, _wrong_length),
        Mood("http_error", ANYWHERE, Moment.INSTEAD_OF_WORK, _http_error),
        Mood("redirect", ANYWHERE, Moment.INSTEAD_OF_WORK, _redirect),
        Mood("html_page", ANYWHERE, Moment.INSTEAD_OF_WORK, _html_page),
        Mood("error_in_body", TASK_REPLIES, Moment.INSTEAD_OF_WORK, _error_in_body),
        Mood("accepted", SUBMIT, Moment.AFTER_WORK, _accepted),
        Mood("no_task_id", TASK_REPLIES, Moment.AFTER_WORK, _no_task_id),
        Mood("wrong_task_id", STATUS, Moment.AFTER_WORK, _wrong_task_id),
        Mood("unknown_status", STATUS, Moment.AFTER_WORK, _unknown_status),
        Mood("failed", STATUS, Moment.AFTER_WORK, _failed),
        Mood("completed_without_file", STATUS, Moment.AFTER_WORK, _completed_without_file),
        Mood("exported_without_link", STATUS, Moment.AFTER_WORK, _exported_without_link),
        Mood("other_link", STATUS, Moment.AFTER_WORK, _other_link),
        Mood("total_zero", STATUS, Moment.AFTER_WORK, _total_zero),
        Mood("counts_fall", STATUS, Moment.AFTER_WORK, _counts_fall),
        Mood("counts_pass_total", STATUS, Moment.AFTER_WORK, _counts_pass_total),
        Mood("newer_fields", STATUS, Moment.AFTER_WORK, _newer_fields),
        Mood("other_time", STATUS, Moment.AFTER_WORK, _other_time),
        Mood("link_refused", DOWNLOAD, Moment.INSTEAD_OF_WORK, _link_refused),
        *(
            Mood(shape.__name__, DOWNLOAD, Moment.AFTER_WORK, shape=shape)
            for shape in (
                misshapen.missing_rows,
                misshapen.extra_rows,
                misshapen.doubled_rows,
                misshapen.renamed_columns,
                misshapen.no_verdict_column,
                misshapen.doubled_number_column,
                misshapen.other_delimiter,
                misshapen.plain_csv,
                misshapen.zip_without_folder,
                misshapen.lists_alone,
                misshapen.zip_bomb,
                misshapen.many_members,
                misshapen.overlapping_members,
                misshapen.climbing_names,
            )
        ),
    )
}
"""Every mood by name. Those that strike ``INSTEAD_OF_WORK`` take ``charged=True`` to do the work,
and charge for it, before they give their answer all the same."""


@dataclass(frozen=True, slots=True)
class ActiveMood:
    """A mood with its parameters, as it strikes one request."""

    mood: Mood
    moment: Moment
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def charges(self) -> bool:
        """Whether a submission that it strikes is charged, being right in itself."""
        return self.moment is Moment.AFTER_WORK

    def change(self, answer: Answer) -> Answer:
        """The answer that is given instead of the right one."""
        if self.mood.shape is not _true_shape:
            return answer
        return self.mood.change(answer, **self.parameters)

    def shape(self) -> Shape:
        """The shape of the export, if one is asked for."""
        if self.mood.shape is _true_shape:
            return TRUE_SHAPE
        return self.mood.shape(**self.parameters)


CALM = ActiveMood(Mood("calm", ANYWHERE, Moment.AFTER_WORK), Moment.AFTER_WORK)
"""The mood of a vendor that behaves."""


def activate(operation: Operation, name: str, parameters: Mapping[str, object]) -> ActiveMood:
    """A mood of the table, ready to strike.

    Raises:
        UnknownMoodError: the table has no such row, or the row does not allow it.
    """
    mood = MOODS.get(name)
    if mood is None or operation not in mood.operations:
        raise UnknownMoodError(f"{operation} has no mood {name!r}.")
    own = dict(parameters)
    moment = mood.moment
    if moment is Moment.INSTEAD_OF_WORK and own.pop("charged", False):
        moment = Moment.AFTER_WORK
    active = ActiveMood(mood, moment, own)
    _check_parameters(active)
    return active


def _check_parameters(active: ActiveMood) -> None:
    mood = active.mood
    try:
        if mood.shape is not _true_shape:
            inspect.signature(mood.shape).bind(**active.parameters)
        else:
            inspect.signature(mood.change).bind(Answer(200), **active.parameters)
    except TypeError as error:
        raise UnknownMoodError(f"{mood.name}: {error}.") from None


@dataclass(slots=True)
class _Booking:
    active: ActiveMood
    left: int | None


class MoodBoard:
    """Which moods are booked, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._bookings: dict[Operation, deque[_Booking]] = {op: deque() for op in Operation}
        self._lock = threading.Lock()

    def book(self, operation: Operation, active: ActiveMood, times: int | None) -> None:
        """Let the next requests be struck, or all from now on when ``times`` is None."""
        if times is not None and times < 1:
            raise UnknownMoodError("A mood strikes at least once.")
        with self._lock:
            self._bookings[operation].append(_Booking(active, times))

    def take(self, operation: Operation) -> ActiveMood:
        """The mood that strikes this request."""
        with self._lock:
            queue = self._bookings[operation]
            if not queue:
                return CALM
            booking = queue[0]
            if booking.left is not None:
                booking.left -= 1
                if booking.left == 0:
                    queue.popleft()
            return booking.active

    def clear(self) -> None:
        """No request is struck any longer."""
        with self._lock:
            for queue in self._bookings.values():
                queue.clear()
