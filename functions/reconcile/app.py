"""The reconcile function: repairs jobs after crashes.

It runs every few minutes, and whenever an execution fails, times out or is aborted.
"""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop.aws.executions import ExecutionStatus
from numberdrop.steps.reconciliation import Reconciler

logger = Logger()
reconciler = cache(Reconciler.from_env)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int] | str:
    """Handle a scheduled event, or an event "Step Functions Execution Status Change".

    Returns:
        How often each action was taken, or the action that was taken for the one execution.
    """
    if event["detail-type"] == "Step Functions Execution Status Change":
        ended = event["detail"]
        return reconciler().settle(ended["name"], ExecutionStatus(ended["status"]))
    seconds = context.get_remaining_time_in_millis() / 1000
    return dict(reconciler().run(seconds=seconds))
