"""Command line: show what is remembered, and erase it."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import boto3
import pytest

from numberdrop.aws.memory_bucket import MemoryBucket
from numberdrop.files.exports.matching import Matching
from numberdrop.jobs.checkers import InputKind, checkers
from numberdrop.jobs.job import Job
from numberdrop.jobs.transitions import State
from numberdrop.memory.memory import VerdictMemory
from numberdrop_cli.remembered import read_numbers
from tests.support.command_line import CommandLine, json_output

KEY = "k" * 64
TODAY = datetime.now(UTC).date()
DAY = TODAY - timedelta(days=3)
NUMBERS = [f"+4477009001{number:02}" for number in range(20)]


@pytest.fixture
def memory(run: CommandLine) -> VerdictMemory:
    """Switch the memory of the stack on."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="memory")
    secret = boto3.client("secretsmanager").create_secret(Name="memory-key", SecretString=KEY)
    run.cloudformation.outputs |= {"MemoryBucketName": "memory", "MemoryKeySecretArn": secret["ARN"]}
    return VerdictMemory(MemoryBucket(s3, "memory"), KEY.encode(), yes_days=90, no_days=30)


def learn(
    memory: VerdictMemory, checker: str, entries: list[str], name: str = "job1", day: date = DAY
) -> None:
    keys_of = Matching(checkers()[checker.lower()].input).entry_keys
    memory.learn(checker, name, day, [(entries, ["yes"] * len(entries))], keys_of)


def remembered(memory: VerdictMemory, checker: str, entries: list[str], day: date = TODAY) -> list[str]:
    numbers, rest = BytesIO("".join(f"{entry}\n" for entry in entries).encode()), BytesIO()
    keys_of = Matching(checkers()[checker.lower()].input).entry_keys
    memory.recall(checker, numbers, rest, today=day, min_rows=0, keys_of=keys_of)
    return [entry for entry in entries if entry not in rest.getvalue().decode().splitlines()]


def save(run: CommandLine, job: Job, entries: int) -> None:
    boto3.client("dynamodb").update_item(
        TableName=run.account.jobs_table,
        Key={"job_id": {"S": job.job_id}},
        UpdateExpression="SET counts.remembered = :entries",
        ExpressionAttributeValues={":entries": {"N": str(entries)}},
    )


def test_a_memory_that_is_off_says_how_to_switch_it_on(run: CommandLine) -> None:
    for arguments in (["memory"], ["forget", NUMBERS[0]]):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "Deploy with RememberYesDays or RememberNoDays" in result.stderr


# memory


def test_memory_shows_runs_entries_and_savings(run: CommandLine, memory: VerdictMemory) -> None:
    learn(memory, "band", NUMBERS)
    learn(memory, "band", NUMBERS[:5], "job2", DAY - timedelta(days=9))
    learn(memory, "amazon_email", ["jane@example.com"])
    save(run, run.put(State.COMPLETED, checker="band"), 20_000)
    save(run, run.put(State.FAILED, "band/more.txt", checker="band"), 7)
    (addresses, band) = json_output(run("memory", "--json"))["checkers"]
    assert band.pop("bytes") > 250
    assert band == {
        "checker": "band",
        "runs": 2,
        "entries": 25,
        "erased": 0,
        "oldest": (DAY - timedelta(days=9)).isoformat(),
        "cleared": None,
        "saved_entries": 20_000,
        "saved_usd": 2.0,
    }
    assert (addresses["checker"], addresses["entries"], addresses["saved_entries"]) == ("amazon_email", 1, 0)


def test_memory_prints_a_line_for_each_checker(run: CommandLine, memory: VerdictMemory) -> None:
    learn(memory, "band", NUMBERS)
    run("forget", *NUMBERS[:2], "--yes")
    assert run("memory").stdout.split("\t")[:5] == ["band", "2", "20", "2", DAY.isoformat()]
    assert len(run("memory").stdout.splitlines()) == 1


def test_an_empty_memory_says_so(run: CommandLine, memory: VerdictMemory) -> None:
    result = run("memory")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Nothing is remembered yet." in result.stderr


def test_something_else_in_the_bucket_is_reported(run: CommandLine, memory: VerdictMemory) -> None:
    boto3.client("s3").put_object(Bucket="memory", Key="runs/band/notes.txt", Body=b"")
    result = run("memory")
    assert result.exit_code == 1
    assert "unknown kind of object" in result.stderr


# forget


def test_forgotten_numbers_are_erased_for_every_checker(run: CommandLine, memory: VerdictMemory) -> None:
    learn(memory, "band", NUMBERS)
    learn(memory, "amazon", NUMBERS)
    result = run("forget", "0044 7700 900100", NUMBERS[1], "--yes")
    assert result.exit_code == 0
    assert "Erased 2 number(s)." in result.stdout
    for checker in ("band", "amazon"):
        assert remembered(memory, checker, NUMBERS) == NUMBERS[2:]


def test_forgetting_says_what_else_holds_the_numbers(run: CommandLine, memory: VerdictMemory) -> None:
    memory.store.write("recalled/000000000001-000000000000-08-2026-03-04-job-token", BytesIO(b"0"))
    result = run("forget", NUMBERS[0], answer="n\n")
    assert result.exit_code == 1
    assert "within a month at most" in result.stdout
    assert run.account.upload_bucket in result.stdout
    assert f"{run.account.results_bucket}: for 90 days" in result.stdout
    assert "keyed hashes in 1 object(s), for 128 days" in result.stdout
    assert not list(memory.store.objects("runs/"))


def test_forgetting_prints_no_number(run: CommandLine, memory: VerdictMemory) -> None:
    result = run("forget", *NUMBERS, "nonsense", "--yes")
    assert result.exit_code == 0
    assert "1 row(s) have neither" in result.stdout
    assert not any(number[1:] in result.output for number in NUMBERS)


def test_numbers_in_a_file_are_erased(run: CommandLine, memory: VerdictMemory) -> None:
    numbers = ["+447400123456", "+447400123457", "+447400123458"]
    learn(memory, "band", numbers)
    Path("erase.csv").write_text("name,phone\nJane,07400 123456\nJoe,07400 123457\nJim,\n", encoding="utf-8")
    result = run("forget", "--file", "erase.csv", "--region", "GB", "--checker", "BAND", "--yes")
    assert "Erased 2 number(s)." in result.stdout
    assert remembered(memory, "band", numbers) == numbers[2:]


def test_addresses_are_erased_for_checkers_of_addresses(run: CommandLine, memory: VerdictMemory) -> None:
    learn(memory, "amazon_email", ["Jane@example.com", "joe@example.com"])
    assert run("forget", "Jane@EXAMPLE.com", NUMBERS[0], "--yes").exit_code == 0
    assert remembered(memory, "amazon_email", ["Jane@example.com", "joe@example.com"]) == ["joe@example.com"]
    Path("erase.txt").write_text("joe@example.com\n", encoding="utf-8")
    assert run("forget", "--file", "erase.txt", "--yes").exit_code == 0
    assert remembered(memory, "amazon_email", ["joe@example.com"]) == []


@pytest.mark.parametrize("spelling", ["+447700900100", "447700900100", "00447700900100", "+44 (7700) 900100"])
def test_numbers_are_erased_in_their_usual_spellings(
    spelling: str, run: CommandLine, memory: VerdictMemory
) -> None:
    learn(memory, "phoneCheck", [spelling, "+447700900199"])
    assert run("forget", "+44 (7700) 900100", "--yes").exit_code == 0
    assert remembered(memory, "phoneCheck", [spelling, "+447700900199"]) == ["+447700900199"]


def test_a_checker_of_another_kind_remembers_no_numbers(run: CommandLine, memory: VerdictMemory) -> None:
    result = run("forget", NUMBERS[0], "--checker", "amazon_email", "--yes")
    assert result.exit_code == 1
    assert "nothing was erased" in result.stderr


def test_unreadable_numbers_erase_nothing(run: CommandLine, memory: VerdictMemory) -> None:
    result = run("forget", "hello", "--yes")
    assert result.exit_code == 1
    assert "Nothing was erased. No line of the file can be sent" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["--all", "+447700900100"], ["--all", "--file", "leads.txt"]])
def test_numbers_and_all_exclude_each_other(arguments: list[str], run: CommandLine) -> None:
    result = run("forget", *arguments)
    assert result.exit_code == 2
    assert "Give numbers, a --file of them, or --all." in result.stderr


def test_all_of_a_checker_is_erased(run: CommandLine, memory: VerdictMemory) -> None:
    learn(memory, "band", NUMBERS)
    learn(memory, "amazon", NUMBERS)
    result = run("forget", "--checker", "band", "--all", answer="y\n")
    assert "The next uploads pay for all their numbers again." in result.stdout
    assert "Deleted 1 object(s)." in result.stdout
    assert remembered(memory, "band", NUMBERS) == []
    assert remembered(memory, "amazon", NUMBERS) == NUMBERS
    (band,) = (each for each in json_output(run("memory", "--json"))["checkers"] if each["checker"] == "band")
    assert (band["runs"], band["cleared"]) == (0, TODAY.isoformat())


def test_all_of_all_checkers_is_erased(run: CommandLine, memory: VerdictMemory) -> None:
    assert "Nothing is remembered." in run("forget", "--all").stdout
    learn(memory, "band", NUMBERS)
    learn(memory, "amazon", NUMBERS)
    assert "Deleted 2 object(s)." in run("forget", "--all", "--yes").stdout
    assert remembered(memory, "amazon", NUMBERS) == []


def test_every_kind_of_entry_has_checkers_that_forget_it() -> None:
    found = read_numbers(["+447700900100", "jane@example.com"], None, None)
    assert found.entries.keys() == set(InputKind)
    assert {"band", "amazon_email", "phoneCheck"} <= set(found.checkers)
    assert not {"wa-deep", "ws_active"} & set(found.checkers)


# send


SEND = ("send", "leads.txt", "--checker", "band", "--yes")


@pytest.mark.parametrize(
    ("options", "days"),
    [([], None), (["--max-age", "30"], "30"), (["--max-age", "0"], "0"), (["--fresh"], "0")],
)
def test_a_sender_chooses_how_old_answers_may_be(
    options: list[str], days: str | None, run: CommandLine
) -> None:
    assert run(*SEND, *options).exit_code == 0
    (upload,) = run.uploads()
    metadata = boto3.client("s3").head_object(Bucket=upload.bucket, Key=upload.key)["Metadata"]
    assert metadata.get("max-age-days") == days


@pytest.mark.parametrize(
    "options", [["--max-age", "-1"], ["--max-age", "366"], ["--max-age", "x"], ["--fresh", "--max-age", "3"]]
)
def test_an_unusable_age_sends_nothing(options: list[str], run: CommandLine) -> None:
    assert run(*SEND, *options).exit_code == 2
    assert run.uploads() == []
