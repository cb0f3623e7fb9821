"""Sample exports in the vendor's formats. A new format needs a sample file and a row in ``EXPORTS``."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from numberdrop.files.exports.export import read_export
from numberdrop.files.exports.format import ExportFormat
from numberdrop.jobs.checkers import checkers
from tests.support.exports import SAMPLES
from tests.support.results import results_of

UPLOAD = "+447700900001\n+447700900002\n+447700900003\n"

YES_AND_NO = ("yes", "no", "")
DEEP = ("age", "avatar", "category", "gender", "hair_color", "skin_color", "whatsapp")


@dataclass(frozen=True)
class Sample:
    """The expected content of a sample export.

    Attributes:
        columns: its columns other than the number.
        words: the vendor's word for each of the numbers, empty if the export has no row for it.
        verdicts: the verdict for each word.
        format: the file format.
        checker: the checker whose export it is.
        resolved: how many of the numbers have a row.
    """

    columns: Sequence[str]
    words: Sequence[str] = YES_AND_NO
    verdicts: Sequence[str] = YES_AND_NO
    format: ExportFormat = ExportFormat.ZIP
    checker: str = "band"
    resolved: int = 2


SHEET, TEXT = ExportFormat.XLSX, ExportFormat.CSV

EXPORTS = {
    "band.zip": Sample(["band"]),
    "without-folder.zip": Sample(["band"]),
    "newer.zip": Sample(["activated"]),
    "high-value-users.zip": Sample(["result"], ("true", "ban", ""), ("yes", "unknown", "")),
    "workbook-in-an-archive.zip": Sample(["activated"]),
    "lists.zip": Sample(["list"], ("activated", "unregistered", "")),
    "one-list.zip": Sample(["list"], ("registered", "", ""), ("yes", "", ""), resolved=1),
    "list-of-the-others.zip": Sample(["list"], ("", "unactivated", ""), ("", "no", ""), resolved=1),
    "whatsapp-deep.xlsx": Sample(DEEP, format=SHEET, checker="wa-deep"),
    "bad-colour.xlsx": Sample(["band"], format=SHEET),
    "empty-fill.xlsx": Sample(["band"], format=SHEET),
    "strict.xlsx": Sample(["band"], format=SHEET),
    "summary-first.xlsx": Sample(["band"], format=SHEET),
    "comma.csv": Sample(["band"], format=TEXT),
    "semicolon.csv": Sample(["activated", "activetime"], format=TEXT),
    "tab.csv": Sample(["status"], ("active", "inactive", ""), format=TEXT),
    "pipe.csv": Sample(["activated", "note"], ("1", "0", ""), format=TEXT),
    "doubled-number.csv": Sample(["activated"], format=TEXT),
    "number-last.csv": Sample(["region", "telegram"], format=TEXT, checker="tg"),
    "in-quotes.csv": Sample(
        ["phonecheck", "region"], ("valid", "invalid", ""), format=TEXT, checker="phonecheck"
    ),
    "odd-words.csv": Sample(
        ["whatsapp"], ("N/A", "", "Business"), ("unknown", "unknown", "unknown"), TEXT, "ws", resolved=3
    ),
    "in-chinese.csv": Sample(["telegram"], ("是", "否", ""), format=TEXT, checker="tg"),
    "days.csv": Sample(["telegram_days"], ("", "", ""), ("", "", ""), format=TEXT, resolved=3),
    "carriers.csv": Sample(["number_type", "carrier"], ("", "", ""), ("", "", ""), format=TEXT),
    "gbk.csv": Sample(["是否注册", "备注"], ("已注册", "未注册", ""), format=TEXT),
    "utf-16.csv": Sample(["band", "name"], format=TEXT),
    "title-lines.csv": Sample(["band", "checked"], format=TEXT),
    "declared-delimiter.csv": Sample(["activated", "note_if_any"], ("true", "false", ""), format=TEXT),
    "compressed.csv.gz": Sample(["band"], format=ExportFormat.GZIP),
    "country-apart.csv": Sample(["country", "band"], format=TEXT),
    "old-numbers.csv": Sample(["old_number", "band"], format=TEXT),
    "numbers-alone.csv": Sample([], ("", "", ""), ("", "", ""), format=TEXT),
}


@pytest.mark.parametrize(("name", "sample"), EXPORTS.items(), ids=EXPORTS)
def test_a_sample_export_gives_the_expected_results(name: str, sample: Sample) -> None:
    written = results_of(UPLOAD, SAMPLES / name, name=sample.checker)

    with read_export(SAMPLES / name, checkers()[sample.checker]) as export:
        assert export.format is sample.format
        assert export.columns == tuple(sample.columns)
        if export.verdict_column:
            column = {"status": "band_status"}.get(export.verdict_column, export.verdict_column)
            assert written.column(column) == list(sample.words)
    assert written.column("verdict") == list(sample.verdicts)
    assert (written.counts.resolved, written.counts.unresolved) == (sample.resolved, 3 - sample.resolved)
    assert (written.counts.extra, written.counts.doubled) == (0, 0)


def test_every_sample_export_is_used() -> None:
    assert {path.name for path in SAMPLES.glob("[!.]*")} == EXPORTS.keys()
