"""The time and memory of each function can be measured on the local cloud."""

from local.cloud import LocalCloud
from local.observation import MIB, Memory, durations, functions, wait_for_executions
from tests.support.cloud import Bucket, Inbox


def test_time_and_memory_of_each_function_are_measured(
    cloud: LocalCloud, uploads: Bucket, inbox: Inbox
) -> None:
    key = "band/observed.txt"
    uploads.drop(key, "+447700900000\n")
    inbox.wait_for(key)
    wait_for_executions(cloud)
    memory = Memory()
    memory.sample(cloud)
    ran = [
        function for function in functions(cloud) if function.label in {"Submit", "CheckStatus", "Collect"}
    ]
    assert len(ran) == 3
    for function in ran:
        assert 0 < min(durations(cloud, function)) < 60
        assert 10 * MIB < memory.peaks[function.name] < function.memory
