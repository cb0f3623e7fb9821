"""Looks at a task and tells the state machine what to do next."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop import wiring

logger = Logger()
watch = cache(wiring.watch)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Takes ``{job_id, seen}``, returns a decision."""
    return watch().look(event["job_id"], event["seen"]).as_payload()
