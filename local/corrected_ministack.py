"""Start MiniStack with corrections: where it differs from AWS under load, and where it is slow.

Runs in the environment of the local cloud. It corrects MiniStack 1.5.33 as follows:

- All processes of a function share one unpacked copy of its code and layer. The layer has some 2,700 files;
  to unpack them for every process takes most of a second, during which MiniStack answers nobody.
- A throttled Lambda task fails with the error that AWS names, and a retrier's ``MaxDelaySeconds`` and
  ``JitterStrategy`` count. Otherwise all throttled executions would try again at the same moments.
- An expression of DynamoDB is split into tokens once, not at every request.
"""

import hashlib
import random
import threading
import zipfile
from collections.abc import Iterable, Mapping
from functools import cache, wraps
from pathlib import Path
from tempfile import gettempdir
from types import ModuleType
from typing import Any

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import dynamodb, lambda_svc, stepfunctions

THROTTLED = "Lambda.TooManyRequestsException"
"""The error of a throttled Lambda task (Step Functions developer guide, "Handling errors")."""

_unpacking = threading.Lock()


class SharedArchive(zipfile.ZipFile):
    """An archive that is unpacked once; further folders become links to the first."""

    def __init__(self, file: str, *args: Any, **kwargs: Any) -> None:
        digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        self._copy = Path(gettempdir(), f"unpacked-{digest}")
        super().__init__(file, *args, **kwargs)

    def namelist(self) -> list[str]:
        """Return the names that MiniStack has to check: none if it did so before it unpacked the copy."""
        return [] if self._copy.exists() else super().namelist()

    def extractall(
        self,
        path: Any = None,
        members: Iterable[str | zipfile.ZipInfo] | None = None,
        pwd: bytes | None = None,
    ) -> None:
        """Replace the empty folder ``path`` by a link to the unpacked copy."""
        with _unpacking:
            if not self._copy.exists():
                unfinished = self._copy.with_suffix(".unfinished")
                super().extractall(unfinished, members, pwd)
                unfinished.rename(self._copy)
        Path(path).rmdir()
        Path(path).symlink_to(self._copy)


def share_archives() -> None:
    """Let MiniStack's starter of processes use ``SharedArchive``."""
    shared = ModuleType("zipfile")
    vars(shared).update(vars(zipfile), ZipFile=SharedArchive)
    lambda_runtime.zipfile = shared


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
    retry_as_aws_does()
    remember_tokens()
    app.main()
