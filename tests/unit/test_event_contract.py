"""Events match the samples and schemas that are kept per schema version.

Consumers rely on them. Fields may be added; any other change needs a new schema version.
"""

import json
import re
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator, ValidationError

from numberdrop.jobs.events import DETAIL_TYPES, SOURCE, SchemaVersion, detail
from numberdrop.jobs.failure_note import failure_facts
from numberdrop.jobs.job import Counts, Job, StoredResults, timestamp
from numberdrop.jobs.reasons import Reason, ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload, upload_from_message
from numberdrop.steps.queue_handler import Message
from tests.support.jobs import a_job
from tests.support.template import PROJECT, CloudFormationLoader, template

ENDINGS = {"completed": State.COMPLETED, "failed": State.FAILED, "needs_attention": State.IN_DOUBT}

BOTH = pytest.mark.parametrize("version", SchemaVersion)

EXAMPLE = Upload(
    bucket="numberdrop-uploads-example",
    key="band/spring/leads.txt",
    version_id="VersionOfTheExample.1",
    etag="5d41402abc4b2a76b9719d911017c592",
    size=1200,
    sequencer="00AA",
)
PREFIX = f"band/spring/leads.txt/{EXAMPLE.job_id[:12]}/"
SUBMITTED_AT = datetime.fromisoformat("2026-03-04T12:00:03.500Z")
FINISHED_AT = datetime.fromisoformat("2026-03-04T12:30:00.250Z")

JOBS: dict[str, Job] = {
    "completed": a_job(
        State.COMPLETED,
        upload=EXAMPLE,
        task_id="task-of-the-example",
        results=StoredResults(
            bucket="numberdrop-results-example",
            export_key=f"{PREFIX}export.zip",
            csv_key=f"{PREFIX}results.csv",
            manifest_key=f"{PREFIX}manifest.json",
            report_key=f"{PREFIX}report.html",
            xlsx_key=f"{PREFIX}results.xlsx",
            yes_key=f"{PREFIX}yes.txt",
            no_key=f"{PREFIX}no.txt",
            unknown_key=f"{PREFIX}unknown.txt",
        ),
        submitted_at=SUBMITTED_AT,
        finished_at=FINISHED_AT,
    ),
    "failed": a_job(
        State.FAILED,
        upload=EXAMPLE,
        task_id="task-of-the-example",
        reason=Reason(ReasonCode.TASK_FAILED, "The vendor says that the task failed. Ask the vendor."),
        submitted_at=SUBMITTED_AT,
        finished_at=FINISHED_AT,
    ),
    "needs_attention": a_job(
        State.IN_DOUBT,
        upload=EXAMPLE,
        reason=Reason(
            ReasonCode.SUBMISSION_IN_DOUBT,
            "The connection failed once sending had begun (ReadTimeout). The vendor may have charged for the "
            "file, so it is not sent again automatically. "
            "Look for the task in the vendor's console, then decide.",
        ),
        finished_at=datetime.fromisoformat("2026-03-04T12:01:05Z"),
    ),
}


@cache
def read(path: str) -> Any:
    return json.loads((PROJECT / "events" / path).read_text("utf-8"))


def sample(name: str, version: str = "1") -> Any:
    return read(f"samples/{version}/{name}.json")


def announced(name: str, version: SchemaVersion = SchemaVersion.ONE, **changes: Any) -> dict[str, Any]:
    """Return the detail of a job's event after a round trip through JSON."""
    parsed: dict[str, Any] = json.loads(json.dumps(detail(replace(JOBS[name], **changes), version)))
    return parsed


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Return every value that is not a mapping, by its dotted path."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    inner = [leaves(item, f"{path}.{name}" if path else name) for name, item in value.items()]
    return {name: item for part in inner for name, item in part.items()}


@BOTH
@pytest.mark.parametrize("name", ENDINGS)
def test_an_event_has_exactly_the_fields_of_its_sample(name: str, version: SchemaVersion) -> None:
    assert leaves(announced(name, version)).keys() == leaves(sample(name, version)["detail"]).keys()


@BOTH
@pytest.mark.parametrize("name", ENDINGS)
def test_every_field_has_the_type_and_value_of_its_sample(name: str, version: SchemaVersion) -> None:
    expected = leaves(sample(name, version)["detail"])
    for path, value in leaves(announced(name, version)).items():
        assert (path, type(value), value) == (path, type(expected[path]), expected[path])


@pytest.mark.parametrize(("name", "state"), ENDINGS.items())
def test_an_event_has_the_source_and_type_of_its_sample(name: str, state: State) -> None:
    assert (sample(name)["source"], sample(name)["detail-type"]) == (SOURCE, DETAIL_TYPES[state])


def test_an_abandoned_job_has_the_failed_event() -> None:
    assert DETAIL_TYPES[State.ABANDONED] == sample("failed")["detail-type"]


def test_a_blocked_job_is_announced_as_needing_attention() -> None:
    assert DETAIL_TYPES[State.BLOCKED] == sample("needs_attention")["detail-type"]


def test_jobs_in_progress_are_not_announced() -> None:
    in_progress = {State.CLAIMED, State.SUBMITTING, State.SUBMITTED, State.ANSWERED}
    assert DETAIL_TYPES.keys() == set(State) - in_progress


@pytest.mark.parametrize(("name", "other"), [("completed", "reason"), ("failed", "results")])
def test_an_event_has_either_results_or_a_reason(name: str, other: str) -> None:
    assert other not in announced(name)


def test_a_charge_can_be_unknown() -> None:
    assert announced("needs_attention")["charged"] is None


def test_a_job_without_a_checker_has_empty_checker_fields() -> None:
    reason = Reason(ReasonCode.UNKNOWN_CHECKER, "No such checker.")
    event = detail(a_job(State.FAILED, checker=None, task_type=None, task_id=None, reason=reason))
    assert (event["checker"], event["task_type"], event["task_id"]) == (None, None, None)
    assert event.keys() == sample("failed")["detail"].keys()


IDS_TIMES_AND_SIZES = re.compile(r"(_at|_id|etag|size|schema_version)$")


@BOTH
@pytest.mark.parametrize("name", ENDINGS)
def test_no_sample_contains_a_phone_number(name: str, version: SchemaVersion) -> None:
    values = {
        path: v
        for path, v in leaves(sample(name, version)["detail"]).items()
        if not IDS_TIMES_AND_SIZES.search(path)
    }
    without_ids = json.dumps(values).replace(EXAMPLE.job_id[:12], "")
    assert not re.search(r"[0-9]{7}", without_ids)


def test_times_are_utc_with_milliseconds() -> None:
    moment = datetime.fromisoformat("2026-03-04T13:00:00.123456+01:00")
    assert timestamp(moment) == "2026-03-04T12:00:00.123Z"


# Schemas, from which consumers generate code


@cache
def schema(name: str, version: str = "1") -> Any:
    return read(f"schemas/{version}/{name}.json")


def without(document: dict[str, Any], *path: str) -> dict[str, Any]:
    """Return a copy without one field."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    parent = copy
    for name in path[:-1]:
        parent = parent[name]
    del parent[path[-1]]
    return copy


@BOTH
@pytest.mark.parametrize("name", ENDINGS)
def test_each_schema_is_valid(name: str, version: SchemaVersion) -> None:
    Draft4Validator.check_schema(schema(name, version))


@BOTH
@pytest.mark.parametrize("name", ENDINGS)
def test_an_event_matches_its_schema(name: str, version: SchemaVersion) -> None:
    Draft4Validator(schema(name, version)).validate(
        sample(name, version) | {"detail": announced(name, version)}
    )


@BOTH
@pytest.mark.parametrize("name", ENDINGS)
def test_an_event_with_unknown_fields_matches_its_schema(name: str, version: SchemaVersion) -> None:
    job = replace(JOBS[name], counts=Counts())
    if name != "completed":
        job = replace(job, checker=None, task_type=None, task_id=None, submitted_at=None)
    event = json.loads(json.dumps(detail(job, version)))
    Draft4Validator(schema(name, version)).validate(sample(name, version) | {"detail": event})


@BOTH
@pytest.mark.parametrize("name", ENDINGS)
def test_an_event_with_a_missing_field_breaks_its_schema(name: str, version: SchemaVersion) -> None:
    for path in leaves(sample(name, version)):
        if not path.startswith("detail.counts.verdicts"):
            with pytest.raises(ValidationError):
                Draft4Validator(schema(name, version)).validate(
                    without(sample(name, version), *path.split("."))
                )


@BOTH
@pytest.mark.parametrize("name", ["failed", "needs_attention"])
def test_each_schema_lists_every_reason_code(name: str, version: SchemaVersion) -> None:
    reason = schema(name, version)["properties"]["detail"]["properties"]["reason"]
    assert reason["properties"]["code"]["enum"] == list(ReasonCode)


def test_the_registry_contains_the_schemas() -> None:
    registry = yaml.load((PROJECT / "events/schemas/registry.yaml").read_text("utf-8"), CloudFormationLoader)
    contents = [
        json.loads(resource["Properties"]["Content"])
        for resource in registry["Resources"].values()
        if resource["Type"] == "AWS::EventSchemas::Schema"
    ]
    assert contents == [schema(name, version) for version in SchemaVersion for name in ENDINGS]


def test_the_registry_names_each_schema_once() -> None:
    registry = yaml.load((PROJECT / "events/schemas/registry.yaml").read_text("utf-8"), CloudFormationLoader)
    names = [
        resource["Properties"]["SchemaName"]
        for resource in registry["Resources"].values()
        if resource["Type"] == "AWS::EventSchemas::Schema"
    ]
    types = ["numberdrop@" + DETAIL_TYPES[state].replace(" ", "") for state in ENDINGS.values()]
    assert names == types + [f"{name}-2" for name in types]


# Version 2


def test_version_one_is_the_default() -> None:
    assert detail(JOBS["completed"])["schema_version"] == "1"
    assert template()["Parameters"]["EventSchemaVersion"]["Default"] == "1"
    assert template()["Parameters"]["EventSchemaVersion"]["AllowedValues"] == list(SchemaVersion)


@pytest.mark.parametrize("name", ENDINGS)
def test_version_two_only_adds_fields(name: str) -> None:
    older, newer = announced(name), announced(name, SchemaVersion.TWO)
    before, after = leaves(older), leaves(newer)
    assert (before.pop("schema_version"), after["schema_version"]) == ("1", "2")
    assert {path: after[path] for path in before} == before
    added = {"counts.remembered", "counts.refreshed", "saved.duplicates", "saved.remembered"}
    assert after.keys() - before.keys() == {"schema_version", "tasks"} | added


def test_a_completed_job_may_have_neither_task_nor_export() -> None:
    results = replace(JOBS["completed"].results, export_key=None)  # type: ignore[type-var]
    event = announced("completed", SchemaVersion.TWO, task_id=None, charged=False, results=results)
    assert (event["task_id"], event["results"]["export_key"], event["tasks"]) == (None, None, [])
    envelope = sample("completed", "2") | {"detail": event}
    Draft4Validator(schema("completed", "2")).validate(envelope)


def test_the_sample_of_an_answered_job_is_its_event() -> None:
    job = JOBS["completed"]
    known = {"submitted": 0, "remembered": 100, "resolved": 100, "unresolved": 0}
    of_task = dict.fromkeys(["total", "success", "failure"])
    event = announced(
        "completed",
        SchemaVersion.TWO,
        task_id=None,
        charged=False,
        submitted_at=None,
        counts=replace(job.counts, **known, **of_task, verdicts={"yes": 60, "no": 40}),
        results=replace(job.results, export_key=None),  # type: ignore[type-var]
    )
    answered = sample("completed_from_memory", "2")
    assert event == answered["detail"]
    Draft4Validator(schema("completed", "2")).validate(answered)


@pytest.mark.parametrize(
    ("name", "charged"), [("completed", True), ("failed", True), ("needs_attention", None)]
)
def test_a_task_is_listed_if_it_may_have_been_charged(name: str, charged: bool | None) -> None:
    event = announced(name, SchemaVersion.TWO)
    task = {"task_id": event["task_id"], "checker": "band", "rows": 100, "charged": charged}
    assert event["tasks"] == [task]


def test_an_upload_that_was_not_charged_has_no_tasks() -> None:
    assert announced("failed", SchemaVersion.TWO, charged=False, task_id=None)["tasks"] == []


# The file that a job without results leaves


def test_the_failed_file_is_its_sample_and_matches_its_schema() -> None:
    facts = json.loads(json.dumps(failure_facts(JOBS["failed"])))
    assert facts == sample("failed_file")
    Draft4Validator.check_schema(schema("failed_file"))
    Draft4Validator(schema("failed_file")).validate(facts)


def test_the_failed_files_schema_lists_every_reason_code() -> None:
    assert schema("failed_file")["properties"]["reason"]["properties"]["code"]["enum"] == list(ReasonCode)


def test_the_failed_file_has_all_fields_of_the_event() -> None:
    assert sample("failed")["detail"].items() <= sample("failed_file").items()


# Samples for `sam local invoke -e`


def test_the_submit_sample_announces_the_sample_upload() -> None:
    (record,) = read("submit.json")["Records"]
    assert upload_from_message(Message.from_record(record).body, bucket=EXAMPLE.bucket) == EXAMPLE


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("check_status.json", {"job_id", "seen", "retries"}),
        ("collect.json", {"job_id"}),
        ("record_failure.json", {"job_id", "execution", "reason"}),
    ],
)
def test_the_other_samples_are_about_the_same_job(path: str, fields: set[str]) -> None:
    assert read(path).keys() == fields
    assert read(path)["job_id"] == EXAMPLE.job_id


def test_the_failure_sample_has_a_valid_reason_code() -> None:
    reason = read("record_failure.json")["reason"]
    assert ReasonCode(reason["code"])
    assert reason["message"]
