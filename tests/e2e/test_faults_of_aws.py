"""Fifty uploads, ten at a time, while AWS throttles, fails, resets connections, drops answers and is slow."""

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
"""In waves, so that the local cloud starts about ten processes per function; fifty would take minutes."""

SUBMIT_CONCURRENCY = 5
"""The default of the template parameter."""

PROBABILITY = 0.02
"""The probability of each kind of fault per request; about one request in ten gets a fault."""


@pytest.fixture
def faulty_cloud() -> Iterator[LocalCloud]:
    options = CloudOptions(wait_scale=0.05, simulator=("--duration", "2"), with_fault_proxy=True)
    with local_cloud(options) as cloud:
        yield cloud


@pytest.mark.timeout(600)
def test_every_upload_is_charged_once_while_aws_is_faulty(
    faulty_cloud: LocalCloud, record_property: Callable[[str, object], None]
) -> None:
    uploads = Bucket(faulty_cloud, faulty_cloud.outputs["UploadBucketName"])
    numbers = count(447700900000)
    waves = [[f"band/faulty/{wave} {n}.txt" for n in range(UPLOADS_AT_ONCE)] for wave in range(WAVES)]
    assert faulty_cloud.faults

    with event_tap(faulty_cloud) as tap, RemoteSimulator(faulty_cloud.simulator) as vendor:
        inbox = Inbox(tap)
        faulty_cloud.faults.inject(usual_faults(PROBABILITY))
        endings: Counter[str] = Counter()
        for keys in waves:
            for key in keys:
                uploads.drop(key, f"+{next(numbers)}\n+{next(numbers)}\n")
            endings.update(inbox.wait_for(key, seconds=400)[0]["detail-type"] for key in keys)
        charges = len(vendor.charges)
        peak = vendor.peak_submissions
        fired = Counter(
            (fault["service"], fault["action"].split(":")[0]) for fault in faulty_cloud.faults.injected()
        )

    record_property("endings", dict(endings))
    record_property("faults", {" ".join(name): count for name, count in fired.items()})
    assert endings == {"Number Check Completed": WAVES * UPLOADS_AT_ONCE}
    assert charges == WAVES * UPLOADS_AT_ONCE
    assert peak <= SUBMIT_CONCURRENCY
    assert {service for service, _ in fired} >= set(SERVICES) - {"sqs"}
