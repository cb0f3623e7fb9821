"""The requests that the vendor's client sends: exactly those in the vendor's pages."""

import pytest

from local.simulator import Simulator
from numberdrop.jobs.checkers import Checker, checkers
from numberdrop.vendor.outcomes import Accepted
from tests.support.bare_server import captured_request
from tests.support.files import file_of
from tests.support.vendor_client import BAND, DEEP, client, submit

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("checker", "fields"),
    [
        pytest.param(BAND, {"task_type": "band"}, id="v1"),
        pytest.param(checkers()["phonecheck"], {"task_type": "phoneCheck"}, id="v1 with upper case"),
        pytest.param(DEEP, {"user_id": "test-user"}, id="legacy"),
    ],
)
def test_a_submission_matches_the_vendors_pages(checker: Checker, fields: dict[str, str]) -> None:
    reply = b'{"task_id": "abc", "total": 100}'
    with captured_request(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(reply), reply)) as vendor:
        assert submit(client(vendor.url), checker) == Accepted("abc", 100)
        request = vendor.request
    assert request.line == f"POST {checker.path} HTTP/1.1"
    assert request.headers["x-api-key"] == "test-key"
    assert request.headers["content-length"] == str(len(request.body))
    assert "transfer-encoding" not in request.headers
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    for name, value in fields.items():
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in request.body
    assert request.body.count(b"Content-Disposition") == len(fields) + 1
    assert file_of() in request.body


def test_the_status_of_a_v1_task_is_requested_by_form() -> None:
    with captured_request(NOT_FOUND) as vendor:
        client(vendor.url).status(BAND, "abc")
        request = vendor.request
    assert request.line == "POST /v1/gettasks HTTP/1.1"
    assert request.headers["x-api-key"] == "test-key"
    assert b'name="task_id"\r\n\r\nabc\r\n' in request.body


def test_the_status_of_a_legacy_task_is_requested_by_path() -> None:
    with captured_request(NOT_FOUND) as vendor:
        client(vendor.url).status(DEEP, "abc")
        request = vendor.request
    assert request.line == "GET /wa/api/deep/tasks/abc?user_id=test-user HTTP/1.1"
    assert request.headers["x-api-key"] == "test-key"


def test_proxies_from_the_environment_are_not_used(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert isinstance(submit(client(simulator.url)), Accepted)
