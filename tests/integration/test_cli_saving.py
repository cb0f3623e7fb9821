"""Command line: results are saved next to the file, and nothing else is written or overwritten."""

import re
from pathlib import Path

import boto3
import pytest

from numberdrop.jobs.transitions import State
from tests.support.command_line import (
    RESULTS,
    SAVED,
    CommandLine,
    Meanwhile,
    completed_job,
    job_becomes,
    saved_files,
)


def test_results_are_saved_next_to_the_file(run: CommandLine, meanwhile: Meanwhile, tmp_path: Path) -> None:
    (tmp_path / "spring").mkdir()
    (tmp_path / "leads.txt").rename(tmp_path / "spring" / "leads.txt")
    meanwhile.append(job_becomes(run, State.COMPLETED))
    run("send", "spring/leads.txt", "--checker", "band", "--watch")
    assert saved_files(tmp_path / "spring") == SAVED


def test_all_results_that_a_job_has_are_saved(run: CommandLine, tmp_path: Path) -> None:
    job = completed_job(run, rejected_csv=b"line", export_unreadable=b"?", yes_txt=b"1", results_xlsx=b"PK")
    run("watch", job.job_id)
    others = {"leads.txt.results/rejected.csv", "leads.txt.results/yes.txt", "leads.txt.results/results.xlsx"}
    assert saved_files(tmp_path) == SAVED | others


def test_the_links_of_the_saved_report_work(run: CommandLine, tmp_path: Path) -> None:
    page = b'<a href="results.csv">results.csv</a> <a href="manifest.json">manifest.json</a>'
    run("watch", completed_job(run, report_html=page).job_id)
    report = tmp_path / "leads.txt.results" / "report.html"
    links = re.findall(r'href="([^"]+)"', report.read_text("utf-8"))
    assert links
    assert all((report.parent / link).is_file() for link in links)


def test_a_file_in_the_place_of_the_folder_is_refused(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "leads.txt.results").write_text("mine", encoding="utf-8")
    result = run("watch", completed_job(run).job_id)
    assert result.exit_code == 1
    assert "leads.txt.results is a file" in result.stderr


def test_the_export_is_saved_on_request(run: CommandLine, tmp_path: Path) -> None:
    run("watch", completed_job(run).job_id, "--export")
    assert (tmp_path / "leads.txt.results" / "export.zip").read_bytes() == b"zip"


@pytest.mark.parametrize(
    "name", ["export.x/../../evil", "export.csv/01/results.csv", "export.\\..\\evil", "export.", "export.a\n"]
)
def test_only_plain_names_are_saved_as_exports(run: CommandLine, tmp_path: Path, name: str) -> None:
    (tmp_path / "results").mkdir()
    job = completed_job(run)
    assert job.results
    folder = job.results.csv_key.removesuffix("results.csv")
    boto3.client("s3").put_object(Bucket=job.results.bucket, Key=folder + name, Body=b"evil")
    run("watch", job.job_id, "--export", "--into", "results")
    assert saved_files(tmp_path / "results") == SAVED | {"leads.txt.results/export.zip"}
    assert not list(tmp_path.glob("**/*evil*"))


def test_results_can_go_into_a_folder(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    run("watch", completed_job(run).job_id, "--into", "results")
    assert saved_files(tmp_path / "results") == SAVED


@pytest.mark.parametrize(
    ("key", "name"), [("band/a/..", ".."), ("band/a\\b\n.txt", "a_b_.txt"), ("band/é.txt", "é.txt")]
)
def test_a_key_cannot_escape_the_folder(run: CommandLine, tmp_path: Path, key: str, name: str) -> None:
    (tmp_path / "results").mkdir()
    run("watch", completed_job(run, key).job_id, "--into", "results")
    assert saved_files(tmp_path / "results") == {each.replace("leads.txt", name) for each in SAVED}


# Existing files


def test_jobs_with_results_of_the_same_name_are_refused(run: CommandLine, tmp_path: Path) -> None:
    jobs = [completed_job(run, "band/a/leads.txt"), completed_job(run, "band/b/leads.txt")]
    result = run("watch", *[job.job_id for job in jobs])
    assert result.exit_code == 2
    assert "2 files are called leads.txt" in result.stderr
    assert saved_files(tmp_path) == set()


def test_results_that_appear_meanwhile_are_not_overwritten(
    run: CommandLine, meanwhile: Meanwhile, tmp_path: Path
) -> None:
    mine = tmp_path / "leads.txt.results" / "results.csv"
    mine.parent.mkdir()
    meanwhile += [lambda: mine.write_text("mine", encoding="utf-8"), job_becomes(run, State.COMPLETED)]
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    assert result.exit_code == 5
    assert mine.read_text(encoding="utf-8") == "mine"
    assert "They are still in s3://results/band/leads.txt/0123/" in result.stdout


def test_results_are_overwritten_on_request(run: CommandLine, tmp_path: Path) -> None:
    old = tmp_path / "leads.txt.results" / "results.csv"
    old.parent.mkdir()
    old.write_text("old", encoding="utf-8")
    assert run("watch", completed_job(run).job_id, "--force").exit_code == 0
    assert old.read_bytes() == RESULTS["results.csv"]


def test_deleted_results_are_reported(run: CommandLine) -> None:
    result = run("watch", run.put(State.COMPLETED).job_id)
    assert result.exit_code == 5
    assert "no longer in the bucket" in result.stdout
