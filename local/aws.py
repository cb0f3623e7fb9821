"""A local AWS: MiniStack on loopback, with IAM enforced and TLS, as in AWS."""

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

REGION = "us-east-1"
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 - MiniStack's well-known root account


@dataclass(frozen=True, slots=True)
class LocalAws:
    """Where the local AWS answers, and how to trust it.

    Attributes:
        endpoint: the URL of all its services.
        ca_file: the certificate authority made for it. TLS is not for secrecy here: the buckets refuse
            plain http, and the local cloud enforces that too.
    """

    endpoint: str
    ca_file: Path

    def client(self, service: str) -> Any:
        """The boto3 client of a service, with the rights of the root account."""
        return _client(self, service)

    @property
    def shell_settings(self) -> Mapping[str, str]:
        """What to set in a shell, for the AWS CLI and other programs to use it."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.ca_file),
        }


@contextmanager
def local_aws(
    folder: Path, *, wait_scale: float, functions_endpoint: str | None = None
) -> Iterator[LocalAws]:
    """Runs MiniStack until the context ends.

    Args:
        folder: for its log, state and certificates.
        wait_scale: factor for the waits of state machines; 0.1 makes a minute six seconds.
        functions_endpoint: where the functions find it, if that is a proxy. Requests through it bear the
            signature of another host, so signatures, and with them IAM, are not enforced then.

    Raises:
        LocalCloudError: it did not start.
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
            # Every call is on record, so that what a job costs can be counted.
            "CLOUDTRAIL_RECORDING": "1",
            "CLOUDTRAIL_MAX_EVENTS": "100000",
            "GATEWAY_PORT": str(port),
            # Two services that would listen on ports of their own, on all interfaces.
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
        [python, "-m", "ministack"], env, folder / "ministack.log", is_up=lambda: _is_healthy(aws)
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
    """Whether it answers, with the certificate that was made for it."""
    with requests.Session() as session:
        session.trust_env = False  # neither a proxy nor other certificates from the environment
        try:
            health = session.get(f"{aws.endpoint}/_ministack/health", verify=str(aws.ca_file), timeout=5)
        except requests.RequestException:
            return False
        return health.ok
