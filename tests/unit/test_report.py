"""The report: what it shows of a job, that it works offline, and that it reveals no number."""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numberdrop.files.results.report import Cost, Report
from numberdrop.files.results.report_html import MAX_COUNTRIES, report_html
from numberdrop.jobs.checkers import InputKind, checkers
from numberdrop.jobs.job import Counts
from numberdrop.jobs.savings import Savings

SUBMITTED = datetime(2026, 3, 12, 9, 14, 8, tzinfo=UTC)
HOSTILE = "<script>alert('\"&')</script>"

REPORT = Report(
    checker="band",
    task_type="band",
    kind=InputKind.PHONE,
    job_id="3f9ac1d07be24f86" * 4,
    task_id="cv3q7l2s5fds73b1k0eg",
    upload_key="band/customers.csv",
    submitted_at=SUBMITTED,
    collected_at=SUBMITTED + timedelta(minutes=23, seconds=41),
    lines=20_466,
    submitted=20_000,
    rejected=133,
    duplicates=333,
    resolved=19_916,
    unresolved=84,
    verdicts={"yes": 11_228, "no": 8_331, "unknown": 357},
    countries={
        "+351 PT": {"yes": 228, "no": 1_331, "unknown": 57},
        "+49 DE": {"yes": 11_000, "no": 7_000, "unknown": 300, "unresolved": 84},
    },
    files=("results.csv", "rejected.csv", "export.zip", "manifest.json"),
)


class Page:
    """A report's page, parsed as XML, which proves that every tag is closed and every text is escaped."""

    def __init__(self, report: Report) -> None:
        self.html = report_html(report)
        self.root = fromstring(self.html)

    @property
    def text(self) -> str:
        body = self.root.find("body")
        assert body is not None
        return _text(body)

    @property
    def summary(self) -> dict[str, list[str]]:
        """The counts at the top: the count and share of each word."""
        return _facts(self.root, ".//section[@class='summary']//dl/div")

    @property
    def facts(self) -> dict[str, list[str]]:
        """The facts in the side column, by their terms."""
        return _facts(self.root, ".//div[@class='facts']//dl/div")

    @property
    def countries(self) -> list[list[str]]:
        """The cells of the table's rows, including its head and foot."""
        rows = self.root.iterfind(".//table//tr")
        return [[_text(cell) for cell in row] for row in rows if row.get("class") != "picture"]

    @property
    def bars(self) -> list[Element]:
        return [svg for svg in self.root.iter("svg") if svg.get("class") == "bar"]


def _facts(root: Element, path: str) -> dict[str, list[str]]:
    pairs = [[_text(part) for part in pair] for pair in root.iterfind(path)]
    return {term: facts for term, *facts in pairs}


def _text(element: Element) -> str:
    return "".join(element.itertext()).strip()


def _number(cell: str) -> int:
    return int(cell.replace(",", "").replace("\u2212", "-"))


def _column(rows: Sequence[Sequence[str]], index: int) -> list[int]:
    return [_number(row[index]) for row in rows]


def test_the_title_names_the_count_and_the_checker() -> None:
    page = Page(REPORT)

    assert page.root.findtext("body/header/h1") == "20,000 numbers checked with band"
    assert page.root.findtext("head/title") == "20,000 numbers checked with band"
    assert page.root.findtext("body/header/p") == "band/customers.csv"


@pytest.mark.parametrize(
    ("submitted", "kind", "title"),
    [
        (1, InputKind.PHONE, "1 number checked with band"),
        (2, InputKind.EMAIL, "2 e-mail addresses checked with band"),
        (1, InputKind.AS_WRITTEN, "1 entry checked with band"),
        (0, InputKind.AS_WRITTEN, "0 entries checked with band"),
    ],
)
def test_the_title_uses_the_noun_for_the_kind_of_entries(submitted: int, kind: InputKind, title: str) -> None:
    assert Page(replace(REPORT, submitted=submitted, kind=kind)).root.findtext("head/title") == title


def test_the_page_says_what_was_read_and_what_was_not() -> None:
    unread = 'Not read: 12 numbers in the column "+41 79 000 00 01".'
    page = Page(replace(REPORT, reading=('Read as xlsx: the column "<Tel>".', unread)))

    assert "What was read" in page.text
    assert 'Read as xlsx: the column "<Tel>".' in page.text
    assert 'Not read: 12 numbers in the column "[digits]".' in page.text
    assert "What was read" not in Page(REPORT).text


def test_the_summary_adds_up_to_the_submitted_entries() -> None:
    summary = Page(REPORT).summary

    assert summary == {
        "yes": ["11,228", "56.1%"],
        "no": ["8,331", "41.7%"],
        "unknown": ["357", "1.8%"],
        "unresolved": ["84", "0.4%"],
    }
    assert sum(_number(count) for count, _ in summary.values()) == REPORT.submitted


def test_the_accounting_leads_from_lines_to_resolved_entries() -> None:
    facts = Page(REPORT).facts

    first, *steps = [_number(facts[term][0]) for term in ("lines in the file", "duplicates", "rejected")]
    sent = _number(facts["sent to the vendor"][0])
    assert (first, *steps, sent) == (20_466, -333, -133, 20_000)
    assert first + sum(steps) == sent
    assert sent + _number(facts["not in the export"][0]) == _number(facts["resolved"][0])


def test_without_the_upload_the_accounting_starts_at_sent() -> None:
    facts = Page(replace(REPORT, lines=None)).facts

    assert not facts.keys() & {"lines in the file", "duplicates", "rejected"}
    assert facts["sent to the vendor"] == ["20,000"]


def test_further_numbers_of_a_cell_are_counted_apart() -> None:
    assert Page(replace(REPORT, further=1_203)).facts["further numbers in a cell, not sent"] == ["1,203"]
    assert "further" not in Page(REPORT).text


def test_countries_are_listed_largest_first() -> None:
    assert Page(REPORT).countries == [
        ["country", "yes", "no", "unknown", "unresolved", "total", "% yes"],
        ["+49 DE", "11,000", "7,000", "300", "84", "18,384", "59.8%"],
        ["+351 PT", "228", "1,331", "57", "0", "1,616", "14.1%"],
        ["total", "11,228", "8,331", "357", "84", "20,000", "56.1%"],
    ]


def test_each_bar_shows_its_shares_in_title_and_widths() -> None:
    overall, germany, portugal = Page(REPORT).bars

    assert overall.findtext("title") == "56.1% yes, 41.7% no, 1.8% unknown, 0.4% unresolved"
    assert [part.get("class") for part in germany.iter("rect")] == ["yes", "no", "unknown", "unresolved"]
    assert [part.get("x") for part in portugal.iter("rect")] == ["0.000%", "14.109%", "96.473%"]
    assert [part.get("width") for part in portugal.iter("rect")] == ["14.109%", "82.364%", "3.527%"]


@pytest.mark.parametrize("number", [1, MAX_COUNTRIES, MAX_COUNTRIES + 1, MAX_COUNTRIES + 2, 200])
def test_grouping_small_countries_keeps_the_totals(number: int) -> None:
    countries = {f"+{code}": {"yes": code, "no": 2 * code, "unresolved": 1} for code in range(number)}

    heads, *rows, foot = Page(replace(REPORT, countries=countries)).countries

    assert len(rows) == min(number, MAX_COUNTRIES + 1)
    assert all(len(row) == len(heads) for row in rows)
    assert sum(_column(rows, heads.index("total"))) == sum(
        sum(counts.values()) for counts in countries.values()
    )
    for index in range(1, heads.index("total") + 1):
        assert sum(_column(rows, index)) == _number(foot[index])


def test_the_smallest_of_many_countries_share_a_row() -> None:
    countries = {f"+{code}": {"yes": 100 - code} for code in range(20)}

    *_, smallest, others, _ = Page(replace(REPORT, countries=countries)).countries

    assert smallest[:2] == ["+14", "86"]
    assert others[:2] == ["5 others", str(85 + 84 + 83 + 82 + 81)]


def test_countries_without_yes_get_no_yes_percentage() -> None:
    heads, *_ = Page(replace(REPORT, countries={"+34 ES": {"no": 2}})).countries

    assert heads == ["country", "no", "total"]


def test_a_report_without_verdicts_shows_resolved_entries() -> None:
    page = Page(replace(REPORT, verdicts={}, countries={}))

    assert page.summary == {"resolved": ["19,916", "99.6%"], "unresolved": ["84", "0.4%"]}
    assert "There are no verdicts to count. See results.csv for what the vendor returned." in page.text
    assert page.countries == []


def test_nothing_resolved_means_no_note_about_verdicts() -> None:
    page = Page(replace(REPORT, verdicts={}, resolved=0, unresolved=20_000))

    assert page.summary == {"resolved": ["0", "0%"], "unresolved": ["20,000", "100%"]}
    assert "no verdict" not in page.text


def test_an_empty_report_shows_zeros() -> None:
    zeros = {"yes": 0, "no": 0}
    empty = replace(
        REPORT,
        lines=0,
        submitted=0,
        rejected=0,
        duplicates=0,
        resolved=0,
        unresolved=0,
        files=(),
    )

    page = Page(replace(empty, verdicts=zeros, countries={"+34 ES": zeros}))

    assert page.summary == {"yes": ["0", "0%"], "no": ["0", "0%"], "unresolved": ["0", "0%"]}
    assert page.countries[1] == ["+34 ES", "0", "0", "0", "0%"]
    assert page.facts["rejected"] == ["0"]


@pytest.mark.parametrize(
    ("yes", "no", "share"),
    [(1, 1_000_000, "0.1%"), (1_000_000, 1, "99.9%"), (0, 5, "0%"), (5, 0, "100%"), (1, 2, "33.3%")],
)
def test_only_none_and_all_are_shown_as_0_and_100_percent(yes: int, no: int, share: str) -> None:
    assert Page(replace(REPORT, verdicts={"yes": yes, "no": no}, unresolved=0)).summary["yes"][1] == share


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(milliseconds=400), "0 min 0 s"),
        (timedelta(minutes=23, seconds=41), "23 min 41 s"),
        (timedelta(hours=167, minutes=5, seconds=59), "167 h 5 min"),
        (timedelta(seconds=-2), "0 min 0 s"),
    ],
)
def test_the_report_shows_the_duration_of_the_task(time: timedelta, words: str) -> None:
    facts = Page(replace(REPORT, collected_at=SUBMITTED + time)).facts

    assert facts["submitted"] == ["12 March 2026, 09:14 UTC"]
    assert facts["duration"] == [words]


def test_a_task_with_an_unknown_start_has_no_duration() -> None:
    facts = Page(replace(REPORT, submitted_at=None)).facts

    assert not facts.keys() & {"submitted", "duration"}
    assert facts["collected"] == ["12 March 2026, 09:37 UTC"]


@pytest.mark.parametrize(
    ("amount", "estimated", "words"),
    [
        ("0.45", False, "0.45 USD"),
        ("0.000450", False, "0.000450 USD"),
        ("1234567.123456", False, "1,234,567.123456 USD"),
        ("1E+2", False, "100 USD"),
        ("2", True, "about 2.00 USD at list price"),
        ("1234.5678", True, "about 1,234.57 USD at list price"),
        ("0.0003", True, "less than 0.01 USD at list price"),
    ],
)
def test_a_cost_shows_all_digits_or_is_marked_an_estimate(amount: str, estimated: bool, words: str) -> None:
    cost = Cost(amount=Decimal(amount), currency="USD", estimated=estimated)

    assert Page(replace(REPORT, cost=cost)).facts["cost"] == [words]


def test_an_unknown_cost_is_not_shown() -> None:
    assert "cost" not in Page(REPORT).facts


def test_files_are_linked_by_relative_escaped_names() -> None:
    page = Page(replace(REPORT, files=("results.csv", "javascript:alert(1)", "../a b.csv")))

    assert [(link.get("href"), link.text) for link in page.root.iter("a")] == [
        ("results.csv", "results.csv"),
        ("javascript%3Aalert%281%29", "javascript:alert(1)"),
        ("..%2Fa%20b.csv", "../a b.csv"),
    ]
    assert page.facts["results.csv"] == ["every line with its status and verdict"]


def test_the_page_says_where_its_files_are() -> None:
    page = Page(replace(REPORT, location="results-example/band/leads.txt/3f9ac1d07be2"))
    assert "s3://results-example/band/leads.txt/3f9ac1d07be2/" in page.text
    assert "numberdrop watch 3f9ac1d07be2" in page.text


def test_a_number_in_the_place_of_the_files_is_masked() -> None:
    page = Page(replace(REPORT, location="results-example/band/447700900123.txt/3f9ac1d07be2"))
    assert "447700900123" not in page.html


HOSTILE_REPORTS: dict[str, dict[str, Any]] = {
    "checker": {"checker": HOSTILE},
    "task type": {"task_type": HOSTILE},
    "task id": {"task_id": HOSTILE},
    "key": {"upload_key": HOSTILE},
    "country": {"countries": {HOSTILE: {"yes": 1}}},
    "currency": {"cost": Cost(amount=Decimal(1), currency=HOSTILE, estimated=False)},
    "file": {"files": (HOSTILE,)},
}


@pytest.mark.parametrize("changes", HOSTILE_REPORTS.values(), ids=HOSTILE_REPORTS)
def test_hostile_names_are_escaped(changes: dict[str, Any]) -> None:
    page = Page(replace(REPORT, **changes))

    assert HOSTILE in page.text
    assert "<script" not in page.html


@given(st.text(st.characters(codec=None), max_size=60))
def test_no_name_breaks_the_page(name: str) -> None:
    page = Page(replace(REPORT, checker=name, upload_key=name, countries={name: {"yes": 1}}))

    page.html.encode()
    assert len(page.countries) == 3


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("+447700900123", "band/[digits].csv"),
        ("447700 900123", "band/[digits].csv"),
        ("447700\u200b900123", "band/[digits].csv"),
        ("(44) 7700-900.123", "band/([digits].csv"),
        ("somebody@example.com", "[address]"),
    ],
)
def test_a_name_that_could_identify_a_person_is_masked(name: str, shown: str) -> None:
    report = replace(REPORT, checker=name, upload_key=f"band/{name}.csv", task_type=name)

    page = Page(replace(report, countries={name: {"yes": 1}}))

    assert page.root.findtext("body/header/p") == shown
    assert not re.search(r"7700|somebody", page.html)


def test_a_very_long_key_is_cut_with_an_ellipsis() -> None:
    shown = Page(replace(REPORT, upload_key="band/" + "x" * 1000)).root.findtext("body/header/p")

    assert shown == "band/" + "x" * 295 + "\u2026"


def test_the_page_runs_no_script_and_loads_nothing() -> None:
    page = Page(REPORT)

    assert not re.search(r"https?:|//|@import|src=|javascript:|\son\w+=|\sstyle=", page.html)
    assert {element.tag for element in page.root.iter()}.isdisjoint(
        {"script", "link", "img", "iframe", "form"}
    )
    assert re.findall(r"url\(.*?\)", page.html) == ["url(#hatching)"]


def test_the_security_policy_allows_only_the_pages_own_style() -> None:
    page = Page(REPORT)
    style = page.root.findtext("head/style") or ""
    policy = next(meta for meta in page.root.iter("meta") if meta.get("http-equiv"))

    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy.get("content") == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_every_bar_colour_is_defined_in_the_style() -> None:
    page = Page(REPORT)
    style = page.root.findtext("head/style") or ""

    colours = {part.get("class") for bar in page.bars for part in bar.iter("rect")}
    assert colours == {"yes", "no", "unknown", "unresolved"}
    assert all(re.search(rf"\.{colour}\b[^{{}}]*{{ fill: ", style) for colour in colours)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_bars_have_enough_contrast(scheme: str) -> None:
    style = Page(REPORT).root.findtext("head/style") or ""
    light, dark = (dict(re.findall(r"--(\w+): #(\w+);", block)) for block in style.split("@media")[:2])
    colours = {name: _luminance(colour) for name, colour in (dark if scheme == "dark" else light).items()}

    for name, least in {
        "ink": 7,
        "soft": 4.5,
        "link": 4.5,
        "yes": 3,
        "no": 3,
        "unknown": 3,
    }.items():
        assert _contrast(colours[name], colours["paper"]) >= least, name
    assert _contrast(colours["yes"], colours["no"]) >= 2


def _contrast(one: float, other: float) -> float:
    """Return the contrast ratio of two luminances (WCAG 2.2, "contrast ratio")."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour in hexadecimal (WCAG 2.2, "relative luminance")."""
    digits = colour if len(colour) == 6 else "".join(digit * 2 for digit in colour)
    red, green, blue = (int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4))
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


# The verdict memory


def test_the_accounts_add_up_with_remembered_answers() -> None:
    saved = Savings.of(Counts(duplicates=333, remembered=15_000), checkers()["band"])
    facts = Page(replace(REPORT, submitted=5_000, remembered=15_000, saved=saved)).facts
    assert facts["remembered"] == ["\u221215,000"]
    assert facts["sent to the vendor"] == ["5,000"]
    assert facts["answered from memory"] == ["+15,000"]
    assert facts["without an answer"] == ["\u221284"]
    assert facts["resolved"] == ["19,916"]
    assert facts["saved"] == ["333 duplicates, 15,000 remembered: about 1.53 USD at list price"]


def test_the_title_counts_remembered_entries() -> None:
    page = Page(replace(REPORT, submitted=5_000, remembered=15_000))
    assert "20,000 numbers checked with band" in page.text


def test_an_upload_that_was_not_sent_shows_neither_cost_nor_task() -> None:
    report = replace(REPORT, submitted=0, remembered=20_000, task_id="", submitted_at=None, cost=None)
    facts = Page(report).facts
    assert facts["sent to the vendor"] == ["0"]
    assert not {"cost", "task ID", "duration", "submitted"} & facts.keys()


def test_a_stack_without_memory_shows_nothing_of_it() -> None:
    assert "remember" not in Page(REPORT).html
