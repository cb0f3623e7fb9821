"""Looks at a task and tells the state machine what to do next."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop.wiring.check_status import make_status_check

logger = Logger()
status_check = cache(make_status_check)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Takes ``{job_id, seen}``, returns a decision."""
    seconds = context.get_remaining_time_in_millis() / 1000
    return status_check().look(event["job_id"], event["seen"], seconds=seconds).as_payload()
