"""AWS clients made by botocore.

boto3 returns the same clients, but importing it also loads resources and transfers, which nothing here uses.
"""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session


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
