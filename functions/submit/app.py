"""The submit function: submits uploads to the vendor. The upload queue invokes it with one message."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop.steps.queue_handler import Message, QueueHandler

logger = Logger()
queue_handler = cache(QueueHandler.from_env)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Handle each message. A message whose handling raises stays in the queue."""
    for record in event["Records"]:
        message = Message.from_record(record)
        queue_handler().handle(message, seconds=context.get_remaining_time_in_millis() / 1000)
