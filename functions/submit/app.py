"""The submit function: submits uploads to the vendor. The upload queue invokes it with one message.

If the function fails, Lambda hides the message until the queue's visibility time-out ends, which is 90
minutes (AWS Lambda developer guide, "Handling errors for an SQS event source in Lambda"). So this module
hands the message back whatever fails, even the import of the shared package: while they are updated, the
layer and this code may be of two versions. Handing back needs only botocore, which is part of the runtime.
"""

import os
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from botocore.session import get_session

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from numberdrop.steps.queue_handler import QueueHandler

FIRST_PAUSE = 60
"""Seconds until a message that was handed back is received again. Each further receive doubles them, so it
reaches the dead-letter queue after half an hour."""


@cache
def queue_handler() -> "QueueHandler":
    """Return the queue handler for the environment of this function."""
    from numberdrop.steps.queue_handler import QueueHandler  # noqa: PLC0415 - it may fail, see above

    return QueueHandler.from_env()


# Import while Lambda starts the function; a failure is handled once there is a message.
with suppress(Exception):
    import_module("numberdrop.steps.queue_handler")


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, str]]]:
    """Handle each message; return the ids of those that failed, which stay in the queue."""
    try:
        failed = queue_handler().handle_all(event, context)
    except Exception:
        for record in event["Records"]:
            _hand_back(record)
        raise
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _hand_back(record: dict[str, Any]) -> None:
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    sqs: Any = get_session().create_client("sqs")
    sqs.change_message_visibility(
        QueueUrl=os.environ["UPLOAD_QUEUE_URL"],
        ReceiptHandle=record["receiptHandle"],
        VisibilityTimeout=FIRST_PAUSE * 2 ** min(receives - 1, 4),
    )
