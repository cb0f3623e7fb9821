"""The record_failure function: records that a task ended without results, and announces the failure."""

from dataclasses import asdict
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.steps.failure import FailureRecorder

logger = Logger()
failure_recorder = cache(FailureRecorder.from_env)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Record the failure in ``{job_id, execution, reason{code, message}}``; return the ledger's reason."""
    reason = Reason(ReasonCode(event["reason"]["code"]), event["reason"]["message"])
    recorded = failure_recorder().record(event["job_id"], reason, execution=event.get("execution"))
    return asdict(recorded)
