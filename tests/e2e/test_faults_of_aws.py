"""Fifty uploads, ten at a time, while AWS throttles, fails, resets connections, loses answers and is slow."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from local.cloud import CloudOptions, LocalCloud, local_cloud
from local.event_tap import event_tap
from local.fault_proxy import SERVICES, usual_faults
from local.simulator import RemoteSimulator
from tests.support.cloud import Bucket, Inbox

WAVES, UPLOADS_AT_ONCE = 5, 10
"""So the local cloud starts some ten processes for each function, and not fifty, which takes minutes."""

SUBMIT_CONCURRENCY = 5
"""The parameter's default."""

PROBABILITY = 0.02
"""Of each kind of fault, for each request: one request in ten meets one."""


@pytest.fixture
def troubled_cloud() -> Iterator[LocalCloud]:
    options = CloudOptions(wait_scale=0.05, simulator=("--duration", "2"), with_fault_proxy=True)
    with local_cloud(options) as cloud:
        yield cloud


@pytest.mark.timeout(600)
def test_every_upload_ends_with_its_event_and_is_charged_once_while_aws_misbehaves(
    troubled_cloud: LocalCloud, record_property: Callable[[str, object], None]
) -> None:
    uploads = Bucket(troubled_cloud, troubled_cloud.outputs["UploadBucketName"])
    numbers = count(447700900000)
    waves = [[f"band/troubled/{wave} {n}.txt" for n in range(UPLOADS_AT_ONCE)] for wave in range(WAVES)]
    assert troubled_cloud.faults

    with event_tap(troubled_cloud) as tap, RemoteSimulator(troubled_cloud.simulator) as vendor:
        inbox = Inbox(tap)
        troubled_cloud.faults.inject(usual_faults(PROBABILITY))
        endings: Counter[str] = Counter()
        for keys in waves:
            for key in keys:
                uploads.drop(key, f"+{next(numbers)}\n+{next(numbers)}\n")
            endings.update(inbox.wait_for(key, seconds=400)[0]["detail-type"] for key in keys)
        charges = len(vendor.charges)
        most_at_once = vendor.peak_submissions
        fired = Counter(
            (fault["service"], fault["action"].split(":")[0]) for fault in troubled_cloud.faults.injected()
        )

    record_property("endings", dict(endings))
    record_property("faults", {" ".join(name): count for name, count in fired.items()})
    assert endings == {"Number Check Completed": WAVES * UPLOADS_AT_ONCE}
    assert charges == WAVES * UPLOADS_AT_ONCE
    assert most_at_once <= SUBMIT_CONCURRENCY
    assert {service for service, _ in fired} >= set(SERVICES) - {"sqs"}
