"""Links to exports, in the form of presigned links to object storage."""

import secrets
import threading
from dataclasses import dataclass
from urllib.parse import urlencode

from local.simulator.clock import Clock


@dataclass(frozen=True, slots=True)
class Grant:
    """The task whose export a signature opens, until ``expires`` (seconds of the clock)."""

    task_id: str
    expires: float


class Links:
    """Issues links and checks the signatures of requests."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._grants: dict[str, Grant] = {}
        self._lock = threading.Lock()

    def issue(self, *, base_url: str, task_id: str, suffix: str, life_seconds: float) -> str:
        """Return a new link to a task's export; older links stay valid."""
        signature = secrets.token_hex(32)
        with self._lock:
            self._grants[signature] = Grant(task_id, self._clock.now() + life_seconds)
        query = urlencode(
            {
                "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
                "X-Amz-Expires": int(life_seconds),
                "X-Amz-Signature": signature,
            }
        )
        return f"{base_url}/externalcheck/{task_id}/{task_id}{suffix}?{query}"

    def error_code(self, task_id: str, signature: str) -> str | None:
        """Return the storage error code for a signature, or None if it is valid for the task."""
        grant = self._grants.get(signature)
        if grant is None or grant.task_id != task_id:
            return "SignatureDoesNotMatch"
        if self._clock.now() >= grant.expires:
            return "AccessDenied"
        return None

    def revoke_all(self) -> None:
        """Invalidate every link issued so far."""
        with self._lock:
            self._grants.clear()
