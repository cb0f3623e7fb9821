"""What a test can read from a simulator and change in it, in the same process or in another one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from local.simulator.clock import Clock
from local.simulator.faults import FaultQueue, Operation, make_fault
from local.simulator.links import Links
from local.simulator.model import Charge, Download, Settings, Submission, Vendor
from local.simulator.traffic import Traffic


class Controls:
    """The readings (properties) and actions (methods) of a simulator.

    ``Simulator`` inherits them as they are. ``RemoteSimulator`` inherits their signatures and sends
    each of them over HTTP.
    """

    def __init__(
        self, *, vendor: Vendor, faults: FaultQueue, links: Links, traffic: Traffic, clock: Clock
    ) -> None:
        self.vendor = vendor
        self.faults = faults
        self.links = links
        self.traffic = traffic
        self.clock = clock

    @property
    def charges(self) -> list[Charge]:
        """The charges so far, oldest first."""
        return list(self.vendor.charges)

    @property
    def submissions(self) -> list[Submission]:
        """The accepted submissions, oldest first."""
        return list(self.vendor.submissions)

    @property
    def downloads(self) -> list[Download]:
        """The requests for exports, including refused ones, oldest first."""
        return list(self.vendor.downloads)

    @property
    def calls(self) -> Counter[str]:
        """The number of requests that arrived, by operation."""
        return self.traffic.totals

    @property
    def calls_by_second(self) -> Mapping[str, Sequence[int]]:
        """The number of requests in each second from the first to the last, by operation."""
        return self.traffic.by_second

    @property
    def balance(self) -> float:
        """The account's balance in USD."""
        return self.vendor.balance

    @property
    def peak_submissions(self) -> int:
        """The largest number of submissions that were ever in progress at once."""
        return self.vendor.peak_submissions

    @property
    def settings(self) -> Settings:
        """The current settings."""
        return self.vendor.settings

    def change_settings(self, **changes: Any) -> None:
        """Change settings from now on; existing tasks and links keep their times.

        Raises:
            TypeError: there is no such setting. A remote simulator raises ``ValueError``.
        """
        self.vendor.settings = replace(self.vendor.settings, **changes)

    def inject_fault(self, operation: str, fault: str, times: int | None = 1, **parameters: object) -> None:
        """Inject a fault into the next ``times`` requests of an operation, or into all when None.

        Faults are queued: the one that was requested first is injected first.

        Args:
            operation: an ``Operation``, such as ``submit``.
            fault: a name in ``FAULTS``, such as ``http_error``.
            times: the number of requests.
            parameters: the fault's own parameters, such as ``status=500``.

        Raises:
            ValueError: there is no such operation, fault or parameter.
        """
        target = Operation(operation)
        self.faults.add(target, make_fault(target, fault, parameters), times)

    def clear_faults(self) -> None:
        """Remove every fault that is still queued."""
        self.faults.clear()

    def finish_all(self) -> None:
        """Export every existing task now."""
        self.vendor.finish_all()

    def advance(self, seconds: float) -> None:
        """Move the simulator's clock forward."""
        self.clock.advance(seconds)

    def top_up(self, usd: float) -> None:
        """Add money to the account, or take it out when negative."""
        self.vendor.top_up(usd)

    def revoke_links(self) -> None:
        """Invalidate every link issued so far."""
        self.links.revoke_all()
