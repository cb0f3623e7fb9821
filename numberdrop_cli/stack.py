"""The deployed stack, as CloudFormation describes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from numberdrop.settings import limit, words
from numberdrop_cli.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudformation import CloudFormationClient


YOUNG = timedelta(minutes=15)
"""A stack takes some minutes to deploy, and S3 around five more until it sends the events of a new bucket (S3
user guide, "Enabling Amazon EventBridge")."""


@dataclass(frozen=True, slots=True)
class Stack:
    """What the command needs to know about a stack.

    Attributes:
        arn: the stack's ARN, which contains its region and account.
        created_at: when its first deployment began.
        job_timeout: the parameter ``JobTimeoutHours``.
        allow_sensitive: the parameter ``AllowSensitiveCheckers``.
        allowed_task_types: the parameter ``AllowedTaskTypes``. Stacks of older versions lack it, and some of
            the following too.
        retention_days: the parameter ``RetentionDays``.
        memory_bucket: the bucket of the verdict memory; None while it is off.
        memory_key_secret: the ARN of the secret with the memory's key; None while the memory is off.
        default_region: the parameter ``DefaultRegion``.
        has_user_id: whether ``EkycproUserId`` is set.
        max_usd: the parameter ``MaxUsdPerUpload``, None for no limit.
        vendor_base_url: the parameter ``EkycproBaseUrl``.
        api_key_secret: the ARN of the secret with the vendor's key, None if the stack does not name it.
    """

    arn: str
    created_at: datetime
    upload_bucket: str
    results_bucket: str
    jobs_table: str
    event_bus: str
    state_machine_arn: str
    upload_queue_url: str
    dead_letter_queue_url: str
    job_timeout: timedelta
    allow_sensitive: bool
    allowed_task_types: frozenset[str]
    retention_days: int
    memory_bucket: str | None
    memory_key_secret: str | None
    default_region: str = ""
    has_user_id: bool = True
    max_usd: Decimal | None = None
    vendor_base_url: str = ""
    api_key_secret: str | None = None

    @property
    def name(self) -> str:
        """The stack's name."""
        return self.arn.split("/")[1]

    @property
    def place(self) -> str:
        """Name, region and account, for people who have several stacks."""
        _, _, _, region, account, resource = self.arn.split(":", maxsplit=5)
        return f"stack {resource.split('/')[1]} in {region}, account {account}"

    def is_young(self, now: datetime) -> bool:
        """Return whether S3 may not send the events of the upload bucket yet."""
        return now - self.created_at < YOUNG


def find_stack(cloudformation: "CloudFormationClient", name: str, account: "Callable[[], str]") -> Stack:
    """Return the stack with this name.

    Args:
        cloudformation: the client.
        name: the stack's name.
        account: returns the number of the account, for the message if there is no such stack.

    Raises:
        RefusedError: there is no such stack, or it is not a numberdrop stack.
    """
    try:
        described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise RefusedError(
            f"There is no stack '{name}' in {cloudformation.meta.region_name}, account {account()}. "
            "Name another with --stack, or another place with --aws-region and --profile."
        ) from None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
    try:
        return Stack(
            arn=described["StackId"],
            created_at=described["CreationTime"],
            upload_bucket=outputs["UploadBucketName"],
            results_bucket=outputs["ResultsBucketName"],
            jobs_table=outputs["JobsTableName"],
            event_bus=outputs["EventBusName"],
            state_machine_arn=outputs["StateMachineArn"],
            upload_queue_url=outputs["UploadQueueUrl"],
            dead_letter_queue_url=outputs["DeadLetterQueueUrl"],
            job_timeout=timedelta(hours=int(parameters["JobTimeoutHours"])),
            allow_sensitive=parameters["AllowSensitiveCheckers"] == "true",
            allowed_task_types=words(parameters.get("AllowedTaskTypes", "")),
            retention_days=int(parameters.get("RetentionDays", "90")),
            memory_bucket=outputs.get("MemoryBucketName"),
            memory_key_secret=outputs.get("MemoryKeySecretArn"),
            default_region=parameters.get("DefaultRegion", ""),
            has_user_id=bool(parameters.get("EkycproUserId", "")),
            max_usd=limit(parameters.get("MaxUsdPerUpload", "0")),
            vendor_base_url=parameters.get("EkycproBaseUrl", ""),
            api_key_secret=outputs.get("ApiKeySecretArn"),
        )
    except KeyError as missing:
        raise RefusedError(
            f"The stack '{name}' has no {missing.args[0]}, so it is not a numberdrop stack. "
            "Name another with --stack."
        ) from None
