"""The collect function: collects the results of a task that the vendor has exported."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop.steps.collection import Collector

logger = Logger()
collector = cache(Collector.from_env)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Collect the results of ``{job_id, seen}``; return a decision. Older executions pass no ``seen``."""
    seconds = context.get_remaining_time_in_millis() / 1000
    return collector().collect(event["job_id"], event.get("seen"), seconds=seconds).as_payload()
