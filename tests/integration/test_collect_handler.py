"""The collect function stores the export and the results, and emits one event."""

import hashlib
import json
from dataclasses import replace

import pytest
import requests

from functions.collect import app as collect
from local.simulator import Simulator, verdict
from numberdrop.aws.ledger import JobMissingError
from numberdrop.jobs.reading_choice import Choice, UploadLayout
from numberdrop.jobs.reasons import ReasonCode
from numberdrop.jobs.transitions import State
from numberdrop.jobs.upload import Upload
from numberdrop.steps.collection import PAUSES, Collector
from tests.support.account import LONG_AGO, Account
from tests.support.files import NUMBERS, file_of
from tests.support.invocations import Functions, LogLines
from tests.support.jobs import an_upload
from tests.support.outcomes import failure, files_of, job_of, rows_of, submitted
from tests.support.vendor_by_hand import wait_until

CHECKERS = [("band", "zip"), ("phoneCheck", "zip"), ("wa-deep", "xlsx")]


# Results


@pytest.mark.parametrize(("checker", "extension"), CHECKERS)
def test_every_submitted_number_gets_a_verdict(
    account: Account, functions: Functions, checker: str, extension: str
) -> None:
    upload = submitted(account, functions, f"{checker}/spring/leads.txt", file_of())
    assert functions.check_status(upload)["next"] == "collect"
    assert functions.collect(upload)["next"] == "done"

    files = files_of(account, upload)
    lists = {f"{answer}.txt" for answer in ("yes", "no", "unknown")} & files.keys()
    described = {"results.csv", "results.xlsx", "report.html", "manifest.json"}
    assert files.keys() == {f"export.{extension}"} | described | lists
    rows = rows_of(files["results.csv"])
    for name in lists:
        answer = name.removesuffix(".txt")
        listed = [row["number"] for row in rows if row["verdict"] == answer]
        assert files[name].decode().splitlines() == listed != []
    assert [row["number"] for row in rows] == list(NUMBERS)
    assert {row["status"] for row in rows} == {"resolved"}

    (event,) = account.events()
    yes = sum(verdict(number) == "yes" for number in NUMBERS)
    assert event["detail-type"] == "Number Check Completed"
    assert event["detail"]["counts"] == {
        "lines": 100,
        "submitted": 100,
        "rejected": 0,
        "duplicates": 0,
        "further": 0,
        "total": 100,
        "success": 100,
        "failure": 0,
        "resolved": 100,
        "unresolved": 0,
        "verdicts": {"yes": yes, "no": 100 - yes},
    }
    assert event["detail"]["charged"] is True
    job = job_of(account, upload)
    assert (job.state, job.announced) == (State.COMPLETED, frozenset({"completed"}))


@pytest.mark.parametrize(("checker", "extension"), CHECKERS)
def test_the_stored_export_equals_the_vendors(
    account: Account, simulator: Simulator, functions: Functions, checker: str, extension: str
) -> None:
    upload = submitted(account, functions, f"{checker}/leads.txt", file_of())
    functions.collect(upload)
    task_id = str(job_of(account, upload).task_id)
    link = simulator.links.issue(base_url=simulator.url, task_id=task_id, suffix="", life_seconds=60)
    with requests.Session() as session:
        session.trust_env = False
        expected = session.get(link, timeout=5).content
    assert files_of(account, upload)[f"export.{extension}"] == expected


def test_the_ledger_stores_the_time_of_the_export(
    account: Account, simulator: Simulator, functions: Functions
) -> None:
    simulator.change_settings(duration_seconds=0.2)
    upload = submitted(account, functions, "band/leads.txt", file_of())
    wait_until(lambda: functions.collect(upload)["next"] == "done")
    job = job_of(account, upload)
    assert job.submitted_at
    assert job.exported_at
    assert job.finished_at
    assert job.submitted_at <= job.exported_at <= job.finished_at


@pytest.mark.parametrize("updated_at", ["soon", "1999-12-31T00:00:00Z", "2999-12-31T00:00:00Z"])
def test_an_implausible_time_of_the_export_is_not_stored(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload, updated_at: str
) -> None:
    simulator.inject_fault("status", "wrong_time", updated_at=updated_at)
    functions.collect(upload)
    job = job_of(account, upload)
    assert (job.state, job.exported_at) == (State.COMPLETED, None)


def test_the_event_lists_the_stored_files(account: Account, functions: Functions, upload: Upload) -> None:
    functions.collect(upload)
    (event,) = account.events()
    results = dict(event["detail"]["results"])
    assert results.pop("bucket") == account.results_bucket
    stored = {key for key in results.values() if key}
    assert stored == account.stored().keys()
    assert results["unknown_key"] is None


def test_a_workbook_that_fails_does_not_cost_the_results(
    account: Account,
    functions: Functions,
    upload: Upload,
    monkeypatch: pytest.MonkeyPatch,
    logged: LogLines,
) -> None:
    def broken(*_: object, **__: object) -> bool:
        raise ValueError("+447700900123 does not fit")

    monkeypatch.setattr("numberdrop.steps.result_files.write_workbook", broken)
    assert functions.collect(upload)["next"] == "done"
    files = files_of(account, upload)
    assert "results.csv" in files
    assert "results.xlsx" not in files
    assert "the workbook could not be written" in [line["message"] for line in logged.lines]
    assert "447700900123" not in str(logged.lines)


def test_the_manifest_describes_the_files_without_numbers(
    account: Account, functions: Functions, upload: Upload
) -> None:
    functions.collect(upload)
    files = files_of(account, upload)
    manifest = json.loads(files["manifest.json"])
    for name, described in manifest["files"].items():
        assert described["size"] == len(files[name])
        assert described["sha256"] == hashlib.sha256(files[name]).hexdigest()
    assert manifest["files"].keys() == files.keys() - {"manifest.json"}
    assert b"447700900" not in files["manifest.json"]


def test_the_report_shows_the_counts_without_numbers(
    account: Account, functions: Functions, upload: Upload
) -> None:
    functions.collect(upload)
    files = files_of(account, upload)

    detail = account.events()[0]["detail"]

    assert detail["results"]["report_key"] in account.stored()
    assert str(detail["counts"]["resolved"]).encode() in files["report.html"]
    assert detail["task_id"].encode() in files["report.html"]
    assert b"447700900" not in files["report.html"]


def test_rejected_lines_are_listed(account: Account, functions: Functions) -> None:
    content = file_of(NUMBERS[0], "no number", "", f" {NUMBERS[1]} ", NUMBERS[0])
    upload = submitted(account, functions, "band/leads.txt", content)
    functions.collect(upload)
    files = files_of(account, upload)
    assert [row["line"] for row in rows_of(files["rejected.csv"])] == ["2"]
    rows = rows_of(files["results.csv"])
    assert [(row["line"], row["number"]) for row in rows] == [
        *(("1", NUMBERS[0]), ("2", ""), ("4", NUMBERS[1]), ("5", NUMBERS[0])),
    ]
    assert [row["status"] for row in rows] == ["resolved", "rejected", "resolved", "resolved"]


def test_the_columns_of_a_table_are_kept_before_the_results(account: Account, functions: Functions) -> None:
    content = file_of(
        "name,phone,balance", f'"Doe, Jane",{NUMBERS[0]},-5', "Rick,none,", f"Ann,{NUMBERS[1]},1"
    )
    upload = submitted(account, functions, "band/leads.csv", content)
    functions.collect(upload)

    verdicts = [verdict(number) for number in NUMBERS[:2]]
    assert files_of(account, upload)["results.csv"].decode() == (
        "name,phone,balance,number,status,verdict,band\n"
        f'"Doe, Jane",{NUMBERS[0]},-5,{NUMBERS[0]},resolved,{verdicts[0]},{verdicts[0]}\n'
        "Rick,none,,,rejected,,\n"
        f"Ann,{NUMBERS[1]},1,{NUMBERS[1]},resolved,{verdicts[1]},{verdicts[1]}\n"
    )


def test_the_manifest_has_counts_prices_and_savings(account: Account, functions: Functions) -> None:
    content = file_of(*NUMBERS[:60], "no number", *NUMBERS[:50], "+12025550101")
    upload = submitted(account, functions, "band/leads.txt", content)
    functions.collect(upload)
    manifest = json.loads(files_of(account, upload)["manifest.json"])
    yes = sum(verdict(number) == "yes" for number in NUMBERS[:60])
    assert manifest["upload_counts"] == {
        "lines": 112,
        "submitted": 61,
        "rejected": 1,
        "duplicates": 50,
        "further": 0,
    }
    assert manifest["verdicts_by_country"] == {
        "+44 GB": {"yes": yes, "no": 60 - yes},
        "+1 US": {verdict("+12025550101"): 1},
    }
    assert manifest["list_price"] == {"usd_per_10k": 1, "usd": 0.0061}
    assert manifest["saved"] == {"numbers": 50, "usd": 0.005, "duplicates": 50, "remembered": 0}


def test_the_manifest_says_what_was_read(account: Account, functions: Functions) -> None:
    rows = [f"Jane,{number}" for number in NUMBERS]
    upload = submitted(account, functions, "band/leads.csv", file_of("name,phone", *rows))
    functions.collect(upload)
    assert json.loads(files_of(account, upload)["manifest.json"])["read"] == {
        "format": "text",
        "encoding": "utf-8",
        "sheet": None,
        "hidden_rows": 0,
        "column": "phone",
        "country_column": None,
        "default_region": None,
        "other_columns": [],
        "other_sheets": [],
    }


def test_the_column_that_was_sent_is_read_again(account: Account, functions: Functions) -> None:
    rows = [f"Jane,+12025550101,{number}" for number in NUMBERS]
    upload = account.drop("band/leads.csv", file_of("name,phone,Móvil", *rows), {"column": "M%C3%B3vil"})
    functions.submit(upload)
    assert job_of(account, upload).layout == UploadLayout(",", 2, 1, has_header=True)

    functions.collect(upload)
    files = files_of(account, upload)
    assert [row["status"] for row in rows_of(files["results.csv"])] == ["resolved"] * 100
    read = json.loads(files["manifest.json"])["read"]
    assert read["column"] == "Móvil"
    assert read["other_columns"] == [{"name": "phone", "numbers": 100}]


@pytest.mark.parametrize("other", ["", ",+12025550101"], ids=["refused now", "another column now"])
def test_a_column_that_an_older_version_sent_still_gets_rows(
    account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    header = "Fax,name,phone" if other else "Fax,name"
    upload = account.drop(
        "band/leads.csv", file_of(header, *[f"{number},Jane{other}" for number in NUMBERS]), {"column": "Fax"}
    )
    functions.submit(upload)
    # Older versions knew neither the metadata nor the attribute.
    account.put(replace(job_of(account, upload), layout=None))
    monkeypatch.setattr(Choice, "from_metadata", lambda _: Choice())

    assert functions.collect(upload)["next"] == "done"
    rows = rows_of(files_of(account, upload)["results.csv"])
    assert [(row["number"], row["status"]) for row in rows] == [(number, "resolved") for number in NUMBERS]


def test_an_unknown_price_is_null_in_the_manifest(account: Account, functions: Functions) -> None:
    upload = submitted(account, functions, "task_type=new_check/leads.txt", file_of(*NUMBERS, *NUMBERS))
    functions.collect(upload)
    manifest = json.loads(files_of(account, upload)["manifest.json"])
    assert manifest["list_price"] == {"usd_per_10k": None, "usd": None}
    assert manifest["saved"] == {"numbers": 100, "usd": None, "duplicates": 100, "remembered": 0}


@pytest.mark.parametrize("key", ["band/ü 🎈+%20/../..", "band/" + "k" * 1019])
def test_odd_keys_reach_the_results_as_data(account: Account, functions: Functions, key: str) -> None:
    upload = submitted(account, functions, key, file_of())
    assert functions.collect(upload)["next"] == "done"
    assert len(account.stored()) == 7


def test_the_api_key_is_not_sent_with_the_download(
    simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    functions.collect(upload)
    assert [download.api_key_sent for download in simulator.downloads] == [False]


# Links


def test_an_expired_link_is_replaced_by_a_fresh_one(
    simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    simulator.inject_fault("download", "link_refused", times=2)
    assert functions.collect(upload)["next"] == "done"
    assert [download.status for download in simulator.downloads] == [403, 403, 200]
    assert simulator.calls["status"] == 3


def test_each_download_retry_waits_longer(
    simulator: Simulator, functions: Functions, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numberdrop.steps.collection.PAUSES", PAUSES)
    slept: list[float] = []
    collector = replace(Collector.from_env(), sleep=slept.append)
    simulator.inject_fault("download", "link_refused", times=None)
    with monkeypatch.context() as patch:
        patch.setattr(collect, "collector", lambda: collector)
        functions.collect(upload)
    assert slept == sorted(set(slept)) == [0, 5, 15]


def test_a_link_that_never_works_fails_the_job(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    simulator.inject_fault("download", "link_refused", times=None)
    assert failure(functions.collect(upload)) == ReasonCode.RESULT_UNAVAILABLE
    assert (len(simulator.downloads), account.stored()) == (3, {})


@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.example/export.zip",
        "https://elsewhere.example/export.zip",
        "https://169.254.169.254/latest/meta-data/",
        "http://localhost/export.zip",
        "http://user@127.0.0.1/export.zip",
        "https://127.0.0.1:9/export.zip",
        "file:///etc/passwd",
    ],
)
def test_a_link_to_another_host_is_not_followed(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload, url: str
) -> None:
    simulator.inject_fault("status", "wrong_link", url=url)
    decision = functions.collect(upload)
    assert failure(decision) == ReasonCode.RESULT_UNTRUSTED
    assert url not in json.dumps(decision)
    assert (simulator.downloads, account.stored()) == ([], {})


def test_a_link_that_redirects_is_not_trusted(
    simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    simulator.inject_fault("download", "redirect", status=302, location=f"{simulator.url}/externalcheck/x")
    assert failure(functions.collect(upload)) == ReasonCode.RESULT_UNTRUSTED
    assert len(simulator.downloads) == 1


# Tasks without a link, and jobs that have ended


@pytest.mark.parametrize(
    "fault", ["completed_without_file", "exported_without_link", "http_error", "html_page"]
)
def test_collect_waits_for_a_task_without_a_link(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload, fault: str
) -> None:
    simulator.inject_fault("status", fault)
    decision = functions.collect(upload)
    assert (decision["next"], decision["wait_seconds"]) == ("wait", 60)
    assert job_of(account, upload).state is State.SUBMITTED


@pytest.mark.parametrize("status", [404, 408, 429, 503])
def test_collect_waits_while_the_download_fails(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload, status: int
) -> None:
    simulator.inject_fault("download", "http_error", times=None, status=status)
    assert functions.collect(upload)["next"] == "wait"
    assert account.stored() == {}


def test_a_missing_export_gets_some_minutes(
    simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    simulator.inject_fault("download", "http_error", times=None, status=404)
    first = functions.collect(upload, {"done": 7})
    assert (first["next"], first["seen"]["done"]) == ("wait", 7)
    again = functions.collect(upload, first["seen"])
    assert (again["next"], again["seen"]) == ("wait", first["seen"])

    long_missing = first["seen"] | {"export_missing_since": LONG_AGO}
    assert failure(functions.collect(upload, long_missing)) == ReasonCode.RESULT_UNAVAILABLE


def test_another_failure_resets_the_minutes(
    simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    simulator.inject_fault("download", "http_error", times=None, status=503)
    decision = functions.collect(upload, {"export_missing_since": LONG_AGO})
    assert (decision["next"], decision["seen"]["export_missing_since"]) == ("wait", None)


def test_collect_does_not_wait_past_the_deadline(
    account: Account, simulator: Simulator, functions: Functions, upload: Upload
) -> None:
    simulator.inject_fault("download", "http_error", times=None, status=503)
    account.expire_deadline(upload)
    assert failure(functions.collect(upload)) == ReasonCode.RESULT_UNAVAILABLE


def test_an_export_is_collected_past_the_deadline(
    account: Account, functions: Functions, upload: Upload
) -> None:
    account.expire_deadline(upload)
    assert functions.collect(upload)["next"] == "done"


def test_a_failed_job_is_not_collected(simulator: Simulator, functions: Functions, upload: Upload) -> None:
    functions.record_failure(upload, ReasonCode.TIMED_OUT)
    assert failure(functions.collect(upload)) == ReasonCode.TIMED_OUT
    assert simulator.downloads == []


def test_a_missing_job_is_an_error(functions: Functions) -> None:
    with pytest.raises(JobMissingError):
        functions.collect(an_upload())


@pytest.mark.parametrize("fault", ["link_refused", "html_page", "missing_rows"])
def test_no_number_key_or_link_is_logged_or_announced(
    account: Account,
    simulator: Simulator,
    functions: Functions,
    logged: LogLines,
    upload: Upload,
    *,
    fault: str,
) -> None:
    simulator.inject_fault("download", fault)
    decision = functions.collect(upload)
    text = json.dumps([logged.lines, decision, account.events()])
    assert upload.job_id in text
    assert not [word for word in ("447700900", "test-key", "http://", "Signature") if word in text]
