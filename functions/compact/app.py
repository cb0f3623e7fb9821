"""The compact function: merges what the verdict memory holds, every hour."""

from dataclasses import asdict
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from numberdrop.steps.compaction import Compactor

logger = Logger()
compactor = cache(Compactor.from_env)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:  # noqa: ARG001 - Lambda passes both
    """Merge as much as is due; return what was done.

    Args:
        event: a scheduled event, which is not read.
        context: the context that Lambda passes to the function.

    Raises:
        CompactionFailedError: the memory of a checker could not be merged; an alarm reports it.
    """
    return asdict(compactor().run(seconds=context.get_remaining_time_in_millis() / 1000))
