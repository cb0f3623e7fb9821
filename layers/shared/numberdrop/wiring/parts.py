"""Parts that several functions have."""

from botocore.config import Config

from numberdrop.aws.bus import Announcer
from numberdrop.aws.circuit_breaker import CircuitBreaker
from numberdrop.aws.clients import make_client
from numberdrop.aws.durations import Durations
from numberdrop.aws.ledger import Ledger
from numberdrop.settings import LedgerSettings


def make_ledger(table: str) -> Ledger:
    """The ledger in a table."""
    return Ledger(make_client("dynamodb"), table)


def make_breaker(ledger: Ledger) -> CircuitBreaker:
    """The line, which is kept beside the jobs."""
    return CircuitBreaker(ledger.client, ledger.table)


def make_durations(table: str) -> Durations:
    """With a client that gives up at once: no job waits for a guess."""
    hurried = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
    return Durations(make_client("dynamodb", hurried), table)


def make_announcer(settings: LedgerSettings, ledger: Ledger) -> Announcer:
    """Announces on the bus of the settings."""
    return Announcer(make_client("events"), settings.event_bus_name, ledger)
