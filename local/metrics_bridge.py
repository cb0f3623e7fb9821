"""Metrics from log lines and queues: AWS derives them by itself, MiniStack 1.5.33 does not."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.aws import LocalAws


@dataclass
class MetricsBridge:
    """Publishes the metrics of one stack, and each log line only once.

    Attributes:
        aws: the local AWS.
        stack: the stack's name, which is the ``service`` in its functions' metrics.
        queues: the URLs of its queues.
    """

    aws: LocalAws
    stack: str
    queues: tuple[str, ...]
    _seen: set[str] = field(default_factory=set)

    def publish(self) -> None:
        """Publish new metrics; CloudWatch evaluates its alarms whenever it receives some."""
        cloudwatch = self.aws.client("cloudwatch")
        for line in self._embedded():
            for namespace, data in _metrics(line):
                cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
        for url in self.queues:
            cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=[self._length(url)])

    def _embedded(self) -> Iterator[Mapping[str, Any]]:
        logs = self.aws.client("logs")
        for groups in logs.get_paginator("describe_log_groups").paginate():
            for group in groups["logGroups"]:
                pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
                yield from (self._parsed(event) for page in pages for event in page["events"])

    def _parsed(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a line in the embedded metric format the first time it appears, else an empty mapping."""
        message = event["message"].strip()
        if not message.startswith('{"_aws":') or message in self._seen:
            return {}
        self._seen.add(message)
        line: Mapping[str, Any] = json.loads(message)
        return line if line.get("service") == self.stack else {}

    def _length(self, url: str) -> Mapping[str, Any]:
        attributes = self.aws.client("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        return {
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
            "Value": float(attributes["ApproximateNumberOfMessages"]),
        }


def _metrics(line: Mapping[str, Any]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Yield namespaces with their data (CloudWatch user guide, "Specification: Embedded metric format")."""
    for directive in line["_aws"]["CloudWatchMetrics"] if line else []:
        data: list[Mapping[str, Any]] = [
            {
                "MetricName": metric["Name"],
                "Dimensions": [{"Name": name, "Value": line[name]} for name in dimensions],
                "Values": line[metric["Name"]],
                "Unit": metric["Unit"],
            }
            for dimensions in directive["Dimensions"]
            for metric in directive["Metrics"]
        ]
        yield directive["Namespace"], data
