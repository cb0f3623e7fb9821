"""The command line: jobs that are followed, and their results beside the file."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from rich.console import Console

from cli import following
from cli.following import Sight, look
from cli.news import News, Step
from cli.views import Bars
from numberdrop.job import Counts, Job, StoredResults
from numberdrop.ledger import Ledger
from numberdrop.line import Line
from numberdrop.reasons import Reason, ReasonCode
from numberdrop.transitions import State
from numberdrop.workflow import Workflow
from tests.integration.account import Account
from tests.integration.command_line import CommandLine
from tests.jobs import NOON, a_job

NUMBERS = "+447700900123\n+447700900124\n"
RESULTS = {"export.zip": b"zip", "manifest.json": b"{}", "results.csv": b"number,status\n"}
"""What every completed job has."""

Meanwhile = list[Callable[[], Any]]
"""What happens while the command waits, one thing a pause; one pause more is an error."""


@pytest.fixture
def run(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    (tmp_path / "leads.txt").write_text(NUMBERS, encoding="utf-8")
    return CommandLine.on(account, tmp_path, monkeypatch)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    things: Meanwhile = []
    monkeypatch.setattr(following, "sleep", lambda _: things.pop(0)())
    return things


def store(account: Account, prefix: str, files: dict[str, bytes]) -> StoredResults:
    """Puts files where results go."""
    for name, content in files.items():
        boto3.client("s3").put_object(Bucket=account.results_bucket, Key=f"{prefix}{name}", Body=content)
    return StoredResults(
        account.results_bucket,
        f"{prefix}export.zip",
        f"{prefix}results.csv",
        f"{prefix}manifest.json",
        f"{prefix}report.html",
    )


def completed(run: CommandLine, key: str = "band/leads.txt", **more: bytes) -> Job:
    """A completed job with results; more files are named with ``_`` for the dot."""
    files = RESULTS | {name.replace("_", "."): content for name, content in more.items()}
    return run.put(State.COMPLETED, key, results=store(run.account, f"{key}/0123/", files))


def the_job(run: CommandLine, state: State, **changes: Any) -> Callable[[], None]:
    """Brings the job of the file that was sent to a state."""

    def bring() -> None:
        (upload,) = run.sent()
        if state is State.COMPLETED:
            changes["results"] = store(run.account, "band/leads.txt/0123/", RESULTS)
        run.account.put(a_job(state, upload=upload, **changes))

    return bring


def nothing_more() -> None:
    pass


def interrupt() -> None:
    raise KeyboardInterrupt


def saved(folder: Path) -> set[str]:
    """The names of the files that lie there beside the one that was sent."""
    return {path.name for path in folder.iterdir()} - {"leads.txt"}


# From the file to its results


def test_a_file_is_followed_to_its_results(run: CommandLine, meanwhile: Meanwhile, tmp_path: Path) -> None:
    meanwhile += [
        the_job(run, State.CLAIMED),
        the_job(run, State.SUBMITTING),
        the_job(run, State.SUBMITTED),
        the_job(run, State.SUBMITTED),
        the_job(run, State.COMPLETED),
    ]
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    assert [line.removeprefix("leads.txt: ") for line in result.stdout.splitlines()[2:]] == [
        "waiting to be picked up",
        "picked up",
        "being sent to the vendor",
        "the vendor is checking",
        "completed; 99 resolved, 1 unresolved; no 39, yes 60",
        "saved leads.txt.manifest.json, leads.txt.results.csv",
    ]
    assert (result.exit_code, result.stderr) == (0, "")
    assert (tmp_path / "leads.txt.results.csv").read_bytes() == RESULTS["results.csv"]


def test_results_lie_beside_the_file_wherever_it_is(
    run: CommandLine, meanwhile: Meanwhile, tmp_path: Path
) -> None:
    (tmp_path / "spring").mkdir()
    (tmp_path / "leads.txt").rename(tmp_path / "spring" / "leads.txt")
    meanwhile.append(the_job(run, State.COMPLETED))
    run("send", "spring/leads.txt", "--checker", "band", "--watch")
    assert saved(tmp_path / "spring") == {"leads.txt.results.csv", "leads.txt.manifest.json"}


def test_a_job_is_followed_later(run: CommandLine, tmp_path: Path) -> None:
    job = completed(run)
    result = run("watch", job.job_id[:12])
    assert result.exit_code == 0
    assert saved(tmp_path) == {"leads.txt.results.csv", "leads.txt.manifest.json"}


def test_all_results_that_a_job_has_are_saved(run: CommandLine, tmp_path: Path) -> None:
    job = completed(run, rejected_csv=b"line", report_html=b"<html>", export_unreadable=b"?")
    run("watch", job.job_id)
    assert saved(tmp_path) == {
        f"leads.txt.{name}" for name in ("results.csv", "rejected.csv", "report.html", "manifest.json")
    }


def test_the_export_is_saved_on_request(run: CommandLine, tmp_path: Path) -> None:
    run("watch", completed(run).job_id, "--export")
    assert (tmp_path / "leads.txt.export.zip").read_bytes() == b"zip"


def test_results_can_go_into_a_folder(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    run("watch", completed(run).job_id, "--into", "results")
    assert saved(tmp_path / "results") == {"leads.txt.results.csv", "leads.txt.manifest.json"}


def test_a_file_in_a_bucket_without_versions_is_found_by_its_key(
    run: CommandLine, meanwhile: Meanwhile, tmp_path: Path
) -> None:
    boto3.client("s3").create_bucket(Bucket="plain")
    run.cloudformation.outputs["UploadBucketName"] = "plain"

    def appear() -> None:
        (upload,) = run.sent()
        earlier, later = (replace(upload, sequencer=each) for each in ("0A", "0B"))
        run.account.put(a_job(State.FAILED, upload=earlier, created_at=NOON - timedelta(days=1)))
        another = replace(upload, sequencer="0C", etag="another")
        run.account.put(a_job(State.FAILED, upload=another, created_at=NOON + timedelta(days=1)))
        results = store(run.account, "band/leads.txt/0123/", RESULTS)
        run.account.put(a_job(State.COMPLETED, upload=later, created_at=NOON, results=results))

    meanwhile += [appear, *[nothing_more] * (following.ROUNDS_FOR_A_SCAN - 1)]
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    assert "the bucket has no versions" in result.stdout
    assert result.exit_code == 0
    assert saved(tmp_path) == {"leads.txt.results.csv", "leads.txt.manifest.json"}


@pytest.mark.parametrize(
    ("key", "name"), [("band/a/..", ".."), ("band/a\\b\n.txt", "a_b_.txt"), ("band/é.txt", "é.txt")]
)
def test_a_key_is_no_path_to_elsewhere(run: CommandLine, tmp_path: Path, key: str, name: str) -> None:
    (tmp_path / "results").mkdir()
    run("watch", completed(run, key).job_id, "--into", "results")
    assert saved(tmp_path / "results") == {f"{name}.results.csv", f"{name}.manifest.json"}


# How it ends


@pytest.mark.parametrize(
    ("state", "changes", "status", "told"),
    [
        (State.FAILED, {}, 3, ["failed. TASK_FAILED: Ask the vendor.", "numberdrop collect-again {id}"]),
        (State.FAILED, {"task_id": None, "charged": False}, 3, ["failed.", "Nothing was charged."]),
        (State.ABANDONED, {}, 3, ["abandoned. ABORTED: A person gave up on this submission."]),
        (State.BLOCKED, {}, 4, ["needs a person. BAD_API_KEY: Put in a valid one.", "numberdrop watch {id}"]),
        (State.IN_DOUBT, {}, 4, ["needs a person. SUBMISSION_IN_DOUBT", "numberdrop resolve {id}"]),
    ],
)
def test_the_exit_status_tells_how_it_ended_and_the_text_what_to_do(
    run: CommandLine,
    meanwhile: Meanwhile,
    tmp_path: Path,
    state: State,
    changes: dict[str, Any],
    status: int,
    told: list[str],
) -> None:
    meanwhile.append(the_job(run, state, **changes))
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    (upload,) = run.sent()
    assert result.exit_code == status
    for text in told:
        assert text.format(id=upload.job_id[:12]) in result.stdout
    assert saved(tmp_path) == set()


def test_of_several_jobs_the_worst_counts_and_all_results_are_saved(run: CommandLine, tmp_path: Path) -> None:
    jobs = [
        run.put(State.IN_DOUBT, "band/doubtful.txt"),
        run.put(State.FAILED, "band/failed.txt"),
        completed(run),
    ]
    result = run("watch", *[job.job_id for job in jobs])
    assert result.exit_code == 4
    assert saved(tmp_path) == {"leads.txt.results.csv", "leads.txt.manifest.json"}


def test_the_same_job_twice_is_one(run: CommandLine) -> None:
    job = completed(run)
    assert run("watch", job.job_id, job.job_id[:8]).exit_code == 0


def test_jobs_whose_results_would_have_one_name_are_refused(run: CommandLine, tmp_path: Path) -> None:
    jobs = [completed(run, "band/a/leads.txt"), completed(run, "band/b/leads.txt")]
    result = run("watch", *[job.job_id for job in jobs])
    assert result.exit_code == 2
    assert "2 files are called leads.txt" in result.stderr
    assert saved(tmp_path) == set()


def test_an_interrupted_watch_says_that_the_job_goes_on(run: CommandLine, meanwhile: Meanwhile) -> None:
    meanwhile.append(interrupt)
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    (upload,) = run.sent()
    assert result.exit_code == 130
    assert f"The jobs go on; to follow them: numberdrop watch {upload.job_id[:12]}" in result.stderr


def test_a_job_that_does_not_exist_cannot_be_followed(run: CommandLine) -> None:
    assert run("watch", "0" * 12).exit_code == 1


# When something is in the way


def test_a_broken_connection_is_waited_out(
    run: CommandLine, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = completed(run)
    answers: list[Exception | Sight] = [
        EndpointConnectionError(endpoint_url="https://aws.example"),
        ClientError({"Error": {"Code": "ThrottlingException"}}, "GetItem"),
        ClientError({"Error": {"Code": "500"}, "ResponseMetadata": {"HTTPStatusCode": 500}}, "GetItem"),  # type: ignore[typeddict-item]
        Sight(job),
    ]

    def looked(*_: Any) -> Sight:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(following, "look", looked)
    meanwhile += [nothing_more] * 3
    result = run("watch", job.job_id)
    assert result.exit_code == 0
    assert result.stdout.count("AWS does not answer") == 1


def test_a_refusal_while_watching_is_told_with_what_goes_on(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> Sight:
        raise ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "no"}}, "GetItem")

    job = run.put(State.SUBMITTED)
    monkeypatch.setattr(following, "look", refused)
    result = run("watch", job.job_id)
    assert result.exit_code == 5
    assert "The AWS credentials have expired" in result.stderr
    assert f"numberdrop watch {job.job_id[:12]}" in result.stderr


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


# When nothing comes


@pytest.fixture
def eventbridge(run: CommandLine) -> Iterator[None]:
    """The bucket's events go to EventBridge; moto's answer does not say so by itself."""

    def say_so(parsed: dict[str, Any], **_: Any) -> None:
        parsed["EventBridgeConfiguration"] = {}

    assert boto3.DEFAULT_SESSION
    events = boto3.DEFAULT_SESSION.events
    events.register("after-call.s3.GetBucketNotificationConfiguration", say_so)
    yield
    events.unregister("after-call.s3.GetBucketNotificationConfiguration", say_so)


def nothing(_: CommandLine) -> None:
    pass


def a_stopped_line(run: CommandLine) -> None:
    Line(boto3.client("dynamodb"), run.account.jobs_table).stop("ab" * 32)


def a_dead_letter(run: CommandLine) -> None:
    boto3.client("sqs").send_message(QueueUrl=run.dead_letters, MessageBody="message")


def what_may_not_be_looked_at(run: CommandLine) -> None:
    run.cloudformation.outputs["DeadLetterQueueUrl"] += "-that-is-gone"


@pytest.mark.usefixtures("eventbridge")
@pytest.mark.parametrize(
    ("obstacle", "told"),
    [
        (a_stopped_line, "It waits behind the job abababababab"),
        (a_dead_letter, "About 1 message(s) could not be taken in"),
        (nothing, "none of the usual causes was found"),
        (what_may_not_be_looked_at, "none of the usual causes was found"),
    ],
)
def test_a_file_that_is_not_picked_up_in_time_gets_a_hint(
    run: CommandLine,
    meanwhile: Meanwhile,
    monkeypatch: pytest.MonkeyPatch,
    obstacle: Callable[[CommandLine], None],
    told: str,
) -> None:
    obstacle(run)
    monkeypatch.setattr(following, "SOON", timedelta(0))
    meanwhile += [nothing_more, interrupt]
    assert run("send", "leads.txt", "--checker", "band", "--watch").stdout.count(told) == 1


def test_a_bucket_that_does_not_tell_eventbridge_is_told(
    run: CommandLine, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SOON", timedelta(0))
    meanwhile += [interrupt]
    told = run("send", "leads.txt", "--checker", "band", "--watch").stdout
    assert "The bucket uploads does not send its events to EventBridge" in told


def test_there_is_no_hint_while_it_is_early(run: CommandLine, meanwhile: Meanwhile) -> None:
    a_stopped_line(run)
    meanwhile += [nothing_more, interrupt]
    assert "waits behind" not in run("send", "leads.txt", "--checker", "band", "--watch").stdout


# How far it is


def submitted(**changes: Any) -> Job:
    return a_job(State.SUBMITTED, counts=Counts(submitted=1000), submitted_at=NOON, **changes)


@pytest.mark.parametrize(
    ("sight", "minutes", "words"),
    [
        (Sight(), 0, "waiting to be picked up"),
        (Sight(submitted()), 1, "the vendor is checking"),
        (Sight(submitted(expected_seconds=1200)), 1, "the vendor is checking, about 19 min left"),
        (Sight(submitted(), 250, NOON + timedelta(minutes=4)), 4, "250 of 1,000 checked, about 12 min left"),
        (Sight(submitted(), 250, NOON + timedelta(minutes=4)), 9, "250 of 1,000 checked, about 7 min left"),
        (
            Sight(submitted(), 250, NOON + timedelta(minutes=4)),
            15.5,
            "250 of 1,000 checked, less than a minute left",
        ),
        (Sight(submitted(), 250, NOON + timedelta(minutes=4)), 17, "250 of 1,000 checked"),
        (
            Sight(submitted(), 50, NOON + timedelta(minutes=8)),
            8,
            "50 of 1,000 checked, about 2 h 32 min left",
        ),
        (Sight(submitted(), 5, NOON + timedelta(minutes=4)), 4, "5 of 1,000 checked"),
        (Sight(submitted(), 0, NOON + timedelta(minutes=4)), 4, "0 of 1,000 checked"),
        (
            Sight(submitted(), 1000, NOON + timedelta(minutes=4)),
            4,
            "all 1,000 are checked, the results come next",
        ),
        (
            Sight(submitted(), 1010, NOON + timedelta(minutes=4)),
            4,
            "all 1,000 are checked, the results come next",
        ),
    ],
)
def test_the_end_is_estimated_by_the_pace_so_far(sight: Sight, minutes: float, words: str) -> None:
    assert sight.step(NOON + timedelta(minutes=minutes)).words == words


class Histories:
    """AWS Step Functions with one execution, as its page "GetExecutionHistory" shows it."""

    def __init__(self, *left: tuple[str, str]) -> None:
        self.left = left

    def get_execution_history(self, **_: Any) -> dict[str, Any]:
        events: list[dict[str, Any]] = [{"type": "WaitStateEntered", "timestamp": NOON, "id": 9}]
        for name, output in self.left:
            details = {"name": name, "output": output}
            events.append({"type": "TaskStateExited", "timestamp": NOON, "stateExitedEventDetails": details})
        return {"events": events}


def seen(run: CommandLine, job: Job, *left: tuple[str, str]) -> Sight:
    """The job, while its execution has left such states."""
    workflow = Workflow(Histories(*left), run.account.state_machine)  # type: ignore[arg-type]
    return look(Ledger(boto3.client("dynamodb"), run.account.jobs_table), workflow, job.job_id)


@pytest.mark.parametrize(
    ("left", "checked"),
    [
        ([], None),
        ([("Wait for the vendor", "{}")], None),
        ([("Check the task", '{"success": 70, "done": 73}'), ("Check the task", '{"done": 9}')], 73),
        ([("Check the task", '{"total": null, "success": null, "done": null}')], None),
    ],
)
def test_the_latest_look_of_the_workflow_tells_what_the_vendor_has_done(
    run: CommandLine, left: list[tuple[str, str]], checked: int | None
) -> None:
    job = run.put(State.SUBMITTED)
    sight = seen(run, job, *left)
    assert (sight.job, sight.checked) == (job, checked)


def test_an_execution_of_an_older_version_tells_what_succeeded(run: CommandLine) -> None:
    told = ("Check the task", '{"total": 100, "success": 73}')
    assert seen(run, run.put(State.SUBMITTED), told).checked == 73


# For programs, for terminals, for nobody


def test_programs_get_every_step_as_json(run: CommandLine, meanwhile: Meanwhile) -> None:
    meanwhile += [the_job(run, State.SUBMITTED), the_job(run, State.COMPLETED)]
    result = run("send", "leads.txt", "--checker", "band", "--watch", "--json")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["event"] for each in told] == ["priced", "sent", "progress", "progress", "stopped", "saved"]
    assert {each["file"] for each in told} == {"leads.txt"}
    assert [each["state"] for each in told if "state" in each] == ["waiting", "submitted", "completed"]
    assert told[4]["counts"]["verdicts"] == {"yes": 60, "no": 39}
    assert told[4]["results"] == {
        "bucket": "results",
        "export_key": "band/leads.txt/0123/export.zip",
        "csv_key": "band/leads.txt/0123/results.csv",
        "manifest_key": "band/leads.txt/0123/manifest.json",
        "report_key": "band/leads.txt/0123/report.html",
    }
    assert told[5]["paths"] == ["leads.txt.manifest.json", "leads.txt.results.csv"]


def test_a_terminal_gets_bars_below_the_lines() -> None:
    screen = Console(file=StringIO(), force_terminal=True, width=120, color_system=None)
    with Bars(screen) as bars:
        transferred = bars.transfer("[bold]leads.txt", "sending", 4_000_000)
        transferred(4_000_000)
        bars.tell(News("[bold]leads.txt", "sent", "sent"))
        bars.advance("[bold]leads.txt", Step())
        bars.advance("[bold]leads.txt", Step("submitted", 73, 120, 720))
        screen.file.write("HERE")
        bars.tell(News("[bold]leads.txt", "stopped", "completed"))
    assert isinstance(screen.file, StringIO)
    before, _, after = screen.file.getvalue().partition("HERE")
    assert "[bold]leads.txt: sent" in before
    assert "73 of 120 checked, about 12 min left" in before
    assert "[bold]leads.txt: completed" in after
    assert "73 of 120" not in after


def test_no_number_is_printed(run: CommandLine, tmp_path: Path) -> None:
    done = completed(run, "band/+447700900123.txt")
    failed = run.put(
        State.FAILED, "band/447700900124", reason=Reason(ReasonCode.VENDOR_REJECTED, "No: +44 7700 900125.")
    )
    for arguments in ([], ["--json", "--force"], []):
        result = run("watch", done.job_id, failed.job_id, *arguments)
        assert "[digits]" in result.output
        assert "7700" not in result.output
