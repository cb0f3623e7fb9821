"""Clients of AWS, as botocore makes them.

boto3's are the same, but it imports its resources and transfers first, which nothing here uses.
"""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session


def make_client(service: str, config: Config | None = None) -> Any:
    """The client of a service, in the function's region and with its rights."""
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    """One for all clients: it reads the lists of regions and endpoints once."""
    return get_session()
