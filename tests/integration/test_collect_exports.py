"""The collect function with exports that are unreadable, incomplete, too long, or in another format."""

import hashlib
import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any, BinaryIO
from zipfile import ZipFile

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from local.simulator import Simulator
from numberdrop.aws.buckets import ReadRefusedError, ResultsBucket, Stream, UploadBucket
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from tests.support.account import Account
from tests.support.bare_server import captured_request
from tests.support.files import NUMBERS
from tests.support.invocations import Functions
from tests.support.outcomes import failure, files_of, job_of, rows_of
from tests.support.refusals import client_error

SLOW_DOWN = ClientError({"Error": {"Code": "SlowDown", "Message": "Please reduce your rate."}}, "PutObject")

# Unreadable exports


@pytest.mark.parametrize(
    ("fault", "parameters", "streamed"),
    [
        ("html_page", {}, {"export.csv"}),
        ("truncated", {"after": 1000}, set()),
        ("wrong_length", {"by": 9}, set()),
        ("zip_bomb", {"megabytes": 128}, {"export.zip"}),
        ("many_members", {}, {"export.zip"}),
        ("overlapping_members", {}, {"export.zip"}),
    ],
)
def test_an_unreadable_export_is_kept(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    upload: Upload,
    *,
    fault: str,
    parameters: dict[str, object],
    streamed: set[str],
) -> None:
    simulator.inject_fault("download", fault, times=None, **parameters)
    assert failure(functions.collect(upload)) == ReasonCode.RESULT_INVALID
    assert len(simulator.downloads) == 3
    files = files_of(account, upload)
    assert files.keys() == {"export.unreadable"} | streamed
    assert files["export.unreadable"]
    assert job_of(account, upload).state is State.SUBMITTED


@pytest.mark.parametrize(
    ("fault", "parameters"), [("truncated", {"after": 100}), ("wrong_length", {"by": 9}), ("html_page", {})]
)
def test_a_broken_download_is_repeated(
    simulator: Simulator, functions: Functions, upload: Upload, fault: str, parameters: dict[str, object]
) -> None:
    simulator.inject_fault("download", fault, times=2, **parameters)
    assert functions.collect(upload)["next"] == "done"
    assert len(simulator.downloads) == 3


def test_member_names_with_dots_never_become_keys(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    simulator.inject_fault("download", "path_traversal", times=None)
    functions.collect(upload)
    assert not [key for key in account.stored() if ".." in key]


# Exports that are stored while they are downloaded


EXPORT = b"number,band\n" + b"".join(f"{number},yes\n".encode() for number in NUMBERS)


def archive_of(first: str) -> bytes:
    """Return an export whose first member has this name."""
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr(first, "")
        archive.writestr("all.csv", EXPORT)
    return file.getvalue()


@pytest.mark.parametrize("error", [SLOW_DOWN, ReadTimeoutError(endpoint_url="https://s3.example")])
@pytest.mark.parametrize("blocks_read", [0, 1, 2])
def test_an_export_is_stored_from_its_file_if_streaming_fails(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    upload: Upload,
    monkeypatch: pytest.MonkeyPatch,
    *,
    error: Exception,
    blocks_read: int,
) -> None:
    class FailingS3:
        def put_object(self, **request: Any) -> None:
            for _ in range(blocks_read):
                request["Body"].read(1)
            raise error

    put_stream = ResultsBucket.put_stream

    def fail(bucket: ResultsBucket, key: str, stream: Stream, **options: Any) -> None:
        client: Any = FailingS3()
        put_stream(ResultsBucket(client, bucket.bucket), key, stream, **options)

    monkeypatch.setattr(ResultsBucket, "put_stream", fail)
    assert functions.collect(upload)["next"] == "done"
    assert len(simulator.downloads) == 1
    files = files_of(account, upload)
    described = json.loads(files["manifest.json"])["files"]["export.zip"]
    assert described["sha256"] == hashlib.sha256(files["export.zip"]).hexdigest()


def test_an_export_of_unknown_length_is_stored_from_its_file(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + EXPORT
    with captured_request(answer) as server:
        simulator.inject_fault("status", "wrong_link", url=f"{server.url}/export")
        assert functions.collect(upload)["next"] == "done"
    assert files_of(account, upload)["export.csv"] == EXPORT


def test_an_export_of_a_misjudged_format_gets_the_right_name(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    export = archive_of("docProps/readme.txt")
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(export)}\r\n\r\n"
    with captured_request(head.encode() + export) as server:
        simulator.inject_fault("status", "wrong_link", url=f"{server.url}/export")
        assert functions.collect(upload)["next"] == "done"
    assert files_of(account, upload)["export.zip"] == export
    (event,) = account.events()
    assert event["detail"]["results"]["export_key"].endswith("/export.zip")


# Exports with missing or extra rows


def test_numbers_without_a_row_in_the_export_are_unresolved(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    simulator.inject_fault("download", "missing_rows", rows=3)
    functions.collect(upload)
    rows = rows_of(files_of(account, upload)["results.csv"])
    assert [row["number"] for row in rows] == list(NUMBERS)
    assert [row["status"] for row in rows] == ["unresolved"] * 3 + ["resolved"] * 97
    (event,) = account.events()
    assert (event["detail"]["counts"]["resolved"], event["detail"]["counts"]["unresolved"]) == (97, 3)


@pytest.mark.parametrize(
    ("fault", "counted"),
    [("extra_rows", {"extra": 2, "doubled": 0}), ("duplicate_rows", {"extra": 0, "doubled": 2})],
)
def test_extra_rows_are_counted_and_dropped(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    upload: Upload,
    *,
    fault: str,
    counted: dict[str, int],
) -> None:
    simulator.inject_fault("download", fault, rows=2)
    functions.collect(upload)
    files = files_of(account, upload)
    assert [row["number"] for row in rows_of(files["results.csv"])] == list(NUMBERS)
    assert json.loads(files["manifest.json"])["export_counts"] == counted


@pytest.mark.parametrize(
    "fault",
    [
        "renamed_columns",
        "no_verdict_column",
        "duplicate_number_column",
        "other_delimiter",
        "plain_csv",
        "gzipped_csv",
        "lists_only",
    ],
)
def test_exports_with_changed_columns_are_still_read(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload, fault: str
) -> None:
    simulator.inject_fault("download", fault)
    assert functions.collect(upload)["next"] == "done"
    rows = rows_of(files_of(account, upload)["results.csv"])
    assert [(row["number"], row["status"]) for row in rows] == [(number, "resolved") for number in NUMBERS]


@pytest.mark.parametrize(("fault", "resolved"), [("extra_rows", 100), ("missing_rows", 90)])
def test_without_the_upload_results_come_from_the_export(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload, fault: str, resolved: int
) -> None:
    account.delete(upload)
    simulator.inject_fault("download", fault, rows=10)
    assert functions.collect(upload)["next"] == "done"
    counts = job_of(account, upload).counts
    assert (counts.submitted, counts.resolved, counts.unresolved) == (100, resolved, 100 - resolved)
    assert sum(counts.verdicts.values()) in {0, resolved}
    files = files_of(account, upload)
    rows = rows_of(files["results.csv"])
    assert {row["number"] for row in rows} >= {*NUMBERS[100 - resolved :]}
    assert {(row["line"], row["status"]) for row in rows} == {("", "resolved")}
    assert json.loads(files["manifest.json"])["upload_counts"] is None


@pytest.mark.parametrize(
    "code", ["AccessDenied", "InvalidObjectState", "KMS.DisabledException", "NoSuchBucket"]
)
def test_an_unreadable_upload_does_not_cost_the_export(
    account: Account, functions: Functions, upload: Upload, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    reads = refuse_reads(monkeypatch, ReadRefusedError(code))
    assert functions.collect(upload)["next"] == "done"
    files = files_of(account, upload)
    assert (len(reads), "export.zip" in files) == (3, True)
    assert {row["number"] for row in rows_of(files["results.csv"])} == {*NUMBERS}
    assert json.loads(files["manifest.json"])["upload_counts"] is None


def test_an_upload_that_can_be_read_again_keeps_its_rows(
    account: Account, functions: Functions, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_reads(monkeypatch, ReadRefusedError("AccessDenied"), times=2)
    assert functions.collect(upload)["next"] == "done"
    assert rows_of(files_of(account, upload)["results.csv"])[0]["line"] == "1"


def test_an_outage_of_s3_does_not_cost_the_rows(
    functions: Functions, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_reads(monkeypatch, client_error("SlowDown", "GetObject"))
    with pytest.raises(ClientError, match="SlowDown"):
        functions.collect(upload)


def refuse_reads(monkeypatch: pytest.MonkeyPatch, error: Exception, *, times: int = 100) -> list[str]:
    """Make S3 refuse the first reads of the upload; return a list that grows with each refusal."""
    refused: list[str] = []
    read = UploadBucket.copy_to

    def copy_to(uploads: UploadBucket, upload: Upload, file: BinaryIO) -> Mapping[str, str]:
        if len(refused) < times:
            refused.append(upload.key)
            raise error
        return read(uploads, upload, file)

    monkeypatch.setattr(UploadBucket, "copy_to", copy_to)
    return refused


def test_without_the_upload_extra_rows_void_the_verdict_counts(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    account.delete(upload)
    simulator.inject_fault("download", "extra_rows", rows=10)
    assert functions.collect(upload)["next"] == "done"
    files = files_of(account, upload)
    manifest = json.loads(files["manifest.json"])
    assert len(rows_of(files["results.csv"])) == 110
    assert (manifest["counts"]["resolved"], manifest["counts"]["verdicts"]) == (100, {})
    assert (manifest["export_counts"]["extra"], manifest["verdicts_by_country"]) == (10, {})
    assert b"no verdicts to count" in files["report.html"]
