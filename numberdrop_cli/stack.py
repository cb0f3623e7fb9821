"""The deployed stack, as CloudFormation describes it."""

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from numberdrop.jobs.events import SchemaVersion
from numberdrop.settings import words
from numberdrop_cli.errors import RefusedError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

DEFAULT_STACK_NAME = "numberdrop"


@dataclass(frozen=True, slots=True)
class Stack:
    """What the command needs to know about a stack.

    Attributes:
        arn: the stack's ARN, which contains its region and account.
        event_schema_version: the parameter ``EventSchemaVersion``, which older versions do not have.
        job_timeout: the parameter ``JobTimeoutHours``.
        allow_sensitive: the parameter ``AllowSensitiveCheckers``.
        allowed_task_types: the parameter ``AllowedTaskTypes``, which stacks of older versions do not have.
    """

    arn: str
    upload_bucket: str
    results_bucket: str
    jobs_table: str
    event_bus: str
    event_schema_version: SchemaVersion
    state_machine_arn: str
    upload_queue_url: str
    dead_letter_queue_url: str
    job_timeout: timedelta
    allow_sensitive: bool
    allowed_task_types: frozenset[str]

    @property
    def place(self) -> str:
        """Name, region and account, for people who have several stacks."""
        _, _, _, region, account, resource = self.arn.split(":", maxsplit=5)
        return f"stack {resource.split('/')[1]} in {region}, account {account}"


def default_stack_name(folder: Path = Path()) -> str:
    """Return the stack name in the folder's ``samconfig.toml``, or "numberdrop" if there is none.

    The SAM CLI keeps the name there.

    >>> default_stack_name(Path("/no/such/folder"))
    'numberdrop'

    Args:
        folder: by default the working folder. Its path is not needed: it may have been deleted.

    Raises:
        RefusedError: the file cannot be read, is not valid TOML, or its stack name is not a text.
    """
    try:
        text = (folder / "samconfig.toml").read_text(encoding="utf-8-sig")
        name = tomllib.loads(text)["default"]["global"]["parameters"]["stack_name"]
    except (FileNotFoundError, KeyError, TypeError):
        return DEFAULT_STACK_NAME
    except OSError as error:
        raise RefusedError(
            f"samconfig.toml cannot be read ({error.strerror}). Name the stack with --stack."
        ) from None
    except (ValueError, RecursionError):  # not UTF-8, not TOML, or nested too deeply
        raise RefusedError("samconfig.toml is not valid TOML. Name the stack with --stack.") from None
    if not isinstance(name, str) or not name:
        raise RefusedError("The stack_name in samconfig.toml is not a text. Name the stack with --stack.")
    return name


def find_stack(cloudformation: "CloudFormationClient", name: str) -> Stack:
    """Return the stack with this name.

    Raises:
        RefusedError: there is no such stack, or it is not a numberdrop stack.
    """
    try:
        described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise RefusedError(
            f"There is no stack '{name}' in this account and region. Name another with --stack."
        ) from None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
    try:
        return Stack(
            arn=described["StackId"],
            upload_bucket=outputs["UploadBucketName"],
            results_bucket=outputs["ResultsBucketName"],
            jobs_table=outputs["JobsTableName"],
            event_bus=outputs["EventBusName"],
            event_schema_version=SchemaVersion(parameters.get("EventSchemaVersion", SchemaVersion.ONE)),
            state_machine_arn=outputs["StateMachineArn"],
            upload_queue_url=outputs["UploadQueueUrl"],
            dead_letter_queue_url=outputs["DeadLetterQueueUrl"],
            job_timeout=timedelta(hours=int(parameters["JobTimeoutHours"])),
            allow_sensitive=parameters["AllowSensitiveCheckers"] == "true",
            allowed_task_types=words(parameters.get("AllowedTaskTypes", "")),
        )
    except KeyError as missing:
        raise RefusedError(
            f"The stack '{name}' has no {missing.args[0]}, so it is not a numberdrop stack. "
            "Name another with --stack."
        ) from None
