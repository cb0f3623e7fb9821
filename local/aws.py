"""A local AWS: MiniStack on loopback, with TLS, and with IAM enforced as in AWS."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import requests
import trustme

from local.processes import TOOLS, background, environment, free_port

STARTER = Path(__file__).with_name("corrected_ministack.py")
"""Starts MiniStack with corrections."""

REGION = "us-east-1"
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 - MiniStack's well-known root account


@dataclass(frozen=True, slots=True)
class LocalAws:
    """The address of a running local AWS.

    Attributes:
        endpoint: the URL of all its services.
        ca_file: the certificate authority that signed its certificate. It has TLS because the buckets
            refuse plain HTTP, and the local cloud enforces that.
    """

    endpoint: str
    ca_file: Path

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service, with root permissions."""
        return _client(self, service)

    @property
    def shell_settings(self) -> Mapping[str, str]:
        """The environment variables that point the AWS CLI and other programs at it."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            # The AWS CLI prefers the first of these, boto3 knows only the second.
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.ca_file),
        }


@contextmanager
def local_aws(
    folder: Path, *, wait_scale: float, records_calls: bool = False, functions_endpoint: str | None = None
) -> Iterator[LocalAws]:
    """Run MiniStack until the context ends.

    Args:
        folder: where its log, state and certificates go.
        wait_scale: factor for the waits of state machines; 0.1 turns a minute into six seconds.
        records_calls: whether CloudTrail records every call.
        functions_endpoint: the URL that functions use to reach it, if they go through a proxy. Requests
            through a proxy are signed for another host, so signatures and IAM are not enforced then.

    Raises:
        LocalCloudError: MiniStack did not start.
    """
    port = free_port()
    aws = LocalAws(f"https://127.0.0.1:{port}", folder / "ca.pem")
    certificate, key = folder / "server.pem", folder / "server.key"
    _make_certificates(aws.ca_file, certificate, key)
    env = environment(
        {
            **aws.shell_settings,
            "AWS_ENDPOINT_URL": functions_endpoint or aws.endpoint,
            "AUTH": "false" if functions_endpoint else "true",
            "BIND_HOST": "127.0.0.1",
            "CLOUDTRAIL_RECORDING": str(int(records_calls)),
            "CLOUDTRAIL_MAX_EVENTS": "100000",
            "GATEWAY_PORT": str(port),
            # Without these, two services would listen on further ports, on all interfaces.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "MINISTACK_REGION": REGION,
            "MINISTACK_SSL_CERT": str(certificate),
            "MINISTACK_SSL_KEY": str(key),
            "SFN_WAIT_SCALE": str(wait_scale),
            "STATE_DIR": str(folder / "state"),
            "TMPDIR": str(folder),
            "USE_SSL": "1",
        }
    )
    python = str(TOOLS / "cloud" / "bin" / "python")
    with background(
        [python, "-P", str(STARTER)],
        env,
        folder / "ministack.log",
        is_up=lambda: _is_healthy(aws),
    ):
        yield aws


@cache
def _client(aws: LocalAws, service: str) -> Any:
    session: Any = boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
    return session.client(service, endpoint_url=aws.endpoint, verify=str(aws.ca_file))


def _make_certificates(ca_file: Path, certificate: Path, key: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(ca_file))
    issued.private_key_pem.write_to_path(str(key))
    for number, part in enumerate(issued.cert_chain_pems):
        part.write_to_path(str(certificate), append=number > 0)


def _is_healthy(aws: LocalAws) -> bool:
    """Return whether it answers with the certificate that was made for it."""
    with requests.Session() as session:
        session.trust_env = False  # ignores proxies and certificates from the environment
        try:
            health = session.get(f"{aws.endpoint}/_ministack/health", verify=str(aws.ca_file), timeout=5)
        except requests.RequestException:
            return False
        return health.ok
