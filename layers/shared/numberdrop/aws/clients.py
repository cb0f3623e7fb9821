"""AWS clients made by botocore.

boto3 returns the same clients, but importing it also loads resources and transfers, which nothing here uses.
"""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

PROMPT = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 4},
)
"""For the ledger, the API key and the queue: a call fails within the time to record a charge.

botocore's defaults wait 60 seconds for each answer. Here, four attempts take at most 4 x (1 + 2) seconds, and
the pauses between them at most 1, 2 and 4 (AWS SDKs and Tools reference guide, "Retry behavior", standard
mode): 19 seconds. Repeating a write is safe, because the ledger recognises its own writes."""


def make_client(service: str, config: Config | None = None) -> Any:
    """Return a new client of a service, with the region and credentials of the environment.

    >>> make_client("sqs").meta.service_model.service_name
    'sqs'
    """
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    """Return one session for all clients, so that regions and endpoints are loaded only once."""
    return get_session()
