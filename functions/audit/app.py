"""The audit function: compares the upload bucket with the ledger every day."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop.steps.audit import Auditor

logger = Logger()
metrics = Metrics()
auditor = cache(Auditor.from_env)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Publish the number of uploads for which no event arrived, as the metric ``UnannouncedUploads``.

    Args:
        event: a scheduled event, which begins an audit if none began within the last day; any other begins
            one at once. Either continues an audit that is not complete.
        context: the context that Lambda passes to the function.
    """
    seconds = context.get_remaining_time_in_millis() / 1000
    report = auditor().run(seconds=seconds, if_due=event.get("source") == "aws.events")
    if report:
        metrics.add_metric(name="UnannouncedUploads", unit=MetricUnit.Count, value=report.unannounced)
        metrics.flush_metrics()
