"""Explain errors of AWS and of the connection to it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click
from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
)
from botocore.exceptions import ConnectionError as NotConnectedError

from numberdrop.aws.ledger import TransitionRefusedError

AwsError = ClientError | BotoCoreError | Boto3Error
"""Every error that boto3 raises."""

EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
DENIED = {"AccessDenied", "AccessDeniedException", "403"}
"""The response to a HEAD request has no body, so its error code is only the status, 403."""

BUSY = {"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown"}

WHAT_TO_DO: Mapping[type[Exception], str] = {
    NoCredentialsError: ". Log in, or give --profile.",
    NoRegionError: " Set AWS_REGION, or give --aws-region.",
}
"""How the messages of some errors go on."""


@contextmanager
def explained_errors() -> Iterator[None]:
    """Turn errors of AWS and refused changes of the ledger into messages that end the command.

    Raises:
        click.ClickException: such an error was raised in the context.
    """
    try:
        yield
    except TransitionRefusedError as error:
        raise click.ClickException(f"The job has changed since. {error} Look at it again.") from None
    except (ClientError, BotoCoreError, Boto3Error) as error:
        raise click.ClickException(explain(error)) from None


def explain(error: AwsError) -> str:
    """Return what happened and, where known, what to do about it.

    >>> explain(ClientError({"Error": {"Code": "ExpiredToken", "Message": "It expired"}}, "PutObject"))
    'The AWS credentials have expired. Renew them. An error occurred (ExpiredToken) ...'
    """
    if isinstance(error, HTTPClientError) and type(error.kwargs.get("error")) is ValueError:
        # A header cannot be sent, and the text of the error quotes it.
        return (
            "The request to AWS failed. The AWS credentials contain a character that cannot be sent, such as "
            "a line end. Set them again."
        )
    if not isinstance(error, ClientError):
        return f"The request to AWS failed. {error}{WHAT_TO_DO.get(type(error), '')}"
    if error_code(error) in EXPIRED:
        return f"The AWS credentials have expired. Renew them. {error}"
    if error_code(error) in DENIED:
        return f"AWS refused the request. {error} (docs/command.md lists the permissions that you need.)"
    return f"AWS refused the request. {error}"


def is_temporary(error: AwsError) -> bool:
    """Return whether a retry may help: the connection broke, or AWS is throttling or failing."""
    if isinstance(error, ClientError):
        return http_status(error) >= 500 or error_code(error) in BUSY
    return isinstance(error, (NotConnectedError, HTTPClientError))


def error_code(error: AwsError) -> str | None:
    """Return the error code of the response, or None if there was no response."""
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else None


def http_status(error: AwsError) -> int:
    """Return the HTTP status of the response, or 0 if there was no response."""
    metadata = error.response.get("ResponseMetadata", {}) if isinstance(error, ClientError) else {}
    return metadata.get("HTTPStatusCode", 0)
