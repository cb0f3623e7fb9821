"""Listing the upload bucket: every version in the checkers' folders, from any position on."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from numberdrop.aws.listing import Page, Position, UploadListing
from tests.support.account import Account

KEYS = [
    "a.txt",
    "BAND/upper.txt",
    "band",
    "band/a.txt",
    "band/b/c.txt",
    "bandit/x.txt",
    "photos/1.jpg",
    "photos/2.jpg",
    "task_type=newOne/a.txt",
    "wa-deep/a.txt",
    "z.txt",
]
WANTED = ["BAND/upper.txt", "band/a.txt", "band/b/c.txt", "task_type=newOne/a.txt", "wa-deep/a.txt"]


class CountingClient:
    """A client of S3 that keeps the requests for lists."""

    def __init__(self) -> None:
        self.client = boto3.client("s3")
        self.requests: list[dict[str, Any]] = []

    def list_object_versions(self, **request: Any) -> Any:
        self.requests.append(request)
        return self.client.list_object_versions(**request)


@pytest.fixture
def listing(account: Account) -> UploadListing:
    client: Any = CountingClient()
    return UploadListing(client, account.upload_bucket)


def drop_all(account: Account, keys: list[str] = KEYS) -> None:
    for key in keys:
        account.drop(key, b"+447700900001\n")


def keys_of(pages: Iterator[Page]) -> list[str]:
    return [listed.upload.key for page in pages for listed in page.uploads]


def test_every_version_is_listed_without_delete_markers(account: Account, listing: UploadListing) -> None:
    written = [account.drop("band/a.txt", content) for content in (b"first", b"second")]
    boto3.client("s3").delete_object(Bucket=account.upload_bucket, Key="band/a.txt")
    listed = list(listing.versions())
    assert {each.upload.job_id for each in listed} == {upload.job_id for upload in written}
    assert [each.is_latest for each in listed] == [False, False]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_only_folders_of_checkers_are_listed(
    account: Account, listing: UploadListing, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    drop_all(account)
    monkeypatch.setattr("numberdrop.aws.listing.PAGE_SIZE", size)
    assert keys_of(listing.pages(Position())) == WANTED


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_listing_continues_at_each_of_its_positions(
    account: Account, listing: UploadListing, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    drop_all(account)
    for _ in range(2):
        account.drop("band/a.txt", b"again")
    monkeypatch.setattr("numberdrop.aws.listing.PAGE_SIZE", size)
    everything = [listed.upload.job_id for listed in listing.versions()]
    assert len(everything) == len(WANTED) + 2

    listed: list[str] = []
    for page in listing.pages(Position()):
        listed += [each.upload.job_id for each in page.uploads]
        rest = listing.pages(page.next) if page.next else iter(())
        assert listed + [each.upload.job_id for later in rest for each in later.uploads] == everything
    assert listed == everything


def test_a_folder_that_is_gone_does_not_stop_a_listing(account: Account, listing: UploadListing) -> None:
    drop_all(account)
    assert keys_of(listing.pages(Position(None, "gone/", {"KeyMarker": "gone/a.txt"}))) == WANTED[3:]


def test_other_folders_cost_no_request(account: Account, listing: UploadListing) -> None:
    drop_all(account, [f"photos/{n}.jpg" for n in range(20)] + WANTED)
    list(listing.versions())
    counting: Any = listing.client
    assert [request.get("Prefix") for request in counting.requests] == [
        None,
        "BAND/",
        "band/",
        "task_type=newOne/",
        "wa-deep/",
    ]


def test_an_empty_bucket_has_one_empty_page(listing: UploadListing) -> None:
    assert list(listing.pages(Position())) == [Page([], None)]
