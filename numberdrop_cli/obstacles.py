"""What may keep an uploaded file from being picked up."""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from numberdrop_cli.connection import Connection
from numberdrop_cli.printing import short_id

NOTHING_FOUND = (
    "It is not picked up yet, and none of the usual causes was found. Other uploads may be before it, or the "
    "submit function fails: its log tells (docs/runbook.md)."
)


def find_obstacle(connection: Connection) -> str:
    """The first obstacle that is found; what may not be looked at is passed over."""
    for look in (_open_breaker, _bucket_without_events, _dead_letters):
        found = _unless_denied(look, connection)
        if found:
            return found
    return NOTHING_FOUND


def _open_breaker(connection: Connection) -> str | None:
    holder = connection.breaker.holder()
    if not holder:
        return None
    short = short_id(holder)
    return f"It waits behind the job {short}, which needs a person: numberdrop show {short}"


def _bucket_without_events(connection: Connection) -> str | None:
    bucket = connection.stack.upload_bucket
    configuration = connection.s3.get_bucket_notification_configuration(Bucket=bucket)
    if "EventBridgeConfiguration" in configuration:
        return None
    return (
        f"The bucket {bucket} does not send its events to EventBridge, so nobody hears of the file. "
        "Once it does, announce the file: numberdrop announce KEY"
    )


def _dead_letters(connection: Connection) -> str | None:
    count = connection.dead_letters.count()
    if not count:
        return None
    return (
        f"About {count} message(s) could not be taken in and lie in the dead-letter queue; the file's may be "
        "among them. docs/runbook.md tells what to do."
    )


def _unless_denied(look: Callable[[Connection], str | None], connection: Connection) -> str | None:
    try:
        return look(connection)
    except (ClientError, BotoCoreError):
        return None
