"""A simulated AWS account with the resources of the template."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Self, TypeVar, cast

import boto3

from numberdrop.aws.bus import Announcer
from numberdrop.aws.circuit_breaker import BREAKER_KEY
from numberdrop.aws.failure_files import FailureFiles
from numberdrop.aws.fences import PREFIX, Fence, Fences
from numberdrop.aws.ledger import INDEXED, MONTH_INDEX, UNSETTLED_INDEX, Ledger, month_of
from numberdrop.jobs.job import Job, to_item
from numberdrop.jobs.upload import Upload

LONG_AGO = "2020-01-01T00:00:00.000Z"
API_KEY = "test-key"
USER_ID = "test-user"

Maker = TypeVar("Maker", bound=Callable[..., object])


def _once(make: Maker) -> Maker:
    """Cache the clients for all accounts: creating one takes longer than most requests of a test."""
    return cast("Maker", cache(make))


client, resource = _once(boto3.client), _once(boto3.resource)


@dataclass(frozen=True)
class Account:
    """The names of the stack's resources, and actions of people or other services on them."""

    jobs_table: str
    upload_bucket: str
    results_bucket: str
    upload_queue: str
    bus: str
    events_queue: str
    state_machine: str
    secret: str

    @classmethod
    def create(cls) -> Self:
        """Create the resources. A rule copies every event of numberdrop to a queue, for tests to read."""
        for bucket in ("uploads", "results"):
            client("s3").create_bucket(Bucket=bucket)
            client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        client("dynamodb").create_table(
            TableName="jobs",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "job_id", "AttributeType": "S"},
                {"AttributeName": "unsettled", "AttributeType": "S"},
                {"AttributeName": "created_month", "AttributeType": "S"},
                {"AttributeName": "created_at", "AttributeType": "S"},
            ],
            KeySchema=[{"AttributeName": "job_id", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": UNSETTLED_INDEX,
                    "KeySchema": [{"AttributeName": "unsettled", "KeyType": "HASH"}],
                    "Projection": {
                        "ProjectionType": "INCLUDE",
                        "NonKeyAttributes": list(INDEXED),
                    },
                },
                {
                    "IndexName": MONTH_INDEX,
                    "KeySchema": [
                        {"AttributeName": "created_month", "KeyType": "HASH"},
                        {"AttributeName": "created_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["upload"]},
                },
            ],
        )
        machine = client("stepfunctions").create_state_machine(
            name="follow-tasks",
            definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::123456789012:role/follow-tasks",
        )
        return cls(
            jobs_table="jobs",
            upload_bucket="uploads",
            results_bucket="results",
            upload_queue=_queue("uploads"),
            bus="default",
            events_queue=_queue_of_events("numberdrop"),
            state_machine=machine["stateMachineArn"],
            secret=client("secretsmanager").create_secret(Name="key", SecretString=API_KEY)["ARN"],
        )

    def variables(self, *, vendor_url: str) -> dict[str, str]:
        """Return the environment variables of all functions."""
        return {
            "JOBS_TABLE": self.jobs_table,
            "EVENT_BUS_NAME": self.bus,
            "EVENT_SCHEMA_VERSION": "1",
            "API_KEY_SECRET": self.secret,
            "VENDOR_BASE_URL": vendor_url,
            "VENDOR_USER_ID": USER_ID,
            "VENDOR_PROXY": "",
            "UPLOAD_BUCKET": self.upload_bucket,
            "UPLOAD_QUEUE_URL": self.upload_queue,
            "STATE_MACHINE_ARN": self.state_machine,
            "JOB_TIMEOUT_HOURS": "24",
            "MAX_WAIT_SECONDS": "300",
            "ALLOW_SENSITIVE_CHECKERS": "true",
            "ALLOWED_TASK_TYPES": "",
            "DEFAULT_REGION": "",
            "MAX_USD_PER_UPLOAD": "0",
            "RESULTS_BUCKET": self.results_bucket,
            "RESULT_HOSTS": "127.0.0.1",
            "MEMORY_BUCKET": "",
            "MEMORY_KEY_SECRET": "",
            "REMEMBER_YES_DAYS": "0",
            "REMEMBER_NO_DAYS": "0",
            "RETENTION_DAYS": "90",
        }

    def variables_of_memory(self) -> dict[str, str]:
        """Create the verdict memory; return the environment variables that switch it on."""
        client("s3").create_bucket(Bucket="memory")
        secret = client("secretsmanager").create_secret(Name="memory-key", SecretString="secret-of-a-test")
        return {
            "MEMORY_BUCKET": "memory",
            "MEMORY_KEY_SECRET": secret["ARN"],
            "REMEMBER_YES_DAYS": "60",
            "REMEMBER_NO_DAYS": "30",
            "EVENT_SCHEMA_VERSION": "2",
        }

    # Uploads

    def drop(self, key: str, content: bytes, metadata: Mapping[str, str] | None = None) -> Upload:
        """Store an object in the upload bucket; return its upload."""
        answer = client("s3").put_object(
            Bucket=self.upload_bucket, Key=key, Body=content, Metadata=metadata or {}
        )
        return Upload.from_s3(
            bucket=self.upload_bucket,
            key=key,
            version_id=answer["VersionId"],
            etag=answer["ETag"],
            size=len(content),
            sequencer=answer["VersionId"],
        )

    def delete(self, upload: Upload) -> None:
        """Delete the version permanently."""
        client("s3").delete_object(Bucket=upload.bucket, Key=upload.key, VersionId=str(upload.version_id))

    # Jobs

    def job(self, upload: Upload) -> Job | None:
        """Return the job of an upload from the ledger, or None."""
        return Ledger(client("dynamodb"), self.jobs_table).get(upload.job_id)

    def put(self, job: Job) -> None:
        """Write a job into the ledger directly, without any condition."""
        attributes = {field.name: getattr(job, field.name) for field in fields(Job)}
        unset = {field.name: field.default for field in fields(Job)}
        written = {name: value for name, value in attributes.items() if value != unset[name]}
        keys = {"unsettled": job.job_id[0], "created_month": month_of(job.created_at)}
        item = to_item({**written, **keys})
        resource("dynamodb").Table(self.jobs_table).put_item(Item=item)

    def forget_job(self, upload: Upload) -> None:
        """Delete an upload's job, as a restore of the table to an earlier time does."""
        resource("dynamodb").Table(self.jobs_table).delete_item(Key={"job_id": upload.job_id})

    def expire_lease(self, upload: Upload) -> None:
        """Move the lease of an upload's job far into the past."""
        self._move_to_the_past(upload, "lease_until")

    def expire_deadline(self, upload: Upload) -> None:
        """Move the deadline of an upload's job far into the past."""
        self._move_to_the_past(upload, "deadline")

    def end_pause(self) -> None:
        """Make the next probe of the open circuit breaker due."""
        resource("dynamodb").Table(self.jobs_table).update_item(
            Key={"job_id": BREAKER_KEY},
            UpdateExpression="SET due_at = :past",
            ConditionExpression="attribute_exists(job_id)",
            ExpressionAttributeValues={":past": LONG_AGO},
        )

    def _move_to_the_past(self, upload: Upload, attribute: str) -> None:
        resource("dynamodb").Table(self.jobs_table).update_item(
            Key={"job_id": upload.job_id},
            UpdateExpression="SET #moment = :past",
            ConditionExpression="attribute_exists(job_id)",
            ExpressionAttributeNames={"#moment": attribute},
            ExpressionAttributeValues={":past": LONG_AGO},
        )

    def executions(self) -> list[str]:
        """Return the names of the executions that were started."""
        answer = client("stepfunctions").list_executions(stateMachineArn=self.state_machine)
        return [execution["name"] for execution in answer["executions"]]

    def announcer(self, ledger: Ledger) -> Announcer:
        """Return the announcer of this account."""
        files = FailureFiles(lambda: client("s3"), self.results_bucket)
        return Announcer(client("events"), self.bus, ledger, files)

    # Results

    def stored(self) -> dict[str, bytes]:
        """Return the results in the results bucket by key. Fences are not results."""
        objects = resource("s3").Bucket(self.results_bucket).objects.all()
        return {item.key: item.get()["Body"].read() for item in objects if not item.key.startswith(PREFIX)}

    def fence(self, upload: Upload) -> Fence | None:
        """Return the fence of an upload's job."""
        return Fences(client("s3"), self.results_bucket).find(upload.job_id)

    # Events

    def events(self) -> list[dict[str, Any]]:
        """Return the events that were emitted since the last call."""
        return [json.loads(message["Body"]) for message in _receive_all(self.events_queue)]

    def rotate_key(self, value: str) -> None:
        """Store another API key in the secret."""
        client("secretsmanager").put_secret_value(SecretId=self.secret, SecretString=value)


def object_created(upload: Upload) -> dict[str, Any]:
    """Return the S3 event of an upload (S3 user guide, "EventBridge event message structure")."""
    described = {
        "key": upload.key,
        "size": upload.size,
        "etag": upload.etag,
        "version-id": upload.version_id,
        "sequencer": upload.sequencer,
    }
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": upload.bucket},
            "object": {name: value for name, value in described.items() if value is not None},
        },
    }


def _queue(name: str) -> str:
    return client("sqs").create_queue(QueueName=name)["QueueUrl"]


def _queue_of_events(source: str) -> str:
    url = _queue("events")
    attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    events = client("events")
    events.put_rule(Name="everything", EventPattern=json.dumps({"source": [source]}))
    events.put_targets(
        Rule="everything", Targets=[{"Id": "events", "Arn": attributes["Attributes"]["QueueArn"]}]
    )
    return url


def _receive_all(queue: str) -> Iterator[Mapping[str, Any]]:
    """Yield the messages of a queue and delete them."""
    sqs = client("sqs")
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            yield message
