"""What AWS answers, or that it does not, in words that help."""

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnectedError

AwsError = ClientError | BotoCoreError | Boto3Error
"""What boto3 raises."""

EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
DENIED = {"AccessDenied", "AccessDeniedException", "403"}
"""The last is all that the answer to a HEAD request tells."""

BUSY = {"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown"}


def explain(error: AwsError) -> str:
    """The error, and what to do about it where that is known."""
    if not isinstance(error, ClientError):
        return f"AWS cannot be asked. {error}"
    if error_code(error) in EXPIRED:
        return f"The AWS credentials have expired: renew them. {error}"
    if error_code(error) in DENIED:
        return f"AWS refuses. {error} (docs/command.md lists the permissions that the command needs.)"
    return f"AWS refuses. {error}"


def is_temporary(error: AwsError) -> bool:
    """Whether asking again may help: the connection broke, or AWS is busy or ill."""
    if isinstance(error, ClientError):
        return http_status(error) >= 500 or error_code(error) in BUSY
    return isinstance(error, (NotConnectedError, HTTPClientError))


def error_code(error: AwsError) -> str | None:
    """The code of AWS's answer, or None if there was none."""
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else None


def http_status(error: AwsError) -> int:
    """The HTTP status of AWS's answer, or 0 if there was none."""
    answer = error.response.get("ResponseMetadata", {}) if isinstance(error, ClientError) else {}
    return answer.get("HTTPStatusCode", 0)
