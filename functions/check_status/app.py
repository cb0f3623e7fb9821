"""The check_status function: checks a task and decides what the state machine does next."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop.steps.status_check import StatusChecker

logger = Logger()
status_checker = cache(StatusChecker.from_env)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Check the task of ``{job_id, seen, retries}``; return a decision. ``retries`` may be missing."""
    seconds = context.get_remaining_time_in_millis() / 1000
    retries = event.get("retries", 0)
    return (
        status_checker().check(event["job_id"], event["seen"], seconds=seconds, retries=retries).as_payload()
    )
