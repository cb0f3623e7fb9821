"""``yes.txt``, ``no.txt`` and ``unknown.txt`` hold each distinct entry once, in the order of the upload."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.exports.export import read_export
from numberdrop.files.results import join
from numberdrop.files.results.answer_lists import answer_list
from numberdrop.files.results.results import write_results
from numberdrop.files.uploads.cleaning import clean_upload
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import InputKind, checkers

VERDICTS = ("yes", "no", "unknown")


def lists_of(upload: str, export: str, folder: Path) -> dict[str, list[str]]:
    """Return the lists that are written for an upload and an export, by verdict."""
    path = folder / "export.csv"
    path.write_text(export, encoding="utf-8")
    entries, out = io.BytesIO(), io.StringIO(newline="")
    checker = checkers()["band"]
    with open_upload(io.BytesIO(upload.encode()), InputKind.PHONE) as rows:
        clean_upload(rows, entries=entries)
        with read_export(path, checker, entries=entries) as opened:
            counts = write_results(entries, rows, opened, out, folder)
    paths = {verdict: answer_list(folder, verdict) for verdict in VERDICTS}
    lists = {verdict: path.read_text().splitlines() for verdict, path in paths.items() if path.exists()}
    assert {verdict: len(entries) for verdict, entries in lists.items()} == counts.verdicts
    assert "\0" not in out.getvalue()
    return lists


def number(index: int) -> str:
    return f"+4179000{index:04}"


def test_each_verdict_has_its_list_in_the_order_of_the_upload(tmp_path: Path) -> None:
    upload = "\n".join(map(number, (3, 1, 2, 4)))
    export = "number,band\n41790000001,yes\n41790000002,no\n41790000003,yes\n"
    assert lists_of(upload, export, tmp_path) == {"yes": [number(3), number(1)], "no": [number(2)]}


def test_a_repeated_entry_is_listed_once(tmp_path: Path) -> None:
    upload = f"{number(1)}\n{number(2)}\n{number(1)}\n\n{number(1)}\nno number\n"
    export = "number,band\n41790000001,yes\n41790000002,yes\n"
    assert lists_of(upload, export, tmp_path) == {"yes": [number(1), number(2)]}


def test_a_list_of_an_earlier_run_is_removed(tmp_path: Path) -> None:
    answer_list(tmp_path, "no").write_text("+41790000009\n")
    assert lists_of(number(1), "number,band\n41790000001,yes\n", tmp_path) == {"yes": [number(1)]}


def test_without_a_verdict_column_there_are_no_lists(tmp_path: Path) -> None:
    export = "number,country,carrier\n41790000001,CH,one\n41790000002,CH,two\n"
    assert lists_of(f"{number(1)}\n{number(2)}", export, tmp_path) == {}


@given(
    answers=st.lists(st.tuples(st.integers(0, 30), st.sampled_from((*VERDICTS, ""))), max_size=40),
    sent=st.lists(st.integers(0, 30), min_size=1, max_size=60),
    parts=st.sampled_from((1, 4)),
)
def test_lists_agree_with_the_verdicts_of_the_results(
    answers: list[tuple[int, str]], sent: list[int], parts: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    verdicts = {index: verdict for index, verdict in reversed(answers) if verdict}
    answered = {index: verdicts[index] for index in sent if index in verdicts} or {sent[0]: "yes"}
    export = "number,band\n" + "".join(f"{number(index)[1:]},{word}\n" for index, word in answered.items())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "parts_for", lambda _: parts)
        lists = lists_of("\n".join(map(number, sent)), export, tmp_path_factory.mktemp("lists"))
    distinct = dict.fromkeys(sent)
    assert lists == {
        verdict: expected
        for verdict in VERDICTS
        if (expected := [number(index) for index in distinct if answered.get(index) == verdict])
    }
