"""The balance of the account at the vendor, for those who may read its key."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.aws.api_key import ApiKey, ApiKeyInvalidError
from numberdrop.clock import Clock, utc_now
from numberdrop.jobs.metric_names import BALANCE, NAMESPACE
from numberdrop.vendor.client import VendorClient
from numberdrop_cli.aws_errors import DENIED, error_code

if TYPE_CHECKING:
    from numberdrop_cli.connection import Connection

SEARCHED = timedelta(days=14)
"""How far back the stack's metrics are searched."""

PERIOD = 900
"""Seconds. At most 1,440 data points are returned (CloudWatch API reference, "GetMetricStatistics")."""

SECONDS = 10
"""How long to wait for the vendor, because a person waits for the answer."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What is known of the balance.

    Attributes:
        usd: the balance in USD, or None.
        problem: why it is unknown, a sentence; or None.
    """

    usd: Decimal | None = None
    problem: str | None = None

    @property
    def text(self) -> str:
        """The balance in words."""
        return f"balance {self.usd:,.2f} USD" if self.usd is not None else f"balance unknown: {self.problem}"


@dataclass(frozen=True, slots=True)
class SeenBalance:
    """A balance that the stack saw after it sent a file.

    Attributes:
        usd: the balance in USD.
        at: when it was seen, to within minutes.
    """

    usd: Decimal
    at: datetime


def latest_seen(connection: "Connection", now: Clock = utc_now) -> SeenBalance | None:
    """Return the latest balance among the stack's metrics, or None. No failure is raised."""
    try:
        statistics = connection.client("cloudwatch").get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=BALANCE,
            Dimensions=[{"Name": "service", "Value": connection.stack.name}],
            StartTime=now() - SEARCHED,
            EndTime=now(),
            Period=PERIOD,
            Statistics=["Minimum"],
        )
    except (ClientError, BotoCoreError, Boto3Error):
        return None
    latest = max(statistics["Datapoints"], key=lambda point: point["Timestamp"], default=None)
    return SeenBalance(Decimal(str(latest["Minimum"])), latest["Timestamp"]) if latest else None


def read_balance(connection: "Connection") -> Balance:
    """Ask the vendor for the balance, which is free. No failure is raised."""
    stack = connection.stack
    if not stack.api_key_secret or not stack.vendor_base_url:
        return Balance(problem="The stack is of an older version and does not name the secret with the key.")
    key = ApiKey(connection.client("secretsmanager"), stack.api_key_secret)
    try:
        key.get()
    except ApiKeyInvalidError:
        return Balance(problem="The secret holds no key.")
    except (ClientError, BotoCoreError, Boto3Error) as error:
        why = "you may not read it" if error_code(error) in DENIED else type(error).__name__
        return Balance(problem=f"The secret with the vendor's key was not read ({why}).")
    answer = VendorClient(stack.vendor_base_url, key, user_id="").balance(seconds=SECONDS)
    return Balance(usd=answer) if isinstance(answer, Decimal) else Balance(problem=answer.cause)
