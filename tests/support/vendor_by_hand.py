"""Plain requests to the vendor's API, without numberdrop's own client."""

import csv
import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, Self

import openpyxl
import requests

SECONDS = 5.0

NUMBERS = [f"+4179{n:07d}" for n in range(50)]


def file_of(numbers: list[str]) -> bytes:
    return "".join(f"{number}\n" for number in numbers).encode()


class VendorByHand:
    """Makes one HTTP call per method, without retries and redirects."""

    def __init__(self, url: str, *, key: str | None = "test-key", timeout: float = SECONDS) -> None:
        self.url = url
        self.timeout = timeout
        self._key = {} if key is None else {"X-API-Key": key}
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def submit(
        self, task_type: str = "ws", content: bytes = file_of(NUMBERS), **options: Any
    ) -> requests.Response:
        return self.post("/v1/tasks", {"task_type": task_type}, content, **options)

    def submit_legacy(
        self, path: str = "/wa/api/deep/tasks", user_id: str = "test-user"
    ) -> requests.Response:
        return self.post(path, {"user_id": user_id}, file_of(NUMBERS))

    def post(
        self, path: str, fields: dict[str, str], content: bytes | None = None, **options: Any
    ) -> requests.Response:
        files = None if content is None else {"file": ("numbers.txt", content)}
        return self.call("POST", self.url + path, data=fields, files=files, **options)

    def status(self, task_id: str) -> requests.Response:
        return self.post("/v1/gettasks", {"task_id": task_id})

    def legacy_status(
        self, task_id: str, path: str = "/wa/api/deep/tasks", user_id: str = "test-user"
    ) -> requests.Response:
        return self.call("GET", f"{self.url}{path}/{task_id}", params={"user_id": user_id})

    def link(self, task_id: str) -> str:
        return str(self.status(task_id).json()["result_url"])

    def download(self, link: str) -> requests.Response:
        return self._session.get(link, timeout=self.timeout, allow_redirects=False)

    def export(self, task_id: str) -> bytes:
        return self.download(self.link(task_id)).content

    def call(self, method: str, url: str, **options: Any) -> requests.Response:
        return self._session.request(
            method,
            url,
            headers=self._key | options.pop("headers", {}),
            timeout=self.timeout,
            allow_redirects=False,
            **options,
        )


def csv_rows(archive: bytes, member: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(text_of(archive, member).splitlines(), delimiter=delimiter))


def text_of(archive: bytes, member: str) -> str:
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        return zipped.read(member).decode("utf-8")


def sheet_rows(spreadsheet: bytes) -> list[list[object]]:
    book = openpyxl.load_workbook(io.BytesIO(spreadsheet))
    return [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]


def submit_in_chunks(vendor: VendorByHand, *, lines: int, pause: threading.Barrier | None = None) -> int:
    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="task_type"\r\n\r\nws\r\n--b\r\n'
        yield b'Content-Disposition: form-data; name="file"; filename="n"\r\n\r\n'
        if pause:
            pause.wait(5)
        for start in range(0, lines, 10_000):
            yield b"".join(b"+41%09d\n" % n for n in range(start, min(lines, start + 10_000)))
        yield b"\r\n--b--\r\n"

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    return vendor.call("POST", f"{vendor.url}/v1/tasks", data=body(), headers=kind).status_code


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait up to five seconds until the condition holds."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)
