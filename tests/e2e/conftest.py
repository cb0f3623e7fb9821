"""The real template on the local cloud, once for the whole session."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.cloud import CloudOptions, LocalCloud, local_cloud
from local.event_tap import EventTap, event_tap
from local.simulator import RemoteSimulator

PATIENCE_SECONDS = 60
"""How long a test waits for what must come."""


@dataclass
class Inbox:
    """The events that have come so far."""

    tap: EventTap
    received: list[Mapping[str, Any]] = field(default_factory=list)

    def about(self, key: str) -> list[Mapping[str, Any]]:
        """The events about an upload key that are here."""
        return [event for event in self.received if event["detail"]["upload"]["key"] == key]

    def wait_for(
        self, key: str, *, count: int = 1, seconds: int = PATIENCE_SECONDS
    ) -> list[Mapping[str, Any]]:
        """The events about an upload key, once there are ``count``."""
        end = time.monotonic() + seconds
        while len(self.about(key)) < count:
            assert time.monotonic() < end, f"no event about {key} came: {self.received}"
            self.received += self.tap.receive()
        return self.about(key)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests on one worker, because they share a local cloud, and test_privacy.py last.

    This hook must run before the one of pytest-xdist, which reads the marker.
    """
    items.sort(key=lambda item: item.path.name == "test_privacy.py")
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("local cloud"))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    if "PYTEST_XDIST_WORKER" in os.environ:
        # The folder of all workers. A second local cloud would hide from test_privacy.py what it holds.
        (tmp_path_factory.getbasetemp().parent / "local cloud").touch(exist_ok=False)
    with local_cloud(CloudOptions(wait_scale=0.05, simulator=("--duration", "2"))) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def inbox(cloud: LocalCloud) -> Iterator[Inbox]:
    with event_tap(cloud) as tap:
        yield Inbox(tap)


@pytest.fixture
def vendor(cloud: LocalCloud) -> Iterator[RemoteSimulator]:
    with RemoteSimulator(cloud.simulator) as control:
        yield control
        control.clear_faults()


@dataclass(frozen=True)
class Bucket:
    """A bucket, by what a user does with it."""

    cloud: LocalCloud
    name: str

    def drop(self, key: str, content: str) -> None:
        self.cloud.aws.client("s3").put_object(Bucket=self.name, Key=key, Body=content.encode())

    def read(self, key: str) -> bytes:
        content: bytes = self.cloud.aws.client("s3").get_object(Bucket=self.name, Key=key)["Body"].read()
        return content


@pytest.fixture
def uploads(cloud: LocalCloud) -> Bucket:
    return Bucket(cloud, cloud.outputs["UploadBucketName"])


@pytest.fixture
def results(cloud: LocalCloud) -> Bucket:
    return Bucket(cloud, cloud.outputs["ResultsBucketName"])
