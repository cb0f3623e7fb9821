"""The submit function: submits uploads to the vendor. The upload queue invokes it with one message."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop.steps.queue_handler import Message, QueueHandler

logger = Logger()
queue_handler = cache(QueueHandler.from_env)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Handle each message; return the ids of those that failed, which stay in the queue."""
    failed = [
        record["messageId"]
        for record in event["Records"]
        if not queue_handler().handle(
            Message.from_record(record), seconds=context.get_remaining_time_in_millis() / 1000
        )
    ]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
