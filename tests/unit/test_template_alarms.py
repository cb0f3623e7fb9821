"""E-mails, alarms and the dashboard of the template."""

import json
import re
from datetime import timedelta
from itertools import product

import pytest

from numberdrop.steps.audit import INTERVAL
from tests.support.template import PROJECT, resources, template

# E-mail


def test_a_missing_event_bus_fails_the_deployment() -> None:
    """EventBridge would accept events for it and drop them silently."""
    rule = template()["Resources"]["AttentionRule"]
    assert "Condition" not in rule
    assert rule["Properties"]["EventBusName"] == {"Ref": "EventBusName"}


NOTICES = {
    "AttentionRule": "needs_attention",
    "PaidFailureRule": "failed",
    "UnpaidFailureRule": "failed",
    "CompletedRule": "completed",
}
"""The rules that report jobs, each with a sample of its event."""


@pytest.mark.parametrize("name", NOTICES)
def test_only_jobs_of_this_stack_are_reported(name: str) -> None:
    pattern = resources("AWS::Events::Rule")[name]["EventPattern"]
    uploads = {"If": ["MakeUploadBucket", {"Ref": "UploadBucket"}, {"Ref": "ExistingUploadBucket"}]}
    assert pattern["source"] == ["numberdrop"]
    assert pattern["detail"]["upload"] == {"bucket": [uploads]}


@pytest.mark.parametrize("name", NOTICES)
def test_a_notice_goes_to_both_topics_as_plain_lines(name: str) -> None:
    """EventBridge rejects a template with a variable that has no path, and lines that are not in quotes."""
    targets = resources("AWS::Events::Rule")[name]["Targets"]
    assert [target["If"][0] for target in targets] == ["HasAlarmEmail", "HasAlarmTopicArn"]
    assert [target["If"][1]["Arn"] for target in targets] == [{"Ref": "AlarmTopic"}, {"Ref": "AlarmTopicArn"}]
    for target in targets:
        transformer = target["If"][1]["InputTransformer"]
        _, kind, _ = transformer["InputTemplate"]["FindInMap"]
        text = template()["Mappings"]["Notices"][kind]["Text"]
        assert set(re.findall("<(.+?)>", text)) == transformer["InputPathsMap"].keys()
        assert all(re.fullmatch('"[^"]+"', line) for line in text.splitlines())
        assert "What to do: " in text
        assert len(text) <= 8192  # characters (API reference, "InputTransformer")


@pytest.mark.parametrize(("name", "sample"), NOTICES.items())
def test_a_notice_shows_fields_that_its_event_has(name: str, sample: str) -> None:
    event = json.loads((PROJECT / f"events/samples/1/{sample}.json").read_text("utf-8"))
    for target in resources("AWS::Events::Rule")[name]["Targets"]:
        for path in target["If"][1]["InputTransformer"]["InputPathsMap"].values():
            value = event
            for part in path.removeprefix("$.").split("."):
                value = value[part]
            assert isinstance(value, str | int) or path.startswith("$.detail.counts.")


def notice(name: str, sample: str) -> str:
    """Return the text that EventBridge makes of a sample event for a rule's first target."""
    event = json.loads((PROJECT / f"events/samples/1/{sample}.json").read_text("utf-8"))
    transformer = resources("AWS::Events::Rule")[name]["Targets"][0]["If"][1]["InputTransformer"]
    text: str = template()["Mappings"]["Notices"][transformer["InputTemplate"]["FindInMap"][1]]["Text"]
    for variable, path in transformer["InputPathsMap"].items():
        value = event
        for part in path.removeprefix("$.").split("."):
            value = value[part]
        text = text.replace(f"<{variable}>", str(value))
    return text


def test_the_deployment_page_shows_a_notice() -> None:
    page = (PROJECT / "docs" / "deployment.md").read_text("utf-8")
    assert notice("PaidFailureRule", "failed") in page


@pytest.mark.parametrize(("name", "sample"), NOTICES.items())
def test_a_notice_names_a_section_of_the_runbook(name: str, sample: str) -> None:
    runbook = (PROJECT / "docs" / "runbook.md").read_text("utf-8")
    headings = set(re.findall(r'^#+ [`"]?(.+?)[`"]?$', runbook, re.MULTILINE))
    named = re.findall(r"docs/runbook.md, '(.+?)'", notice(name, sample))
    assert set(named) <= headings
    assert bool(named) == (name != "CompletedRule")


def test_notices_follow_the_parameter() -> None:
    rules = template()["Resources"]
    conditions = {name: rules[name].get("Condition") for name in NOTICES}
    assert conditions == {
        "AttentionRule": None,
        "PaidFailureRule": "HasNotices",
        "UnpaidFailureRule": "ReportsFailures",
        "CompletedRule": "ReportsAll",
    }


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


@pytest.mark.parametrize(
    ("alarm", "function"), [("AuditFailsAlarm", "AuditFunction"), ("CompactFailsAlarm", "CompactFunction")]
)
def test_errors_of_scheduled_functions_raise_an_alarm(alarm: str, function: str) -> None:
    watched = ALARMS[alarm]
    assert (watched["Namespace"], watched["MetricName"], watched["Threshold"]) == ("AWS/Lambda", "Errors", 0)
    assert watched["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": function}}]


def test_an_unfinished_audit_continues_within_an_hour() -> None:
    """It begins once a day: the function does nothing at the other invocations."""
    schedule = resources("AWS::Events::Rule")["AuditSchedule"]["ScheduleExpression"]
    assert schedule == "rate(1 hour)"
    assert timedelta(hours=23) < INTERVAL < timedelta(days=1)


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
def test_every_alarm_tells_when_it_fires_and_when_it_is_over(alarm: str) -> None:
    topics = [action["If"][1] for action in ALARMS[alarm]["AlarmActions"]]
    assert topics == [{"Ref": "AlarmTopic"}, {"Ref": "AlarmTopicArn"}]
    assert ALARMS[alarm]["OKActions"] == ALARMS[alarm]["AlarmActions"]


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
