"""Copying an export from the vendor's link to Amazon S3 and, to read it, to a local file.

The contenders boto3 and smart_open write no local file. On loopback the processor is the limit; on slow links
it matters how much of the work overlaps. Both are measured.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

from benchmarks.measuring import FULL, Work, measured, show
from benchmarks.server import CA, make_certificates, served

MEGABYTES = 500 if FULL else 200
ROUNDS = 5
LINK = 75
"""MB/s; about the bandwidth of a Lambda function."""


def main() -> None:
    """Measure and print the tables."""
    contenders = {
        "numberdrop": with_numberdrop,
        "numberdrop without the file": without_a_file,
        "a file, then boto3 put_object": with_a_file_first,
        "boto3 upload_fileobj": with_upload_fileobj,
        "smart_open": with_smart_open,
    }
    with TemporaryDirectory() as name:
        folder = Path(name)
        export = folder / "export.zip"
        export.write_bytes(bytes(range(250)) * (MEGABYTES * 4000))
        certificates = make_certificates(folder)
        for title, tls, rate, rounds in (
            ("Amazon S3 by plain HTTP", None, 0, ROUNDS),
            ("Amazon S3 by TLS", certificates, 0, ROUNDS),
            (f"Amazon S3 by TLS, each connection at {LINK} MB/s", certificates, LINK * 1e6, 1),
        ):
            with served(export, rate=rate) as vendor, served(export, certificates=tls, rate=rate) as s3:
                show(title, measured(contenders, vendor, s3, certificates / CA, rounds=rounds), unit="MB")


def with_numberdrop(vendor: str, s3: str, ca: str) -> Work:
    """Copy as the collect function does: one streamed PUT and a file, with all checks of the link."""
    return _streamed(vendor, s3, ca, NamedTemporaryFile)


def without_a_file(vendor: str, s3: str, ca: str) -> Work:
    """Copy with the streamed PUT alone, to compare with contenders that write no file."""
    return _streamed(vendor, s3, ca, lambda: Path(os.devnull).open("wb"))


def _streamed(vendor: str, s3: str, ca: str, make_file: Callable[[], AbstractContextManager[Any]]) -> Work:
    from numberdrop.aws.buckets import STREAMING, ResultsBucket
    from numberdrop.vendor.download import Downloader

    results = ResultsBucket(_client(s3, ca, config=STREAMING), "results")
    downloader = Downloader(["127.0.0.1"])

    def work() -> float:
        with make_file() as file, downloader.open(f"{vendor}/x", file, seconds=60) as download:
            assert download.length
            results.put_stream("k", download, length=download.length, content_type="application/zip")
            download.finish()
        return MEGABYTES

    return work


def with_a_file_first(vendor: str, s3: str, ca: str) -> Work:
    """Download the whole file first, then upload it."""
    import requests

    client = _client(s3, ca)

    def work() -> float:
        with NamedTemporaryFile() as file, requests.get(vendor, stream=True, timeout=60) as response:
            for block in response.iter_content(1024 * 1024):
                file.write(block)
            file.seek(0)
            client.put_object(Bucket="results", Key="k", Body=file)
        return MEGABYTES

    return work


def with_upload_fileobj(vendor: str, s3: str, ca: str) -> Work:
    """Copy with boto3's own streaming: several parts at a time."""
    import requests

    client = _client(s3, ca)

    def work() -> float:
        with requests.get(vendor, stream=True, timeout=60) as response:
            client.upload_fileobj(response.raw, "results", "k")
        return MEGABYTES

    return work


def with_smart_open(vendor: str, s3: str, ca: str) -> Work:
    """Copy in parts, one at a time."""
    import requests
    import smart_open

    client = _client(s3, ca)

    def work() -> float:
        with (
            requests.get(vendor, stream=True, timeout=60) as response,
            smart_open.open("s3://results/k", "wb", transport_params={"client": client}) as target,
        ):
            for block in response.iter_content(1024 * 1024):
                target.write(block)
        return MEGABYTES

    return work


def _client(url: str, ca: str, **options: Any) -> Any:
    import boto3

    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    return session.client("s3", endpoint_url=url, verify=ca, **options)
