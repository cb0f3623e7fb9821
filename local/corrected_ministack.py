"""Start MiniStack with corrections: where it differs from AWS under load, and where it is slow.

Runs in the environment of the local cloud. It corrects MiniStack 1.5.33 as follows:

- All processes of a function share one unpacked copy of its code and layer. The layer has some 2,700 files;
  to unpack them for every process takes most of a second, during which MiniStack answers nobody.
- Only as many processes start at once as there are processors.
- A throttled Lambda task fails with the error that AWS names, and a retrier's ``MaxDelaySeconds`` and
  ``JitterStrategy`` count. Otherwise all throttled executions would try again at the same moments.
- An expression of DynamoDB is split into tokens once, not at every request.
"""

import hashlib
import os
import random
import threading
import zipfile
from collections.abc import Mapping
from functools import cache, wraps
from pathlib import Path
from tempfile import gettempdir
from types import ModuleType
from typing import Any, Self

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import dynamodb, lambda_svc, stepfunctions

THROTTLED = "Lambda.TooManyRequestsException"
"""The error of a throttled Lambda task (Step Functions developer guide, "Handling errors")."""

_unpacking = threading.Lock()


class SharedArchive:
    """An archive that is unpacked once; further folders become links to the first."""

    def __init__(self, file: str) -> None:
        self._file = Path(file)
        self._copy = Path(gettempdir(), f"unpacked-{hashlib.sha256(self._file.read_bytes()).hexdigest()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def namelist(self) -> list[str]:
        """Return the names that MiniStack has to check: none if it did so before it unpacked the copy."""
        if self._copy.exists():
            return []
        with zipfile.ZipFile(self._file) as archive:
            return archive.namelist()

    def extractall(self, path: str) -> None:
        """Replace the empty folder ``path`` by a link to the unpacked copy."""
        with _unpacking:
            if not self._copy.exists():
                unfinished = self._copy.with_suffix(".unfinished")
                with zipfile.ZipFile(self._file) as archive:
                    archive.extractall(unfinished)
                unfinished.rename(self._copy)
        Path(path).rmdir()
        Path(path).symlink_to(self._copy)


def share_archives() -> None:
    """Let MiniStack's starter of processes use ``SharedArchive``."""
    shared = ModuleType("zipfile")
    vars(shared).update(vars(zipfile), ZipFile=SharedArchive)
    lambda_runtime.zipfile = shared


def start_few_processes_at_once() -> None:
    """Let as many processes start at once as there are processors.

    A start takes most of a second of a processor. If 60 start at once, MiniStack itself gets so little time
    that their first calls to it time out; the processes fail, and are started again.
    """
    starts = threading.BoundedSemaphore(os.cpu_count() or 1)
    spawn = lambda_runtime.Worker._spawn

    @wraps(spawn)
    def spawn_in_turn(worker: Any) -> None:
        with starts:
            spawn(worker)

    lambda_runtime.Worker._spawn = spawn_in_turn


def retry_as_aws_does() -> None:
    """Give throttled tasks their error, and let all fields of a retrier count."""
    throttle, find = lambda_svc._throttle_response, stepfunctions._find_matching_retrier

    @wraps(throttle)
    def named(*args: Any, **kwargs: Any) -> dict[str, Any]:
        response: dict[str, Any] = throttle(*args, **kwargs)
        response["body"]["errorType"] = THROTTLED
        return response

    @wraps(find)
    def with_delay(
        retriers: list[Mapping[str, Any]], error: str, counts: Mapping[int, int]
    ) -> tuple[Mapping[str, Any] | None, int]:
        retrier, index = find(retriers, error, counts)
        if retrier is None:
            return None, index
        return {**retrier, "IntervalSeconds": delay(retrier, counts.get(index, 0)), "BackoffRate": 1}, index

    lambda_svc._throttle_response = named
    stepfunctions._find_matching_retrier = with_delay


def delay(retrier: Mapping[str, Any], retries: int) -> float:
    """Return the seconds until the next retry, after ``retries`` retries.

    Source: Amazon States Language, "Errors", with its defaults.
    """
    longest = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2) ** retries
    longest = min(longest, retrier.get("MaxDelaySeconds", longest))
    return random.uniform(0, longest) if retrier.get("JitterStrategy") == "FULL" else longest  # noqa: S311


def remember_tokens() -> None:
    """Let DynamoDB remember the tokens of each expression."""
    tokens = cache(dynamodb._tokenize)
    dynamodb._tokenize = lambda expression: list(tokens(expression))


if __name__ == "__main__":
    share_archives()
    start_few_processes_at_once()
    retry_as_aws_does()
    remember_tokens()
    app.main()
