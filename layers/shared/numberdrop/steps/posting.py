"""The paid call, within the time that the function has left."""

from dataclasses import dataclass
from datetime import datetime

from numberdrop.clock import Clock
from numberdrop.steps.upload_rules import PreparedUpload
from numberdrop.vendor.client import VendorClient
from numberdrop.vendor.outcomes import Blocked, Retryable, SubmitOutcome

TIME_TO_RECORD = 20
"""Seconds of the function's time that are reserved for recording the outcome of the POST. A slow call to the
ledger takes less, see ``clients.PROMPT``."""

SHORTEST_POST = 30
"""Seconds. With less time, a POST could easily time out and end in doubt, so it is not started."""

TOO_LATE = Retryable(1, "Too little time was left to send the file.")
"""The outcome of a POST that was not begun."""


@dataclass(frozen=True)
class Poster:
    """Sends a file once, or once more after its key was refused free of charge.

    Attributes:
        vendor: the vendor's client.
        now: the clock.
    """

    vendor: VendorClient
    now: Clock

    def check_key(self) -> None:
        """Check, while failing is still free, that there is a key.

        Once the ledger says ``submitting``, a secret that cannot be read would leave the job in doubt.

        Raises:
            ApiKeyInvalidError: the secret does not hold a key.
            BotoCoreError, ClientError: the secret cannot be read.
        """
        self.vendor.api_key.get()

    def has_time(self, end: datetime) -> bool:
        """Return whether enough time is left for a POST, if the function ends at ``end``."""
        return self._seconds(end) >= SHORTEST_POST

    def post(self, prepared: PreparedUpload, end: datetime) -> SubmitOutcome:
        """Send the file. If the key is refused and the secret has a new one by now, send it once more."""
        outcome = self._post(prepared, end)
        key_refused = isinstance(outcome, Blocked) and outcome.concerns_key
        if key_refused and self.vendor.api_key.refresh():
            outcome = self._post(prepared, end)
        return outcome

    def _post(self, prepared: PreparedUpload, end: datetime) -> SubmitOutcome:
        """Send the file, unless a slow ledger, secret or vendor left too little time."""
        if not self.has_time(end):
            return TOO_LATE
        prepared.file.seek(0)
        return self.vendor.submit(prepared.checker, prepared.file, seconds=self._seconds(end))

    def _seconds(self, end: datetime) -> float:
        return (end - self.now()).total_seconds() - TIME_TO_RECORD
