"""The audit function: compares the upload bucket with the ledger once a day."""

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
def handler(_event: dict[str, Any], _context: LambdaContext) -> None:
    """Publish the number of uploads for which no event arrived, as the metric ``UnannouncedUploads``."""
    report = auditor().run()
    if report:
        metrics.add_metric(name="UnannouncedUploads", unit=MetricUnit.Count, value=report.unannounced)
        metrics.flush_metrics()
