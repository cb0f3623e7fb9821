"""Command line: `send` uploads files, and refuses what cannot work before it sends anything."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from moto.core.models import botocore_stubber

from numberdrop.jobs.reading_choice import Choice
from numberdrop_cli.errors import OutcomeUnknownError, RefusedError
from numberdrop_cli.uploading import Uploader
from tests.support.account import Account
from tests.support.command_line import NUMBERS, SENDING, CommandLine
from tests.support.exports import workbook

MANY = b"+447700900123\n" * 700_000
"""Larger than one part of boto3's multipart uploads."""


def content(account: Account, key: str) -> bytes:
    return boto3.client("s3").get_object(Bucket=account.upload_bucket, Key=key)["Body"].read()


def metadata(account: Account, key: str) -> dict[str, str]:
    return boto3.client("s3").head_object(Bucket=account.upload_bucket, Key=key)["Metadata"]


# Keys and metadata


def test_a_file_is_sent_and_its_job_is_printed(run: CommandLine) -> None:
    result = run("send", "leads.txt", "--checker", "band")

    (upload,) = run.uploads()
    assert upload.key.startswith("band/sent/")
    assert upload.key.endswith("/leads.txt")
    assert content(run.account, upload.key) == NUMBERS.encode()
    assert f"job {upload.job_id[:12]}" in result.stdout
    assert (result.exit_code, result.stderr) == (0, SENDING)


@pytest.mark.parametrize(
    ("checker", "folder"),
    [("BAND", "band"), ("phonecheck", "phoneCheck"), ("task_type=Some_new", "task_type=Some_new")],
)
def test_the_key_begins_with_the_checker(run: CommandLine, checker: str, folder: str) -> None:
    run.cloudformation.allowed_task_types = "other, Some_new"
    assert run("send", "leads.txt", "--checker", checker).exit_code == 0
    assert run.uploads()[0].key.partition("/")[0] == folder


@pytest.mark.parametrize("prefix", ["spring/leads", "/spring/leads/"])
def test_the_folders_in_the_bucket_can_be_chosen(run: CommandLine, prefix: str) -> None:
    run("send", "leads.txt", "--checker", "band", "--prefix", prefix)
    assert [upload.key for upload in run.uploads()] == ["band/spring/leads/leads.txt"]


def test_sending_a_file_twice_makes_two_keys(run: CommandLine) -> None:
    for _ in range(2):
        run("send", "leads.txt", "--checker", "band")
    assert len({upload.key for upload in run.uploads()}) == 2


def test_the_region_goes_into_the_metadata(run: CommandLine) -> None:
    run("send", "leads.txt", "--checker", "band", "--region", "gb")
    assert metadata(run.account, run.uploads()[0].key)["default-region"] == "GB"


def test_the_region_may_be_international(run: CommandLine) -> None:
    run("send", "leads.txt", "--checker", "band", "--region", "International")
    assert metadata(run.account, run.uploads()[0].key)["default-region"] == "international"


def test_the_chosen_column_and_sheet_go_into_the_metadata(run: CommandLine, tmp_path: Path) -> None:
    columns = ["Telefon geschäftlich", "Handy"]
    (tmp_path / "leads.xlsx").write_bytes(workbook([columns, ["+447700900123", "+447700900124"]]))
    run("send", "leads.xlsx", "--checker", "band", "--column", columns[0], "--sheet", "Sheet")
    stored = metadata(run.account, run.uploads()[0].key)
    assert Choice.from_metadata(stored) == Choice("Telefon geschäftlich", "Sheet")
    assert stored["column"].isascii()


def test_without_a_region_there_is_no_region_metadata(run: CommandLine) -> None:
    run("send", "leads.txt", "--checker", "band")
    assert "default-region" not in metadata(run.account, run.uploads()[0].key)


def test_a_large_file_is_sent_in_parts_as_one_version(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_bytes(MANY)
    result = run("send", "large.txt", "--checker", "band")
    (upload,) = run.uploads()
    assert upload.etag.endswith("-2")
    assert content(run.account, upload.key) == MANY
    assert upload.job_id[:12] in result.stdout


def test_several_files_are_sent(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text(NUMBERS, encoding="utf-8")
    result = run("send", "leads.txt", "more.txt", "--checker", "band", "--prefix", "spring")
    assert [upload.key for upload in run.uploads()] == ["band/spring/leads.txt", "band/spring/more.txt"]
    assert all(upload.job_id[:12] in result.stdout for upload in run.uploads())


def test_send_prints_one_json_object_per_line(run: CommandLine) -> None:
    result = run("send", "leads.txt", "--checker", "band", "--json")
    priced, sent = map(json.loads, result.stdout.splitlines())
    (upload,) = run.uploads()
    assert priced == {
        "event": "priced",
        "file": "leads.txt",
        "checker": "band",
        "brand": "Band",
        "lines": 2,
        "submitted": 2,
        "duplicates": 0,
        "rejected": 0,
        "further": 0,
        "rejected_lines": [],
        "read": {
            "format": "text",
            "encoding": "utf-8",
            "sheet": None,
            "hidden_rows": 0,
            "column": None,
            "country_column": None,
            "default_region": None,
            "other_columns": [],
            "other_sheets": [],
        },
        "min_rows": 0,
        "max_rows": 10_000_000,
        "list_price_usd": 0.0002,
        "price_in_blocks_usd": 0.05,
        "max_usd": None,
        "may_be_remembered": False,
        "problems": [],
        "doubts": [],
    }
    assert sent == {
        "event": "sent",
        "file": "leads.txt",
        "job_id": upload.job_id,
        "bucket": upload.bucket,
        "key": upload.key,
        "version_id": upload.version_id,
    }


# Exactly one version


class LosingResponses:
    """Lose the responses to some operations of a client. The requests reach S3, or do not."""

    def __init__(self, uploader: Uploader, *operations: str, times: int, arrive: bool) -> None:
        self.left = times
        self.arrive = arrive
        for operation in operations:
            uploader.client.meta.events.register_first(f"before-send.s3.{operation}", self)

    def __call__(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> None:
        if self.left == 0:
            return
        self.left -= 1
        if self.arrive:
            botocore_stubber(event_name, request)
        raise ReadTimeoutError(endpoint_url=request.url)


FOREVER = -1


@pytest.fixture
def uploader(run: CommandLine) -> Uploader:
    config = Config(retries={"mode": "standard", "total_max_attempts": 2})
    return Uploader(boto3.client("s3", config=config), run.account.upload_bucket)


@pytest.mark.parametrize(
    ("operation", "text"), [("PutObject", NUMBERS.encode()), ("CompleteMultipartUpload", MANY)]
)
def test_a_lost_response_makes_no_second_version(
    run: CommandLine, uploader: Uploader, tmp_path: Path, operation: str, text: bytes
) -> None:
    (tmp_path / "leads.txt").write_bytes(text)
    LosingResponses(uploader, operation, times=1, arrive=True)

    upload = uploader.put(tmp_path / "leads.txt", "band/leads.txt", {}, lambda _: None)

    assert [upload.job_id] == [version.job_id for version in run.uploads()]


@pytest.mark.parametrize("arrive", [True, False])
def test_an_unclear_upload_is_not_reported_as_unsent(
    uploader: Uploader, tmp_path: Path, *, arrive: bool
) -> None:
    LosingResponses(uploader, "PutObject", "HeadObject", times=FOREVER, arrive=arrive)

    with pytest.raises(OutcomeUnknownError, match="numberdrop jobs"):
        uploader.put(tmp_path / "leads.txt", "band/leads.txt", {}, lambda _: None)


def test_a_large_file_with_lost_parts_is_not_sent(
    run: CommandLine, uploader: Uploader, tmp_path: Path
) -> None:
    (tmp_path / "leads.txt").write_bytes(MANY)
    LosingResponses(uploader, "UploadPart", times=FOREVER, arrive=False)

    with pytest.raises(RefusedError, match="Not sent"):
        uploader.put(tmp_path / "leads.txt", "band/leads.txt", {}, lambda _: None)

    assert run.uploads() == []


def test_a_file_with_the_same_key_is_not_replaced(run: CommandLine) -> None:
    existing = run.account.drop("band/spring/leads.txt", b"another\n")
    result = run("send", "leads.txt", "--checker", "band", "--prefix", "spring")
    assert result.exit_code == 1
    assert "Error: leads.txt: Not sent. Another file has that key." in result.stderr
    assert [upload.version_id for upload in run.uploads()] == [existing.version_id]


def test_a_refused_file_does_not_hide_what_was_sent(run: CommandLine, tmp_path: Path) -> None:
    for name in ("more.txt", "most.txt"):
        (tmp_path / name).write_text(NUMBERS, encoding="utf-8")
    run.account.drop("band/spring/more.txt", b"another\n")
    result = run("send", "leads.txt", "more.txt", "most.txt", "--checker", "band", "--prefix", "spring")
    assert result.exit_code == 5
    assert "leads.txt: sent as" in result.stdout
    assert "Error: more.txt: Not sent." in result.stderr
    assert "most.txt was not sent." in result.stderr
    assert len(run.uploads()) == 2


def test_an_interrupted_upload_is_reported_as_unclear(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Uploader, "put", interrupt)
    result = run("send", "leads.txt", "--checker", "band")
    assert result.exit_code == 130
    assert (
        result.stderr
        == f"{SENDING}Interrupted. leads.txt may have been sent. Check with 'numberdrop jobs'.\n"
    )


# Refusals before anything is sent


def a_folder(path: Path) -> None:
    path.mkdir()


def an_empty_file(path: Path) -> None:
    path.touch()


def a_file_that_is_too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(400_000_001)


def nothing(_: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (nothing, "does not exist"),
        (a_folder, "is a folder"),
        (an_empty_file, "is empty"),
        (os.mkfifo, "is not a regular file"),
        (a_file_that_is_too_large, "larger than 400 MB"),
    ],
)
def test_a_file_that_is_bound_to_fail_is_a_usage_error(
    run: CommandLine, tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    make(tmp_path / "bad.txt")
    result = run("send", "leads.txt", "bad.txt", "--checker", "band")
    assert result.exit_code == 2
    assert message in result.stderr
    assert run.uploads() == []


@pytest.mark.parametrize(
    ("checker", "message"),
    [
        ("bnad", "Did you mean band?"),
        ("telegram-simple", "Did you mean tg-simple"),
        ("zzz", "'numberdrop checkers' lists all"),
        ("task_type=no such", "must be 1 to 64 letters"),
        ("band/spring", "Folders go into --prefix"),
    ],
)
def test_an_unknown_checker_is_a_usage_error(run: CommandLine, checker: str, message: str) -> None:
    result = run("send", "leads.txt", "--checker", checker)
    assert result.exit_code == 2
    assert message in result.stderr
    assert run.uploads() == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--checker", "band", "--region", "UK"],
        ["--checker", "band", "--region", "Britain"],
        ["--checker", "band", "--prefix", "/"],
        ["--checker", "band", "--prefix", ".."],
        ["--checker", "band", "--prefix", "spring/../../ws"],
        ["--checker", "band", "--prefix", "./spring"],
        ["--checker", "band", "--prefix", "a\nb"],
        ["--checker", "band", "--export"],
        ["--checker", "band", "--force"],
        ["elsewhere/leads.txt", "--checker", "band"],
    ],
)
def test_wrong_usage_sends_nothing(run: CommandLine, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "leads.txt").write_text(NUMBERS, encoding="utf-8")
    assert run("send", "leads.txt", *arguments).exit_code == 2
    assert run.uploads() == []


def test_a_sensitive_checker_that_is_off_is_refused(run: CommandLine) -> None:
    result = run("send", "leads.txt", "--checker", "wa-deep")
    assert result.exit_code == 1
    assert "AllowSensitiveCheckers=true" in result.stderr
    assert run.uploads() == []


def test_a_sensitive_checker_that_is_on_is_sent(run: CommandLine) -> None:
    run.cloudformation.allow_sensitive = True
    assert run("send", "leads.txt", "--checker", "wa-deep").exit_code == 0
    assert len(run.uploads()) == 1


def test_a_task_type_that_is_not_listed_is_refused(run: CommandLine) -> None:
    result = run("send", "leads.txt", "--checker", "task_type=ws_deep")
    assert result.exit_code == 1
    assert "AllowedTaskTypes=ws_deep" in result.stderr
    assert run.uploads() == []


def test_a_key_that_would_be_too_long_is_refused(run: CommandLine) -> None:
    result = run("send", "leads.txt", "--checker", "band", "--prefix", "x" * 1020)
    assert result.exit_code == 1
    assert "1024 bytes" in result.stderr
    assert run.uploads() == []


@pytest.mark.parametrize("name", ["results.csv", "results.xlsx", "yes.txt", "report.html", "manifest.json"])
def test_existing_results_stop_the_command_before_it_sends(
    run: CommandLine, tmp_path: Path, name: str
) -> None:
    (tmp_path / "leads.txt.results").mkdir()
    (tmp_path / "leads.txt.results" / name).write_text("mine", encoding="utf-8")
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    assert result.exit_code == 1
    assert f"leads.txt.results/{name}" in result.stderr
    assert "--force" in result.stderr
    assert run.uploads() == []


def test_a_read_only_folder_stops_the_command_before_it_sends(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    assert result.exit_code == 1
    assert "Cannot write to the folder" in result.stderr
    assert run.uploads() == []


def test_a_deleted_bucket_is_reported(run: CommandLine) -> None:
    run.cloudformation.outputs["UploadBucketName"] = "a-bucket-that-is-gone"
    result = run("send", "leads.txt", "--checker", "band")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{SENDING}Error: leads.txt: Not sent. AWS refused the request.")
    assert "NoSuchBucket" in result.stderr


def test_expired_credentials_are_reported(run: CommandLine) -> None:
    run.cloudformation.refusal = "ExpiredToken"
    result = run("send", "leads.txt", "--checker", "band")
    assert result.exit_code == 1
    assert "The AWS credentials have expired. Renew them." in result.stderr


def test_send_prints_no_phone_number(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "+447700900123.txt").write_text(NUMBERS, encoding="utf-8")
    for arguments in ([], ["--json"], ["--prefix", "447700900123"], ["--prefix", "447700900123"]):
        result = run("send", "+447700900123.txt", "--checker", "band", *arguments)
        assert "[digits]" in result.output
        assert "447700900" not in result.output
