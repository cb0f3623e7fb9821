"""Repairs what a crash left behind. Invoked every few minutes, and when an execution ends unwell."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop.aws.executions import ExecutionStatus
from numberdrop.steps.reconciliation import Reconciler

logger = Logger()
reconciler = cache(Reconciler.from_env)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, int] | str:
    """Takes a scheduled event, or Step Functions' own "Step Functions Execution Status Change"."""
    if event["detail-type"] == "Step Functions Execution Status Change":
        ended = event["detail"]
        return reconciler().settle(ended["name"], ExecutionStatus(ended["status"]))
    return dict(reconciler().run())
