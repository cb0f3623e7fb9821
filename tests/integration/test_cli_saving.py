"""The command line: results beside the file, and what is never replaced or written elsewhere."""

from pathlib import Path

import pytest

from numberdrop.jobs.transitions import State
from tests.support.command_line import RESULTS, SAVED, CommandLine, Meanwhile, completed, saved, the_job


def test_results_lie_beside_the_file_wherever_it_is(
    run: CommandLine, meanwhile: Meanwhile, tmp_path: Path
) -> None:
    (tmp_path / "spring").mkdir()
    (tmp_path / "leads.txt").rename(tmp_path / "spring" / "leads.txt")
    meanwhile.append(the_job(run, State.COMPLETED))
    run("send", "spring/leads.txt", "--checker", "band", "--watch")
    assert saved(tmp_path / "spring") == SAVED


def test_all_results_that_a_job_has_are_saved(run: CommandLine, tmp_path: Path) -> None:
    job = completed(run, rejected_csv=b"line", export_unreadable=b"?")
    run("watch", job.job_id)
    assert saved(tmp_path) == SAVED | {"leads.txt.rejected.csv"}


def test_the_export_is_saved_on_request(run: CommandLine, tmp_path: Path) -> None:
    run("watch", completed(run).job_id, "--export")
    assert (tmp_path / "leads.txt.export.zip").read_bytes() == b"zip"


def test_results_can_go_into_a_folder(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    run("watch", completed(run).job_id, "--into", "results")
    assert saved(tmp_path / "results") == SAVED


@pytest.mark.parametrize(
    ("key", "name"), [("band/a/..", ".."), ("band/a\\b\n.txt", "a_b_.txt"), ("band/é.txt", "é.txt")]
)
def test_a_key_is_no_path_to_elsewhere(run: CommandLine, tmp_path: Path, key: str, name: str) -> None:
    (tmp_path / "results").mkdir()
    run("watch", completed(run, key).job_id, "--into", "results")
    assert saved(tmp_path / "results") == {each.replace("leads.txt", name) for each in SAVED}


# What is in the way


def test_jobs_whose_results_would_have_one_name_are_refused(run: CommandLine, tmp_path: Path) -> None:
    jobs = [completed(run, "band/a/leads.txt"), completed(run, "band/b/leads.txt")]
    result = run("watch", *[job.job_id for job in jobs])
    assert result.exit_code == 2
    assert "2 files are called leads.txt" in result.stderr
    assert saved(tmp_path) == set()


def test_results_that_appear_meanwhile_are_not_replaced(
    run: CommandLine, meanwhile: Meanwhile, tmp_path: Path
) -> None:
    mine = tmp_path / "leads.txt.results.csv"
    meanwhile += [lambda: mine.write_text("mine", encoding="utf-8"), the_job(run, State.COMPLETED)]
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    assert result.exit_code == 5
    assert mine.read_text(encoding="utf-8") == "mine"
    assert "They stay in s3://results/band/leads.txt/0123/" in result.stdout


def test_results_are_replaced_on_request(run: CommandLine, tmp_path: Path) -> None:
    old = tmp_path / "leads.txt.results.csv"
    old.write_text("old", encoding="utf-8")
    assert run("watch", completed(run).job_id, "--force").exit_code == 0
    assert old.read_bytes() == RESULTS["results.csv"]


def test_results_that_were_deleted_since_are_told(run: CommandLine) -> None:
    result = run("watch", run.put(State.COMPLETED).job_id)
    assert result.exit_code == 5
    assert "not in the bucket any more" in result.stdout
