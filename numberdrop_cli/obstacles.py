"""Find out why an uploaded file has not been picked up."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from numberdrop.jobs.breaker import Cause
from numberdrop_cli.printing import short_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from numberdrop_cli.connection import Connection

NOTHING_FOUND = (
    "The file has not been picked up yet, and none of the usual causes was found. Other uploads may be ahead "
    "of it, or the submit function fails: check its log (docs/runbook.md)."
)


YOUNG_STACK = (
    "The stack is new, and S3 takes around five minutes before it sends the events of a new bucket. So the "
    "file may go unnoticed. {then} numberdrop announce KEY"
)


def find_obstacle(connection: "Connection") -> str:
    """Return the first obstacle that is found. Skip checks that the caller has no permission for."""
    for check in (_open_breaker, _bucket_without_events, _young_stack, _dead_letters):
        obstacle = _unless_denied(check, connection)
        if obstacle:
            return obstacle
    return NOTHING_FOUND


def _open_breaker(connection: "Connection") -> str | None:
    breaker = connection.breaker.state()
    if not breaker:
        return None
    job = short_id(breaker.holder)
    if breaker.cause is Cause.OUTAGE:
        return (
            f"The circuit breaker is open: the vendor did not answer for job {job}, and the file waits until "
            f"it does, which is tested every few minutes. Look at it: numberdrop show {job}"
        )
    return (
        f"The circuit breaker is open: the file waits behind job {job}, which needs a person. "
        f"Look at it: numberdrop show {job}"
    )


def _bucket_without_events(connection: "Connection") -> str | None:
    bucket = connection.stack.upload_bucket
    configuration = connection.s3.get_bucket_notification_configuration(Bucket=bucket)
    if "EventBridgeConfiguration" in configuration:
        return None
    return (
        f"The bucket {bucket} does not send its events to EventBridge, so the file went unnoticed. "
        "Enable them, then announce the file: numberdrop announce KEY"
    )


def _young_stack(connection: "Connection") -> str | None:
    if not connection.may_lose_events():
        return None
    return YOUNG_STACK.format(
        then="If no event comes, 'send --watch' announces it after five minutes. To do that earlier:"
    )


def _dead_letters(connection: "Connection") -> str | None:
    count = connection.dead_letters.count()
    if not count:
        return None
    return (
        f"About {count} message(s) failed and are in the dead-letter queue. The one about this file may be "
        "among them. docs/runbook.md says what to do."
    )


def _unless_denied(check: "Callable[[Connection], str | None]", connection: "Connection") -> str | None:
    try:
        return check(connection)
    except (ClientError, BotoCoreError):
        return None
