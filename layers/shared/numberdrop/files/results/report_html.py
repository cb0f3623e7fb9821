"""Render the report, the page for people next to the results.

The page is one file that works offline, in dark mode and in print. It has no scripts and loads nothing; its
content security policy forbids both. It shows counts, ids and names, never a number that was checked.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from html import escape
from importlib import resources
from urllib.parse import quote

from numberdrop.files.exports.verdicts import VERDICTS, YES
from numberdrop.files.results.report import Cost, Report, VerdictCounts
from numberdrop.files.results.results import RESOLVED, UNRESOLVED
from numberdrop.jobs.checkers import InputKind
from numberdrop.jobs.job import timestamp
from numberdrop.jobs.savings import Savings
from numberdrop.masking import masked

MAX_COUNTRIES = 15
"""If there are many countries, the largest get a row each and the others share one."""

_NOUNS: Mapping[InputKind, tuple[str, str]] = {
    InputKind.PHONE: ("number", "numbers"),
    InputKind.AS_WRITTEN: ("entry", "entries"),
    InputKind.EMAIL: ("e-mail address", "e-mail addresses"),
}

_WORKBOOK = "results.xlsx"

_CONTENTS = {
    _WORKBOOK: "the same for spreadsheets: all cells are text",
    "results": "every line with its status and verdict",
    "yes": "the entries with the verdict yes, one a line",
    "no": "those with the verdict no",
    "unknown": "those with the verdict unknown",
    "rejected": "rejected lines and the reasons",
    "export": "the vendor's file, unchanged",
    "manifest": "IDs, counts and checksums",
}

_WORDS = (*VERDICTS, RESOLVED, UNRESOLVED)
"""The words that counts are shown for, in display order. Each is a class in the style sheet."""

_NO_VERDICTS = "There are no verdicts to count. See results.csv for what the vendor returned."

_LONGEST_MASKED = 300
"""Length at which ``masked`` cuts off text."""

_HATCHING = """<svg class="hidden" aria-hidden="true"><defs>
<pattern id="hatching" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="1.6" height="4" /></pattern>
</defs></svg>"""


def report_html(report: Report) -> str:
    """Return the page as HTML that is also well-formed XML. Equal reports give equal pages.

    >>> report = Report(
    ...     checker="band", task_type="band", kind=InputKind.PHONE, upload_key="band/leads.txt", lines=None,
    ...     job_id="3f9ac1d0", task_id="cv3q7l2s", submitted_at=None, collected_at=datetime.now(UTC),
    ...     submitted=3, resolved=2, unresolved=1, verdicts={"yes": 1, "no": 1},
    ... )
    >>> "<h1>3 numbers checked with band</h1>" in report_html(report)
    True
    """
    style = resources.files(__package__).joinpath("report.css").read_text("utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    title = (
        f"{_count_of(report.submitted + report.remembered, report.kind)} checked with {_text(report.checker)}"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<meta name="robots" content="noindex" />
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{_HATCHING}
<header>
<h1>{title}</h1>
<p dir="auto">{_text(report.upload_key)}</p>
</header>
<main>
{_summary(report)}{_by_country(report.countries)}<div class="facts">
{_files(report)}{_reading(report.reading)}{_accounting(report)}{_task(report)}</div>
</main>
<footer>Written by numberdrop. This page contains counts, not the entries that were checked.</footer>
</body>
</html>
"""


def _summary(report: Report) -> str:
    """Render the overall counts, which also serve as the legend of the colours, and a bar."""
    resolved = report.verdicts or {RESOLVED: report.resolved}
    counts = _in_order({**resolved, UNRESOLVED: report.unresolved})
    lacks_verdicts = report.resolved and not report.verdicts
    total = sum(counts.values())
    figures = "".join(
        f"<div><dt>{_head(word)}</dt><dd>{count:,}</dd><dd>{_share(count, total)}</dd></div>\n"
        for word, count in counts.items()
    )
    return f"""<section class="summary" aria-label="Overall results">
<dl>
{figures}</dl>
{_bar(counts)}
{f"<p>{_NO_VERDICTS}</p>" if lacks_verdicts else ""}
</section>
"""


def _by_country(countries: Mapping[str, VerdictCounts]) -> str:
    """Render the table of countries. Below the counts of each country is a bar of their shares."""
    if not countries:
        return ""
    overall = _in_order(_sum(countries.values()))
    heads = ["country", *map(_head, overall), "total", *([f"% {YES}"] if YES in overall else [])]
    columns = "".join(f'<th scope="col">{head}</th>' for head in heads)
    rows = ""
    for name, country in _largest_first(countries):
        counts = {word: country.get(word, 0) for word in overall}
        rows += f'<tbody>\n{_country(name, counts)}<tr class="picture" aria-hidden="true">'
        rows += f'<td colspan="{len(heads)}">{_bar(counts)}</td></tr>\n</tbody>\n'
    return f"""<section class="countries">
<h2>Verdicts by country</h2>
<table>
<thead><tr>{columns}</tr></thead>
{rows}<tfoot>
{_country("total", overall)}</tfoot>
</table>
</section>
"""


def _country(name: str, counts: VerdictCounts) -> str:
    total = sum(counts.values())
    cells = [f"{count:,}" for count in (*counts.values(), total)]
    if YES in counts:
        cells.append(_share(counts[YES], total))
    columns = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{_text(name)}</th>{columns}</tr>\n'


def _accounting(report: Report) -> str:
    """Render the steps from the lines of the file to the entries that were sent, and to those resolved."""
    facts = [("<b>sent to the vendor</b>", f"<b>{report.submitted:,}</b>")]
    if report.lines is not None:
        facts = [
            ("lines in the file", f"{report.lines:,}"),
            ("duplicates", _minus(report.duplicates)),
            ("rejected", _minus(report.rejected)),
            *([("remembered", _minus(report.remembered))] if report.remembered else []),
            *facts,
        ]
    if report.remembered:
        facts.append(("answered from memory", f"+{report.remembered:,}"))
    facts.append(
        ("without an answer" if report.remembered else "not in the export", _minus(report.unresolved))
    )
    facts.append(("<b>resolved</b>", f"<b>{report.resolved:,}</b>"))
    if report.further:
        facts.append(("further numbers in a cell, not sent", f"{report.further:,}"))
    return _facts("From upload to results", facts)


def _reading(sentences: Sequence[str]) -> str:
    """Render what was read of the upload, and what was not."""
    if not sentences:
        return ""
    paragraphs = "".join(f'<p dir="auto">{_text(sentence)}</p>\n' for sentence in sentences)
    return f"<section>\n<h2>What was read</h2>\n{paragraphs}</section>\n"


def _task(report: Report) -> str:
    facts = [("collected", _moment(report.collected_at))]
    if report.submitted_at:
        duration = _duration(report.collected_at - report.submitted_at)
        facts = [("submitted", _moment(report.submitted_at)), *facts, ("duration", duration)]
    if report.cost and report.submitted:
        facts.append(("cost", _cost(report.cost)))
    if report.saved and report.saved.numbers:
        facts.append(("saved", _saved(report.saved)))
    facts.append(("task type", _text(report.task_type)))
    if report.task_id:
        facts.append(("task ID", f"<code>{escape(report.task_id)}</code>"))
    facts.append(("job ID", f"<code>{escape(report.job_id)}</code>"))
    return _facts("Task", facts)


def _files(report: Report) -> str:
    """Render links to the files, and where they are in case somebody has moved the page without them."""
    names = report.files
    if not names:
        return ""
    links = [f'<a href="{escape(quote(name, safe=""))}">{escape(name)}</a>' for name in names]
    contents = [_CONTENTS.get(name) or _CONTENTS.get(name.partition(".")[0], "") for name in names]
    section = _facts("Files", zip(links, contents, strict=True))
    if not report.location:
        return section
    place = f"<code>s3://{_text(report.location)}/</code>"
    command = f"<code>numberdrop watch {escape(report.job_id[:12])}</code>"
    note = f"The links work beside these files. The files are in {place}; {command} saves them together."
    return section.removesuffix("</section>\n") + f"<p>{note}</p>\n</section>\n"


def _facts(title: str, facts: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<div><dt>{term}</dt><dd>{fact}</dd></div>\n" for term, fact in facts)
    return f"<section>\n<h2>{title}</h2>\n<dl>\n{rows}</dl>\n</section>\n"


def _in_order(counts: VerdictCounts) -> VerdictCounts:
    """Return the counts in display order."""
    return {word: counts[word] for word in _WORDS if word in counts}


def _largest_first(countries: Mapping[str, VerdictCounts]) -> list[tuple[str, VerdictCounts]]:
    """Return the countries with the most entries first; if there are many, add the smallest up into one."""
    ranked = sorted(countries.items(), key=lambda country: (-sum(country[1].values()), country[0]))
    if len(ranked) <= MAX_COUNTRIES + 1:
        return ranked
    others = ranked[MAX_COUNTRIES:]
    return [*ranked[:MAX_COUNTRIES], (f"{len(others)} others", _sum(counts for _, counts in others))]


def _sum(several: Iterable[VerdictCounts]) -> VerdictCounts:
    total: Counter[str] = Counter()
    for counts in several:
        total.update(counts)
    return total


def _bar(counts: VerdictCounts) -> str:
    """Render a bar divided in proportion to the counts."""
    total = sum(counts.values())
    parts, shares = "", []
    start = 0
    for word, count in counts.items():
        if count:
            extent = f'x="{100 * start / total:.3f}%" width="{100 * count / total:.3f}%"'
            parts += f'<rect class="{word}" {extent} height="100%" />'
            shares.append(f"{_share(count, total)} {word}")
            start += count
    return f'<svg class="bar" role="img"><title>{", ".join(shares) or "no entries"}</title>{parts}</svg>'


def _head(word: str) -> str:
    """Render a word after a patch of its colour."""
    patch = f'<rect class="{word}" width="100%" height="100%" />'
    return f'<svg class="patch" aria-hidden="true">{patch}</svg>{word}'


def _share(count: int, total: int) -> str:
    """Return a percentage: 0% only for none, 100% only for all."""
    if count in {0, total}:
        return "100%" if count else "0%"
    return f"{min(max(100 * count / total, 0.1), 99.9):.1f}%"


def _minus(count: int) -> str:
    return f"{-count:,}".replace("-", "\u2212")


def _count_of(count: int, kind: InputKind) -> str:
    singular, plural = _NOUNS[kind]
    return f"{count:,} {singular if count == 1 else plural}"


def _moment(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f'<time datetime="{timestamp(moment)}">{utc.day} {utc:%B %Y, %H:%M} UTC</time>'


def _cost(cost: Cost) -> str:
    if not cost.estimated:
        return f"{cost.amount:,f} {_text(cost.currency)}"
    amount = f"about {cost.amount:,.2f}" if cost.amount >= Decimal("0.01") else "less than 0.01"
    return f"{amount} {_text(cost.currency)} at list price"


def _saved(saved: Savings) -> str:
    """Return how many entries were not sent, and their list price. The vendor bills in blocks."""
    parts = {"duplicates": saved.duplicates, "remembered": saved.remembered}
    counted = ", ".join(f"{count:,} {word}" for word, count in parts.items() if count)
    if saved.usd is None:
        return counted
    return f"{counted}: {_cost(Cost(amount=Decimal(str(saved.usd)), currency='USD', estimated=True))}"


def _duration(time: timedelta) -> str:
    minutes, seconds = divmod(max(round(time.total_seconds()), 0), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {seconds} s"


def _text(raw: str) -> str:
    """Make text from outside safe for the page: masked, printable and escaped."""
    shown = masked("".join(letter if letter.isprintable() else " " for letter in raw))
    return escape(shown + ("\u2026" if len(shown) == _LONGEST_MASKED else ""))
