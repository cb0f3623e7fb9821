"""Faults of AWS: a proxy between the functions and the local AWS that injects them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from local.processes import TOOLS, background, environment, listens

SERVICES = ("dynamodb", "s3", "stepfunctions", "events", "sqs", "secretsmanager")

THROTTLING = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "s3": "SlowDown",
    "stepfunctions": "ThrottlingException",
    "events": "ThrottlingException",
    "sqs": "RequestThrottled",
    "secretsmanager": "ThrottlingException",
}
"""The error code with which each service throttles."""


@dataclass(frozen=True, slots=True)
class FaultProxy:
    """A running proxy. Without rules it forwards every request unchanged."""

    url: str

    def inject(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace the rules, which are in microburst's format."""
        requests.post(f"{self.url}/_microburst/rules", json=rules, timeout=10).raise_for_status()

    def injected(self) -> list[Mapping[str, Any]]:
        """Return the faults that were injected so far."""
        answer = requests.get(f"{self.url}/_microburst/fired", params={"limit": 100_000}, timeout=10)
        answer.raise_for_status()
        injected: list[Mapping[str, Any]] = answer.json()
        return injected


def usual_faults(probability: float) -> list[dict[str, Any]]:
    """Return rules for every kind of fault on every service, each with a probability per request.

    The first request to each service is throttled in any case: a run may send few requests to a service.
    """
    throttling = {service: {"error": {"code": THROTTLING[service]}} for service in SERVICES}
    first = [{"service": service, "times": 1, **throttling[service]} for service in SERVICES]
    any_time = [
        {"service": service, "probability": probability, **fault}
        for service in SERVICES
        for fault in (
            throttling[service],
            {"error": {"code": "InternalError", "status": 500}},
            {"reset": True},
            # AWS carries the request out, but the answer is lost.
            {"response": {"abort_bytes": 0}},
            {"latency": {"min": 500, "max": 2000}},
        )
    ]
    return first + any_time


@contextmanager
def fault_proxy(folder: Path, *, port: int, upstream: str, ca_file: Path) -> Iterator[FaultProxy]:
    """Run the proxy on a port of loopback until the context ends.

    Raises:
        LocalCloudError: the proxy did not start.
    """
    command = [str(TOOLS / "cloud" / "bin" / "microburst"), "--no-resign"]
    command += ["--upstream", upstream, "--port", str(port)]
    env = environment({"SSL_CERT_FILE": str(ca_file)})
    with background(command, env, folder / "faults.log", is_up=lambda: listens(port)):
        yield FaultProxy(f"http://127.0.0.1:{port}")
