"""The vendor's endpoints: turn a request into its correct answer, without any sockets."""

import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from local.simulator.answers import Answer, Delivery, error_answer, json_answer, storage_error
from local.simulator.bodies import Body, Form, read_form
from local.simulator.exports import Exports, Shape, suffix_of
from local.simulator.faults import Operation
from local.simulator.links import Links
from local.simulator.model import Download, RefusedError, Task, TaskStatus, Vendor
from numberdrop.jobs.checkers import ANY_TASK_TYPE_PREFIX, Checker, Family, checker_named, checkers
from numberdrop.jobs.reasons import JobFailedError

V1_SUBMIT = "/v1/tasks"
V1_STATUS = "/v1/gettasks"
BALANCE = "/v1/balance"
EXPORTS = "/externalcheck/"

LEGACY_CHECKERS: Mapping[str, Checker] = {
    checker.path: checker for checker in checkers().values() if checker.family is Family.LEGACY
}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, with its body not yet read."""

    path: str
    query: Mapping[str, str]
    headers: Message
    body: Body


def split_target(target: str) -> tuple[str, dict[str, str]]:
    """Split a request target into its path and query."""
    parts = urlsplit(target)
    return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))


def operation_of(method: str, path: str) -> Operation | None:
    """Return the operation of a request; None if the vendor has no such endpoint."""
    match method:
        case "POST" if path == V1_SUBMIT or path in LEGACY_CHECKERS:
            return Operation.SUBMIT
        case "POST" if path == V1_STATUS:
            return Operation.STATUS
        case "GET" if path.rpartition("/")[0] in LEGACY_CHECKERS:
            return Operation.STATUS
        case "GET" if path == BALANCE:
            return Operation.BALANCE
        case "GET" if path.startswith(EXPORTS):
            return Operation.DOWNLOAD
        case _:
            return None


class VendorApi:
    """Answers requests like the vendor and its object storage."""

    def __init__(
        self, *, vendor: Vendor, links: Links, exports: Exports, base_url: str, folder: Path
    ) -> None:
        self._vendor = vendor
        self._links = links
        self._exports = exports
        self._base_url = base_url
        self._folder = folder
        self._handlers: Mapping[Operation, Callable[[Request], Answer]] = {
            Operation.SUBMIT: self._submit,
            Operation.STATUS: self._status,
            Operation.BALANCE: self._balance,
        }

    def answer(self, operation: Operation, request: Request, shape: Shape) -> Answer:
        """Return the correct answer to a request. The shape only affects downloads."""
        if operation is Operation.DOWNLOAD:
            return self._download(request, shape)
        try:
            self._check_key(request)
            return self._handlers[operation](request)
        except RefusedError as refusal:
            return error_answer(refusal.status, refusal.code, refusal.message)

    def record_download(self, request: Request, answer: Answer) -> None:
        """Record a request for an export, and whether it carried the vendor's API key."""
        self._vendor.downloads.append(
            Download(
                task_id=_exported_task_id(request.path),
                status=answer.status if answer.delivery is Delivery.SENT else None,
                api_key_sent="X-API-Key" in request.headers,
            )
        )

    def _check_key(self, request: Request) -> None:
        if request.headers.get("X-API-Key") != self._vendor.settings.api_key:
            raise RefusedError(401, "invalid_api_key", "The API key is missing or wrong.")

    def _check_user(self, user_id: str | None) -> None:
        if not user_id:
            raise RefusedError(400, "bad_request", "user_id is missing.")
        if user_id != self._vendor.settings.user_id:
            raise RefusedError(401, "invalid_user_id", "The user_id is unknown.")

    def _submit(self, request: Request) -> Answer:
        path = self._folder / uuid.uuid4().hex
        try:
            return self._accept(request, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _accept(self, request: Request, path: Path) -> Answer:
        form = self._form(request, path)
        checker = self._checker(request.path, form)
        if form.file is None:
            raise RefusedError(400, "bad_request", "file is missing.")
        task = self._vendor.create_task(checker, form.file)
        self._exports.begin(task)
        return json_answer(200, self._vendor.create_reply(task))

    def _form(self, request: Request, path: Path) -> Form:
        return read_form(
            request.body,
            request.headers.get("Content-Type", ""),
            file_path=path,
            byte_limit=self._vendor.settings.byte_limit,
        )

    def _checker(self, path: str, form: Form) -> Checker:
        if path in LEGACY_CHECKERS:
            self._check_user(form.fields.get("user_id"))
            return LEGACY_CHECKERS[path]
        task_type = form.fields.get("task_type", "")
        try:
            return checker_named(f"{ANY_TASK_TYPE_PREFIX}{task_type}", allow_sensitive=True)
        except JobFailedError:
            raise RefusedError(400, "invalid_task_type", "task_type is missing or invalid.") from None

    def _status(self, request: Request) -> Answer:
        task = self._v1_task(request) if request.path == V1_STATUS else self._legacy_task(request)
        exported = self._vendor.is_due(task) and self._exports.is_ready(task)
        reply = self._vendor.status_reply(task, exported=exported)
        if reply["status"] == TaskStatus.EXPORTED:
            reply["result_url"] = self._links.issue(
                base_url=self._base_url,
                task_id=task.task_id,
                suffix=suffix_of(task),
                life_seconds=self._vendor.settings.link_life_seconds,
            )
        return json_answer(200, reply)

    def _v1_task(self, request: Request) -> Task:
        form = self._form(request, Path(os.devnull))
        task_id = form.fields.get("task_id")
        if not task_id:
            raise RefusedError(400, "bad_request", "task_id is missing.")
        return self._vendor.task(task_id, V1_SUBMIT)

    def _legacy_task(self, request: Request) -> Task:
        self._check_user(request.query.get("user_id"))
        path, _, task_id = request.path.rpartition("/")
        return self._vendor.task(task_id, path)

    def _balance(self, _request: Request) -> Answer:
        return json_answer(200, {"balance": self._vendor.balance})

    def _download(self, request: Request, shape: Shape) -> Answer:
        task_id = _exported_task_id(request.path)
        error = self._links.error_code(task_id, request.query.get("X-Amz-Signature", ""))
        if error:
            return storage_error(error)
        export = self._exports.file_for(self._vendor.exported_task(task_id), shape)
        return Answer(200, export, "application/octet-stream")


def _exported_task_id(path: str) -> str:
    return path.removeprefix(EXPORTS).partition("/")[0]
