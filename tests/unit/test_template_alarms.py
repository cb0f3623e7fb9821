"""E-mails, alarms and the dashboard of the template."""

import json
import re
from itertools import product

import pytest

from tests.support.template import PROJECT, resources, template

# E-mail


def test_a_missing_event_bus_fails_the_deployment() -> None:
    """EventBridge would accept events for it and drop them silently."""
    rule = template()["Resources"]["AttentionRule"]
    assert "Condition" not in rule
    assert rule["Properties"]["EventBusName"] == {"Ref": "EventBusName"}


@pytest.mark.parametrize("name", ["AttentionRule", "PaidFailureRule"])
def test_only_jobs_of_this_stack_are_e_mailed(name: str) -> None:
    pattern = resources("AWS::Events::Rule")[name]["EventPattern"]
    uploads = {"If": ["MakeUploadBucket", {"Ref": "UploadBucket"}, {"Ref": "ExistingUploadBucket"}]}
    assert pattern["source"] == ["numberdrop"]
    assert pattern["detail"]["upload"] == {"bucket": [uploads]}


def test_rules_publish_without_a_condition() -> None:
    (policy,) = resources("AWS::SNS::TopicPolicy").values()
    by_service = {s["Principal"]["Service"]: s for s in policy["PolicyDocument"]["Statement"]}
    assert "Condition" not in by_service["events.amazonaws.com"]
    assert "Condition" in by_service["cloudwatch.amazonaws.com"]


# Alarms

ALARMS = resources("AWS::CloudWatch::Alarm")


def test_a_silent_reconcile_function_raises_an_alarm() -> None:
    assert ALARMS["NotReconcilingAlarm"]["TreatMissingData"] == "breaching"
    (schedule,) = (
        rule["ScheduleExpression"]
        for name, rule in resources("AWS::Events::Rule").items()
        if name == "ReconcileSchedule"
    )
    assert schedule == "rate(3 minutes)"
    assert ALARMS["NotReconcilingAlarm"]["Period"] >= 5 * 180


def test_every_alarm_uses_a_metric_that_is_published() -> None:
    package = PROJECT / "layers" / "shared" / "numberdrop" / "metrics.py"
    measuring = package.read_text("utf-8") + (PROJECT / "functions" / "audit" / "app.py").read_text("utf-8")
    for alarm in ALARMS.values():
        if alarm["Namespace"] == "numberdrop":
            assert f'"{alarm["MetricName"]}"' in measuring


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_names_its_section_of_the_runbook(alarm: str) -> None:
    runbook = (PROJECT / "docs" / "runbook.md").read_text("utf-8")
    headings = set(re.findall(r"^#+ `?(.+?)`?$", runbook, re.MULTILINE))
    _, _, reference = ALARMS[alarm]["AlarmDescription"].partition("Runbook: ")

    named = re.findall(r'"([^"]+)"', reference)

    assert named
    assert set(named) <= headings
    assert f"| `{alarm}` |" in runbook


@pytest.mark.parametrize("alarm", ALARMS)
def test_every_alarm_is_e_mailed(alarm: str) -> None:
    assert ALARMS[alarm]["AlarmActions"]["If"][0] == "HasAlarmEmail"


def test_the_dashboard_shows_every_alarm() -> None:
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    body, variables = dashboard["DashboardBody"]["Sub"]

    assert set(re.findall(r"\$\{(\w+Alarm)\.Arn\}", body + json.dumps(variables))) == ALARMS.keys()


def test_the_dashboard_is_json() -> None:
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    body, variables = dashboard["DashboardBody"]["Sub"]
    choices = {name: value["If"] for name, value in variables.items()}

    assert {condition for condition, *_ in choices.values()} == {"RemembersVerdicts", "WatchesBalance"}
    for texts in product(*[(some["Sub"], none) for _, some, none in choices.values()]):
        filled = body
        for name, text in zip(choices, texts, strict=True):
            filled = filled.replace(f"${{{name}}}", text)
        assert json.loads(filled)["widgets"]
