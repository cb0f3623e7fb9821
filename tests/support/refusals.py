"""AWS clients that refuse or fail every call."""

from typing import Any

from botocore.exceptions import ClientError


def client_error(code: str, operation: str) -> ClientError:
    """Return the error that boto3 raises for an error code."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


class RefusingEventBridge:
    """EventBridge that answers, but rejects every entry."""

    def put_events(self, **_: object) -> dict[str, Any]:
        entry = {"ErrorCode": "ThrottlingException", "ErrorMessage": "about +447946012345"}
        return {"FailedEntryCount": 1, "Entries": [entry]}


class RefusingStepFunctions:
    """Step Functions that refuses every start.

    Attributes:
        refused: the number of calls so far.
    """

    def __init__(self, code: str) -> None:
        self._code = code
        self.refused = 0

    def start_execution(self, **_: object) -> None:
        self.refused += 1
        raise client_error(self._code, "StartExecution")

    def describe_execution(self, **_: object) -> None:
        raise client_error("ExecutionDoesNotExist", "DescribeExecution")


class FailingDynamoDB:
    """DynamoDB whose calls all raise one error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def _fail(self, **_: object) -> None:
        raise self._error

    get_item = put_item = update_item = delete_item = _fail


class FailingS3:
    """Amazon S3 whose calls all raise one error."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def _fail(self, **_: object) -> None:
        raise self._error

    get_object = head_object = put_object = _fail
