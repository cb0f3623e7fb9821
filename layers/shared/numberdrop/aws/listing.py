"""Listing the versions in the upload bucket, from any position on.

Only objects in a checker's folder can become jobs that cost money, so no other folder is listed: a bucket
that somebody already had may hold millions of other objects.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from numberdrop.jobs.checkers import names_checker
from numberdrop.jobs.upload import Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PAGE_SIZE = 1000
"""Versions or folders in an answer; S3 allows no more (S3 API reference, "ListObjectVersions")."""

Markers = Mapping[str, str]
"""Where S3 continues a listing, as its previous answer said: ``KeyMarker`` and ``VersionIdMarker``."""


@dataclass(frozen=True, slots=True)
class ListedUpload:
    """An upload as the bucket lists it.

    Attributes:
        upload: the version; its ``version_id`` is None if it was written while versioning was off.
        written_at: when it was written.
        is_latest: whether it has not been replaced or deleted since.
    """

    upload: Upload
    written_at: datetime
    is_latest: bool


@dataclass(frozen=True, slots=True)
class Position:
    """Where a listing continues; without arguments, its beginning.

    Attributes:
        folders: where the list of the bucket's folders continues.
        folder: the first folder of that list that is not listed to its end, or empty for the first of all.
        versions: where the list of that folder's versions continues.
    """

    folders: Markers | None = None
    folder: str = ""
    versions: Markers | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The versions in one answer of S3, and the position after them; None at the end of the listing."""

    uploads: list[ListedUpload]
    next: Position | None


@dataclass(frozen=True)
class UploadListing:
    """Lists the versions in the checkers' folders of a bucket.

    >>> import boto3
    >>> s3 = boto3.client("s3")
    >>> _ = s3.create_bucket(Bucket="uploads-example")
    >>> for key in ("band/a.txt", "photos/b.jpg"):
    ...     _ = s3.put_object(Bucket="uploads-example", Key=key, Body=b"+447700900001")
    >>> [listed.upload.key for listed in UploadListing(s3, "uploads-example").versions()]
    ['band/a.txt']
    """

    client: "S3Client"
    bucket: str

    def versions(self) -> Iterator[ListedUpload]:
        """Yield every version of every object, without delete markers."""
        for page in self.pages(Position()):
            yield from page.uploads

    def versions_of(self, key: str) -> Iterator[ListedUpload]:
        """Yield every version of one object, the latest first, without delete markers."""
        markers: Markers | None = {}
        while markers is not None:
            # Versions are in the order of their keys (S3 API reference, "ListObjectVersions").
            answer = self._request(markers, Prefix=key)
            for version in answer.get("Versions", []):
                if version["Key"] != key:
                    return
                yield self._listed(version)
            markers = _next_markers(answer)

    def pages(self, start: Position) -> Iterator[Page]:
        """Yield the versions from a position on, answer by answer."""
        position: Position | None = start
        while position is not None:
            answer = self._request(position.folders, Delimiter="/")
            names = (common["Prefix"] for common in answer.get("CommonPrefixes", []))
            folders = [name for name in names if names_checker(name) and name >= position.folder]
            for folder, following in zip_longest(folders, folders[1:]):
                after = Position(position.folders, following) if following else _next_folders(answer)
                yield from self._in_folder(folder, position, after)
            if not folders:
                yield Page([], _next_folders(answer))
            position = _next_folders(answer)

    def _in_folder(self, folder: str, position: Position, after: Position | None) -> Iterator[Page]:
        markers = position.versions if folder == position.folder else None
        while True:
            answer = self._request(markers, Prefix=folder)
            markers = _next_markers(answer)
            uploads = [self._listed(version) for version in answer.get("Versions", [])]
            yield Page(uploads, Position(position.folders, folder, markers) if markers else after)
            if not markers:
                return

    def _request(self, markers: Markers | None, **what: str) -> Mapping[str, Any]:
        request: dict[str, Any] = {"Bucket": self.bucket, "MaxKeys": PAGE_SIZE, **what, **(markers or {})}
        return self.client.list_object_versions(**request)

    def _listed(self, version: Mapping[str, Any]) -> ListedUpload:
        upload = Upload.from_s3(
            bucket=self.bucket,
            key=version["Key"],
            version_id=version["VersionId"],
            etag=version["ETag"],
            size=version["Size"],
        )
        return ListedUpload(upload, version["LastModified"], version["IsLatest"])


def _next_markers(answer: Mapping[str, Any]) -> Markers | None:
    if not answer["IsTruncated"]:
        return None
    markers = {"KeyMarker": answer["NextKeyMarker"], "VersionIdMarker": answer.get("NextVersionIdMarker")}
    return {name: marker for name, marker in markers.items() if marker}


def _next_folders(answer: Mapping[str, Any]) -> Position | None:
    markers = _next_markers(answer)
    return Position(markers) if markers else None
