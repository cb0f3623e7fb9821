"""Command line: odd names, folders, outputs and settings cause neither a traceback nor a second charge."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from click.testing import CliRunner

from numberdrop.jobs.transitions import State
from numberdrop_cli import views
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.main import main
from numberdrop_cli.notices import Notice
from numberdrop_cli.uploading import Uploader
from tests.support.command_line import NUMBERS, CommandLine, Meanwhile
from tests.support.jobs import a_job

CAFE = "caf\N{LATIN SMALL LETTER E WITH ACUTE}.txt"
GREEK = "\N{GREEK SMALL LETTER OMEGA}.txt"
SEND = ("send", "leads.txt", "more.txt", "--checker", "band", "--prefix", "spring")


@pytest.fixture
def two_files(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text(NUMBERS, encoding="utf-8")


def keys(run: CommandLine) -> list[str]:
    return [upload.key for upload in run.uploads()]


# After something was sent, the status is 5


def failing(error: BaseException, when: Callable[[Notice], bool]) -> Callable[[Notice], str]:
    """Return a form of notices that fails for some of them."""

    def form(notice: Notice) -> str:
        if when(notice):
            raise error
        return notice.text

    return form


@pytest.mark.parametrize(
    "error", [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space"), ValueError("x")]
)
@pytest.mark.parametrize("form", ["as_text", "as_json"])
@pytest.mark.usefixtures("two_files")
def test_output_that_fails_after_sending_means_status_5(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch, error: Exception, form: str
) -> None:
    monkeypatch.setattr(views, form, failing(error, lambda notice: notice.event == "sent"))
    result = run(*SEND, *(["--json"] if form == "as_json" else []))
    assert result.exit_code == 5
    assert "Do not send again: leads.txt." in result.stderr
    assert keys(run) == ["band/spring/leads.txt"]


@pytest.mark.usefixtures("two_files")
def test_output_that_fails_for_the_second_file_means_status_5(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        views,
        "as_text",
        failing(
            BrokenPipeError(32, "no"), lambda notice: (notice.file, notice.event) == ("more.txt", "sent")
        ),
    )
    assert run(*SEND).exit_code == 5
    assert keys(run) == ["band/spring/leads.txt", "band/spring/more.txt"]


def test_output_that_fails_before_sending_means_status_1(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "as_text", failing(BrokenPipeError(32, "no"), lambda _: True))
    assert run("send", "leads.txt", "--checker", "band").exit_code == 1
    assert keys(run) == []


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), RefusedError("x"), OSError(5, "x"), KeyboardInterrupt()]
)
def test_a_failure_while_following_is_not_reported_as_unsent(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("numberdrop_cli.watching.follow_and_save", fail)
    result = run("send", "leads.txt", "--checker", "band", "--watch")
    assert result.exit_code == (130 if isinstance(error, KeyboardInterrupt) else 5)
    assert "Do not send again: leads.txt." in result.stderr


def test_a_file_that_vanishes_while_sent_counts_as_sent(
    run: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(view: Any, file: str, verb: str, size: int) -> Callable[[int], None]:
        return lambda _: (tmp_path / "leads.txt").unlink(missing_ok=True)

    monkeypatch.setattr(views.PlainView, "transfer", vanish)
    assert run("send", "leads.txt", "--checker", "band").exit_code == 0
    assert len(keys(run)) == 1


@pytest.mark.parametrize(("started", "status"), [(True, 5), (False, 1)])
def test_an_unforeseen_failure_of_the_transfer_is_reported(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch, *, started: bool, status: int
) -> None:
    def upload(client: Any, *_: Any, **__: Any) -> None:
        if started:
            client.meta.events.emit("before-parameter-build.s3.PutObject", params={})
        raise RuntimeError("cannot schedule new futures")

    real = Uploader.put

    def put(uploader: Uploader, *arguments: Any) -> Any:
        monkeypatch.setattr(uploader.client, "upload_fileobj", lambda *a, **k: upload(uploader.client))
        return real(uploader, *arguments)

    monkeypatch.setattr(Uploader, "put", put)
    result = run("send", "leads.txt", "--checker", "band")
    assert result.exit_code == status
    assert ("may have been sent" in result.stderr) is started


def a_signal(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_leaves_no_copy_of_the_input(
    run: CommandLine,
    meanwhile: Meanwhile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    copies: list[Path] = []
    meanwhile += [lambda: copies.extend(temporary.rglob("standard-input")), a_signal(number)]
    send = ["send", "-", "--name", "piped.txt", "--checker", "band"]
    result = run(*send, "--watch", answer=NUMBERS)
    assert len(copies) == 1
    assert list(temporary.iterdir()) == []
    assert result.exit_code == 130
    assert "The jobs go on." in result.stderr


# Names


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859-1", "ascii"])
def test_a_name_that_the_output_cannot_hold_is_sent_once(
    run: CommandLine, tmp_path: Path, encoding: str
) -> None:
    (tmp_path / GREEK).write_text(NUMBERS, encoding="utf-8")
    result = CliRunner(charset=encoding).invoke(main, ["send", GREEK, "--checker", "band"])
    assert result.exit_code == 0
    assert len(keys(run)) == 1


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names")
def test_a_name_that_is_not_utf_8_is_refused_before_sending(run: CommandLine, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (tmp_path / name).write_text(NUMBERS, encoding="utf-8")
    result = run("send", "leads.txt", name, "--checker", "band")
    assert result.exit_code == 2
    assert "has a name that is not UTF-8" in result.stderr
    assert keys(run) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--stack", "\udce9", "jobs"],
        ["announce", "band/\udce9.txt"],
        ["announce", "band/leads.txt", "--version-id", "\udce9"],
        ["resolve", "0123456789ab", "--not-charged", "--evidence", "\udce9"],
        ["resolve", "0123456789ab", "--charged", "--task-id", "\udce9"],
        ["send", "leads.txt", "--checker", "\udce9"],
        ["send", "leads.txt", "--checker", "band", "--prefix", "\udce9"],
        ["send", "leads.txt", "--checker", "band", "--region", "\udce9"],
        ["show", "\udce9"],
    ],
)
def test_arguments_that_are_not_utf_8_are_usage_errors(run: CommandLine, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_unicode_form_of_a_name_does_not_matter(run: CommandLine, tmp_path: Path, form: Any) -> None:
    name, prefix = normalize(form, CAFE), normalize(form, "\N{LATIN SMALL LETTER E WITH ACUTE}t\u00e9")
    (tmp_path / name).write_text(NUMBERS, encoding="utf-8")
    assert run("send", name, "--checker", "band", "--prefix", prefix).exit_code == 0
    assert keys(run) == [f"band/\u00e9t\u00e9/{CAFE}"]


def test_two_unicode_forms_of_a_name_are_one_key(run: CommandLine, tmp_path: Path) -> None:
    statuses = []
    for folder, form in (("a", "NFC"), ("b", "NFD")):
        path = tmp_path / folder / normalize(form, CAFE)  # type: ignore[arg-type]
        path.parent.mkdir()
        path.write_text(NUMBERS, encoding="utf-8")
        statuses.append(run("send", str(path), "--checker", "band", "--prefix", "spring").exit_code)
    assert statuses == [0, 1]
    assert len(keys(run)) == 1


def test_two_unicode_forms_in_one_command_are_a_usage_error(run: CommandLine, tmp_path: Path) -> None:
    names = []
    for folder, form in (("a", "NFC"), ("b", "NFD")):
        path = tmp_path / folder / normalize(form, CAFE)  # type: ignore[arg-type]
        path.parent.mkdir()
        path.write_text(NUMBERS, encoding="utf-8")
        names.append(str(path))
    result = run("send", *names, "--checker", "band")
    assert (result.exit_code, keys(run)) == (2, [])
    assert "2 files are called" in result.stderr


@pytest.mark.parametrize("letter", ["x", "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_name_too_long_for_its_results_is_found_before_sending(
    run: CommandLine, tmp_path: Path, letter: str
) -> None:
    name = letter * (245 // len(letter.encode())) + ".txt"
    (tmp_path / name).write_text(NUMBERS, encoding="utf-8")
    result = run("send", name, "--checker", "band", "--watch")
    assert (result.exit_code, keys(run)) == (1, [])
    assert "Rename the file, or send it without --watch." in result.stderr
    assert run("send", name, "--checker", "band").exit_code == 0


def test_a_job_is_found_by_another_unicode_form_of_its_key(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / CAFE).write_text(NUMBERS, encoding="utf-8")
    run("send", CAFE, "--checker", "band", "--prefix", "spring")
    (upload,) = run.uploads()
    run.account.put(a_job(State.COMPLETED, upload=upload))
    assert run("show", normalize("NFD", upload.key)).exit_code == 0
    assert run("show", upload.key).exit_code == 0


def test_a_key_too_long_for_a_file_is_found_before_any_is_sent(run: CommandLine, tmp_path: Path) -> None:
    name = "x" * 240
    (tmp_path / name).write_text(NUMBERS, encoding="utf-8")
    prefix = "/".join(["y" * 200] * 4)
    result = run("send", "leads.txt", name, "--checker", "band", "--prefix", prefix)
    assert (result.exit_code, keys(run)) == (1, [])
    assert "more than 1024 bytes" in result.stderr


# The working folder


@pytest.mark.parametrize("arguments", [["jobs"], ["checkers"], ["--help"]])
def test_a_deleted_working_folder_does_no_harm(
    run: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert run(*arguments).exit_code == 0
    monkeypatch.chdir(tmp_path)


def test_a_file_is_sent_from_a_deleted_working_folder(
    run: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert run("send", str(tmp_path / "leads.txt"), "--checker", "band").exit_code == 0
    assert run("send", "leads.txt", "--checker", "band").exit_code == 2
    monkeypatch.chdir(tmp_path)
    assert len(keys(run)) == 1
