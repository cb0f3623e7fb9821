"""The two buckets: the announced version is read, and results are stored whole or not at all."""

from dataclasses import replace
from io import BytesIO
from urllib.parse import quote_plus, unquote_plus

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.buckets import (
    STREAMING,
    ObjectMissingError,
    ReadRefusedError,
    ResultsBucket,
    StoredFile,
    StreamNotStoredError,
    UploadBucket,
)
from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.jobs.upload import Upload
from numberdrop.vendor.download import DownloadFailedError
from tests.support.account import Account
from tests.support.bare_server import captured_request
from tests.support.jobs import an_upload
from tests.support.refusals import FailingS3, client_error

ODD_KEYS = ["band/a b+c%20d.txt", "band/ü 数 🎈.txt", "band/../../etc/passwd", "band/" + "k" * 1019]


@pytest.fixture
def uploads(account: Account) -> UploadBucket:
    return UploadBucket(boto3.client("s3"))


def content_of(uploads: UploadBucket, upload: Upload) -> bytes:
    file = BytesIO()
    uploads.copy_to(upload, file)
    return file.getvalue()


def is_gone(uploads: UploadBucket, upload: Upload) -> bool:
    with pytest.raises(JobFailedError) as caught:
        uploads.copy_to(upload, BytesIO())
    return caught.value.reason.code is ReasonCode.UPLOAD_GONE


def unversioned_bucket() -> str:
    boto3.client("s3").create_bucket(Bucket="unversioned")
    return "unversioned"


# Reading


def test_metadata_names_are_returned_in_lower_case(account: Account, uploads: UploadBucket) -> None:
    upload = account.drop("band/a.txt", b"", {"Default-Region": "GB"})
    assert uploads.copy_to(upload, BytesIO()) == {"default-region": "GB"}


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_upload_with_any_key_is_read(account: Account, uploads: UploadBucket, key: str) -> None:
    assert content_of(uploads, account.drop(key, b"+1\n")) == b"+1\n"


def test_each_version_of_a_key_is_read_separately(account: Account, uploads: UploadBucket) -> None:
    first = account.drop("band/a.txt", b"first")
    second = account.drop("band/a.txt", b"second")
    assert (content_of(uploads, first), content_of(uploads, second)) == (b"first", b"second")


def test_a_version_behind_a_delete_marker_is_still_read(account: Account, uploads: UploadBucket) -> None:
    upload = account.drop("band/a.txt", b"first")
    boto3.client("s3").delete_object(Bucket=upload.bucket, Key=upload.key)
    assert content_of(uploads, upload) == b"first"


def test_a_large_upload_is_read_completely(account: Account, uploads: UploadBucket) -> None:
    content = b"0123456789abcdef" * 200_000
    assert content_of(uploads, account.drop("band/a.txt", content)) == content


def test_a_deleted_version_is_gone(account: Account, uploads: UploadBucket) -> None:
    upload = account.drop("band/a.txt", b"first")
    account.delete(upload)
    assert is_gone(uploads, upload)


def test_an_object_replaced_in_an_unversioned_bucket_is_gone(account: Account, uploads: UploadBucket) -> None:
    bucket = unversioned_bucket()
    etag = boto3.client("s3").put_object(Bucket=bucket, Key="band/a.txt", Body=b"first")["ETag"].strip('"')
    boto3.client("s3").put_object(Bucket=bucket, Key="band/a.txt", Body=b"second")
    assert is_gone(uploads, an_upload("band/a.txt", bucket=bucket, version_id=None, etag=etag))


def test_a_denied_read_is_not_reported_as_a_gone_upload() -> None:
    denied = client_error("AccessDenied", "GetObject")
    uploads = UploadBucket(FailingS3(denied))  # type: ignore[arg-type]
    with pytest.raises(ReadRefusedError, match="AccessDenied"):
        uploads.copy_to(an_upload(), BytesIO())


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "RequestTimeout"])
def test_an_outage_is_not_reported_as_a_refusal(code: str) -> None:
    uploads = UploadBucket(FailingS3(client_error(code, "GetObject")))  # type: ignore[arg-type]
    with pytest.raises(ClientError, match=code):
        uploads.copy_to(an_upload(), BytesIO())


def test_a_denied_head_is_not_reported_as_a_missing_version() -> None:
    denied = client_error("403", "HeadObject")
    uploads = UploadBucket(FailingS3(denied))  # type: ignore[arg-type]
    with pytest.raises(ClientError, match="403"):
        uploads.with_version(an_upload(version_id=None))


# Versions that are missing in the event


def test_a_missing_version_is_looked_up(account: Account, uploads: UploadBucket) -> None:
    upload = account.drop("band/a.txt", b"first")
    announced = an_upload("band/a.txt", bucket=upload.bucket, version_id=None, etag=upload.etag)
    assert uploads.with_version(announced).version_id == upload.version_id


def test_a_known_version_is_not_looked_up() -> None:
    uploads = UploadBucket(FailingS3(AssertionError("S3 was called")))  # type: ignore[arg-type]
    assert uploads.with_version(an_upload()) == an_upload()


def test_the_version_of_another_object_is_never_used(account: Account, uploads: UploadBucket) -> None:
    first = account.drop("band/a.txt", b"first")
    account.drop("band/a.txt", b"second")
    announced = an_upload("band/a.txt", bucket=first.bucket, version_id=None, etag=first.etag)
    assert uploads.with_version(announced) == announced


def test_no_version_is_found_in_an_unversioned_bucket(account: Account, uploads: UploadBucket) -> None:
    bucket = unversioned_bucket()
    etag = boto3.client("s3").put_object(Bucket=bucket, Key="band/a.txt", Body=b"x")["ETag"].strip('"')
    announced = an_upload("band/a.txt", bucket=bucket, version_id=None, etag=etag)
    assert uploads.with_version(announced) == announced


def test_no_version_is_found_for_a_deleted_upload(account: Account, uploads: UploadBucket) -> None:
    announced = an_upload("band/never.txt", bucket=account.upload_bucket, version_id=None)
    assert uploads.with_version(announced) == announced


# Keys that an event has URL-encoded


@pytest.mark.parametrize("key", ["band/two words.txt", "band/ü 数+1.txt", 'band/"a=b&c".txt'])
def test_an_encoded_key_is_decoded_if_only_that_exists(
    account: Account, uploads: UploadBucket, key: str
) -> None:
    upload = account.drop(key, b"first")
    assert uploads.with_decoded_key(replace(upload, key=quote_plus(key, safe="/"))) == upload


@pytest.mark.parametrize("key", ["band/a+b.txt", "band/100%25.txt"])
def test_a_key_that_exists_is_never_decoded(account: Account, uploads: UploadBucket, key: str) -> None:
    account.drop(unquote_plus(key), b"another object")
    upload = account.drop(key, b"first")
    assert uploads.with_decoded_key(upload) == upload


def test_another_version_is_never_taken_for_the_upload(account: Account, uploads: UploadBucket) -> None:
    upload = account.drop("band/a+b.txt", b"same content")
    account.drop("band/a b.txt", b"same content")
    account.delete(upload)
    assert uploads.with_decoded_key(upload) == upload


def test_an_upload_without_a_version_keeps_its_key() -> None:
    uploads = UploadBucket(FailingS3(AssertionError("S3 was called")))  # type: ignore[arg-type]
    unversioned = an_upload("band/a+b.txt", version_id=None)
    assert uploads.with_decoded_key(unversioned) == unversioned
    assert uploads.with_decoded_key(an_upload("band/a.txt")) == an_upload("band/a.txt")


def test_a_key_that_may_not_be_looked_up_is_not_decoded() -> None:
    uploads = UploadBucket(FailingS3(client_error("403", "HeadObject")))  # type: ignore[arg-type]
    assert uploads.with_decoded_key(an_upload("band/a+b.txt")) == an_upload("band/a+b.txt")


# Heads and lists


def test_a_head_describes_the_upload_and_its_metadata(account: Account, uploads: UploadBucket) -> None:
    upload = account.drop("band/a.txt", b"first", {"Default-Region": "GB"})
    account.drop("band/a.txt", b"second")
    head = uploads.head(upload.bucket, upload.key, upload.version_id)
    assert (head.upload.job_id, head.upload.etag, head.upload.size) == (upload.job_id, upload.etag, 5)
    assert head.metadata == {"default-region": "GB"}
    assert uploads.head(upload.bucket, upload.key).upload.size == 6


def test_a_head_of_a_missing_object_raises_an_error(account: Account, uploads: UploadBucket) -> None:
    with pytest.raises(ObjectMissingError):
        uploads.head(account.upload_bucket, "band/never.txt")


def test_stored_files_are_listed_by_prefix(account: Account) -> None:
    results = ResultsBucket(boto3.client("s3"), account.results_bucket)
    for key in ("a/results.csv", "b/results.csv"):
        results.put(key, BytesIO(b"a,b\n"), "text/csv")
    assert list(results.files("a/")) == [StoredFile("a/results.csv", 4)]


# Writing


@pytest.mark.parametrize("key", ODD_KEYS[:3])
def test_results_are_stored_under_any_key_with_their_type(account: Account, key: str) -> None:
    ResultsBucket(boto3.client("s3"), account.results_bucket).put(key, BytesIO(b"a,b\n"), "text/csv")
    assert account.stored() == {key: b"a,b\n"}
    head = boto3.client("s3").head_object(Bucket=account.results_bucket, Key=key)
    assert head["ContentType"] == "text/csv"


def test_a_file_is_stored_whole_whatever_its_position(account: Account) -> None:
    file = BytesIO(b"whole")
    file.read()
    ResultsBucket(boto3.client("s3"), account.results_bucket).put("k", file, "text/plain")
    assert account.stored() == {"k": b"whole"}


# Writing streams


CONTENT = bytes(range(256)) * 4000


class Blocks:
    """A stream that returns these blocks and may end with an error."""

    def __init__(self, *blocks: bytes | Exception) -> None:
        self._blocks = iter(blocks)

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(1), b""))
        block = next(self._blocks, b"")
        if isinstance(block, Exception):
            raise block
        return block


def results_at(url: str) -> ResultsBucket:
    return ResultsBucket(boto3.client("s3", endpoint_url=url, config=STREAMING), "results")


def put_stream(results: ResultsBucket, *blocks: bytes | Exception) -> None:
    results.put_stream("k", Blocks(*blocks), length=len(CONTENT), content_type="application/zip")


def test_a_stream_is_stored_whole_with_its_type(account: Account) -> None:
    results = ResultsBucket(boto3.client("s3", config=STREAMING), account.results_bucket)
    put_stream(results, CONTENT[:1000], CONTENT[1000:])
    assert account.stored() == {"k": CONTENT}
    assert (
        boto3.client("s3").head_object(Bucket=account.results_bucket, Key="k")["ContentType"]
        == "application/zip"
    )


def test_a_stream_is_sent_once_with_its_length_and_unsigned() -> None:
    with captured_request(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as server:
        put_stream(results_at(server.url), CONTENT[:1000], CONTENT[1000:])
        request = server.request
    assert request.line.startswith("PUT /")
    assert request.headers["content-length"] == str(len(CONTENT))
    assert request.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert request.body == CONTENT


def test_an_interrupted_stream_is_never_sent_completely() -> None:
    """S3 stores nothing if a request is shorter than its Content-Length."""
    with captured_request(b"") as server:
        with pytest.raises(StreamNotStoredError) as caught:
            put_stream(results_at(server.url), CONTENT[:1000], DownloadFailedError("The download failed."))
        request = server.request
    assert request.headers["content-length"] == str(len(CONTENT))
    assert request.body == CONTENT[:1000]
    assert isinstance(caught.value.__cause__, BotoCoreError)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 500 Internal Error\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["lost", "503", "500"],
)
def test_a_stream_is_not_sent_again_after_an_error(answer: bytes) -> None:
    with (
        captured_request(answer) as server,
        pytest.raises(StreamNotStoredError, match="UnseekableStreamError"),
    ):
        put_stream(results_at(server.url), CONTENT)


def test_a_refused_stream_names_the_cause() -> None:
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    with captured_request(refusal) as server, pytest.raises(StreamNotStoredError) as caught:
        put_stream(results_at(server.url), CONTENT)
    assert caught.value.cause == "ClientError"
    assert "403" in str(caught.value.__cause__)
