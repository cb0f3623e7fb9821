"""A new version is deployed while a job is in progress."""

import shutil
import time
from hashlib import sha256
from pathlib import Path

from local.cloud import STACK, LocalCloud, vendor_parameters
from local.processes import PROJECT
from local.sam import deploy
from local.simulator import RemoteSimulator
from tests.support.cloud import TIMEOUT_SECONDS, Bucket, Inbox

NUMBERS = "".join(f"+447700900{n}\n" for n in range(900, 920))


def newer_version(folder: Path) -> Path:
    """Copy the project with a changed layer, state machine and setting; return the template's path."""
    for part in ("events", "functions", "layers", "statemachine"):
        shutil.copytree(PROJECT / part, folder / part)
    for page in ("LICENSE", "README.md"):  # the template names them for its publication
        shutil.copy(PROJECT / page, folder)
    package = folder / "layers" / "shared" / "numberdrop" / "__init__.py"
    package.write_text(f"{package.read_text('utf-8')}\nNEWER = True\n", "utf-8")
    machine = folder / "statemachine" / "follow_task.asl.json"
    machine.write_text(machine.read_text("utf-8").replace('"Comment": "', '"Comment": "Newer: ', 1), "utf-8")
    template = folder / "template.yaml"
    text = (PROJECT / "template.yaml").read_text("utf-8")
    template.write_text(text.replace("MemorySize: 512", "MemorySize: 640"), "utf-8")
    return template


def wait_for_status_check(cloud: LocalCloud, vendor: RemoteSimulator) -> None:
    """Wait until the task is checked once."""
    before, end = vendor.calls["status"], time.monotonic() + TIMEOUT_SECONDS
    while vendor.calls["status"] == before:
        assert time.monotonic() < end, "the task is not checked"
        time.sleep(0.2)


def test_a_job_completes_with_one_charge_during_an_upgrade(
    cloud: LocalCloud, inbox: Inbox, vendor: RemoteSimulator, uploads: Bucket, tmp_path: Path
) -> None:
    key = "band/upgrade/in progress.txt"
    vendor.inject_fault("status", "completed_without_file", None)
    uploads.drop(key, NUMBERS)
    wait_for_status_check(cloud, vendor)

    deploy(
        cloud.aws,
        newer_version(tmp_path),
        stack=STACK,
        parameters=vendor_parameters(cloud.simulator),
        folder=cloud.folder,
    )
    vendor.clear_faults()
    (event,) = inbox.wait_for(key)

    assert event["detail-type"] == "Number Check Completed"
    assert [charge.sha256 for charge in vendor.charges].count(sha256(NUMBERS.encode()).hexdigest()) == 1
