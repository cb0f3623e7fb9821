"""Results that join an export with what is remembered."""

import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.exports.export import empty_export, read_export
from numberdrop.files.exports.verdicts import verdict_of
from numberdrop.files.formats import partitioning
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.results.results import write_results
from numberdrop.files.results.sources import Recall, Remembered, Sources, learnt_blocks
from numberdrop.jobs.checkers import InputKind, checkers
from tests.support.results import results_of

SENT_ON = date(2026, 3, 4)
NUMBERS = [f"+4179000000{last}" for last in range(8)]

days = st.builds(lambda age: SENT_ON - timedelta(days=age), st.integers(0, 90))
memories = st.dictionaries(
    st.sampled_from(NUMBERS), st.builds(Remembered, st.sampled_from(["yes", "no"]), days)
)
rows = st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(["yes", "no", "ban", ""])))


@pytest.fixture(scope="module")
def export_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports") / "export.csv"


def recall_of(memory: dict[str, Remembered]) -> Recall:
    return lambda keys: [memory.get(key) for key in keys]


def expected(entry: str, words: dict[str, str], memory: dict[str, Remembered]) -> list[str]:
    """Return the cells of an entry: the export takes precedence over the memory."""
    if entry in words:
        word = words[entry]
        return [entry, "resolved", verdict_of(word), word, "fresh", SENT_ON.isoformat()]
    if entry in memory:
        remembered = memory[entry]
        day = remembered.checked_on.isoformat()
        return [entry, "resolved", remembered.verdict, "", "remembered", day]
    return [entry, "unresolved", "", "", "", ""]


@given(
    entries=st.lists(st.sampled_from(NUMBERS), min_size=1),
    rows=rows,
    memory=memories,
    one_part=st.sampled_from([0, 1_000_000]),
)
def test_any_results_agree_with_a_naive_join(
    export_path: Path,
    entries: list[str],
    rows: list[tuple[str, str]],
    memory: dict[str, Remembered],
    one_part: int,
) -> None:
    lines = ["number,band", *(f"{number[1:]},{word}" for number, word in rows)]
    export_path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    upload = "".join(f"{entry}\n" for entry in entries)
    words = dict(reversed(rows))
    sources = Sources(SENT_ON, recall_of(memory), io.BytesIO())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitioning, "_ONE_PART", one_part)
        if rows and words.keys().isdisjoint(entries):
            with pytest.raises(InvalidFileError):
                results_of(upload, export_path, sources=sources)
            return
        written = results_of(upload, export_path, sources=sources)

    assert written.header == ["line", "number", "status", "verdict", "band", "source", "checked_on"]
    answers = [[str(n), *expected(entry, words, memory)] for n, entry in enumerate(entries, 1)]
    assert written.rows == answers
    sent_or_known = {*entries} & (words.keys() | memory.keys())
    assert written.counts.resolved == len(sent_or_known)
    assert written.counts.unresolved == len({*entries} - sent_or_known)
    assert written.counts.remembered == len({*entries} & memory.keys() - words.keys())
    assert sum(sum(country.values()) for country in written.counts.countries.values()) == len({*entries})
    assert sources.learnt
    learnt = {
        key: verdict for block in learnt_blocks(sources.learnt) for key, verdict in zip(*block, strict=True)
    }
    verdicts = {entry: verdict_of(words[entry]) for entry in {*entries} & words.keys()}
    assert learnt == {entry: word for entry, word in verdicts.items() if word in {"yes", "no"}}


def test_a_row_means_a_sent_entry_before_a_remembered_one(export_path: Path) -> None:
    """Only one of two spellings was sent, and the vendor answers in a third one."""
    export_path.write_text("number,phoneCheck\n4179,yes\n", encoding="utf-8")
    memory = {"+41-79": Remembered("no", SENT_ON)}
    written = results_of(
        "+41 79\n+41-79\n",
        export_path,
        InputKind.AS_WRITTEN,
        name="phonecheck",
        sources=Sources(SENT_ON, recall_of(memory)),
    )
    assert written.column("verdict") == ["yes", "no"]
    assert written.column("source") == ["fresh", "remembered"]


@pytest.mark.parametrize(
    ("name", "kind", "sent", "known"),
    [
        ("apple_email", InputKind.EMAIL, "Jane@example.com", "jane@example.com"),
        ("phonecheck", InputKind.AS_WRITTEN, "+41 79", "4179"),
    ],
)
def test_a_row_that_equals_a_remembered_entry_means_the_sent_one(
    export_path: Path, name: str, kind: InputKind, sent: str, known: str
) -> None:
    """The vendor answers in lower case and without signs, and that other spelling was not sent."""
    export_path.write_text(f"number,activated\n{known},yes\n", encoding="utf-8")
    sources = Sources(SENT_ON, recall_of({known: Remembered("no", SENT_ON)}), io.BytesIO())

    written = results_of(f"{sent}\n{known}\n", export_path, kind, name=name, sources=sources)

    assert written.column("verdict") == ["yes", "no"]
    assert written.column("source") == ["fresh", "remembered"]
    assert (written.counts.extra, written.counts.doubled) == (0, 0)
    assert sources.learnt
    assert list(learnt_blocks(sources.learnt)) == [([sent], ["yes"])]


def test_a_row_of_each_spelling_answers_its_own(export_path: Path) -> None:
    export_path.write_text("email,apple\njane@example.com,yes\nJane@example.com,no\n", encoding="utf-8")
    sources = Sources(SENT_ON, recall_of({"jane@example.com": Remembered("no", SENT_ON)}))
    upload = "Jane@example.com\njane@example.com\n"

    written = results_of(upload, export_path, InputKind.EMAIL, name="apple_email", sources=sources)

    assert (written.column("verdict"), written.column("source")) == (["no", "yes"], ["fresh", "fresh"])


def test_a_row_may_mean_a_refreshed_entry(export_path: Path) -> None:
    export_path.write_text("number,phoneCheck\n4179,yes\n", encoding="utf-8")
    memory = {"+41 79": Remembered("no", SENT_ON)}
    sources = Sources(SENT_ON, recall_of(memory))
    written = results_of("+41 79\n", export_path, InputKind.AS_WRITTEN, name="phonecheck", sources=sources)
    assert (written.column("verdict"), written.column("source")) == (["yes"], ["fresh"])


def test_names_that_are_taken_get_a_prefix(export_path: Path) -> None:
    export_path.write_text("number,band\n41790000000,yes\n", encoding="utf-8")
    upload = "phone,Source,checked_on\n+41790000000,fair,2020-01-01\n"
    written = results_of(upload, export_path, sources=Sources(SENT_ON))
    assert written.header[-2:] == ["band_source", "band_checked_on"]
    assert written.rows[0][:3] == ["+41790000000", "fair", "2020-01-01"]


@pytest.mark.parametrize(
    ("header", "is_alone"),
    [("number,band", True), ("number,activated", True), ("number,band,age", False), ("number", False)],
)
def test_only_a_verdict_alone_is_learnt(export_path: Path, header: str, is_alone: bool) -> None:
    cells = ",".join(["41790000000", *["yes"] * header.count(",")])
    export_path.write_text(f"{header}\n{cells}\n", encoding="utf-8")
    with read_export(export_path, checkers()["band"]) as export:
        assert export.is_verdict_alone is is_alone


def test_results_without_an_export_come_from_the_memory() -> None:
    memory = {NUMBERS[0]: Remembered("yes", SENT_ON)}
    entries, out = io.BytesIO("".join(f"{number}\n" for number in NUMBERS[:2]).encode()), io.StringIO()
    export = empty_export(checkers()["band"])
    counts = write_results(entries, None, export, out, sources=Sources(None, recall_of(memory)))
    assert out.getvalue().splitlines() == [
        "line,number,status,verdict,band,source,checked_on",
        f",{NUMBERS[0]},resolved,yes,,remembered,2026-03-04",
        f",{NUMBERS[1]},unresolved,,,,",
    ]
    assert (counts.resolved, counts.remembered, counts.verdicts) == (1, 1, {"yes": 1})
