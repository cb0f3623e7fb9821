"""Watching the balance of the vendor's account, so that people can top it up before uploads have to wait."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from aws_lambda_powertools import Logger

from numberdrop.clock import Clock, utc_now
from numberdrop.metrics import record_balance
from numberdrop.vendor.client import VendorClient

LOOK_SECONDS = 5
"""Deadline of the call. Another upload waits for this worker."""

TIME_NEEDED = timedelta(seconds=30)
"""With less of the function's time left, the vendor is not asked."""

PAUSE_AFTER_FAILURE = timedelta(minutes=5)
"""How long a worker waits after a failed call. A broken call must not delay every upload."""

logger = Logger()


@dataclass
class BalanceWatch:
    """Publishes the balance after a file was accepted.

    The ledger has the task and the execution runs by then, so nothing depends on this. No failure is raised.

    Attributes:
        vendor: the vendor's client.
        now: the clock.
    """

    vendor: VendorClient
    now: Clock = utc_now
    _pause_until: datetime | None = None

    def publish(self, end: datetime) -> None:
        """Ask the vendor for the balance, which is free, and publish it.

        Args:
            end: when the function's time ends.
        """
        now = self.now()
        if end - now < TIME_NEEDED or (self._pause_until and now < self._pause_until):
            return
        try:
            balance = self.vendor.balance(seconds=LOOK_SECONDS)
        except Exception as error:  # noqa: BLE001 - the file is accepted already
            self._pause(now, type(error).__name__)
            return
        if isinstance(balance, Decimal):
            record_balance(balance)
        else:
            self._pause(now, balance.cause)

    def _pause(self, now: datetime, cause: str) -> None:
        self._pause_until = now + PAUSE_AFTER_FAILURE
        logger.info("the balance is unknown", cause=cause)
