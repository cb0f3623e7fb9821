"""The page beside the results: what was asked and what came of it, for people.

It is one file that works offline, in the dark and on paper: no scripts, nothing from elsewhere, and a content
security policy that forbids both. It tells counts, ids and names, never a number.
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
from numberdrop.masking import masked

MAX_COUNTRIES = 15
"""Countries that have a row of their own where there are many; the smaller ones share one more."""

_NOUNS: Mapping[InputKind, tuple[str, str]] = {
    InputKind.PHONE: ("number", "numbers"),
    InputKind.AS_WRITTEN: ("entry", "entries"),
    InputKind.EMAIL: ("e-mail address", "e-mail addresses"),
}

_CONTENTS = {
    "results": "every line with its answer",
    "rejected": "lines left out, and why",
    "export": "the vendor's file, byte for byte",
    "manifest": "ids, counts, checksums",
}

_WORDS = (*VERDICTS, RESOLVED, UNRESOLVED)
"""What is counted, in the order to show it; each has a class in the style sheet."""

_LONGEST_MASKED = 300
"""Where masking cuts words off."""

_HATCHING = """<svg class="hidden" aria-hidden="true"><defs>
<pattern id="hatching" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="1.6" height="4" /></pattern>
</defs></svg>"""


def report_html(report: Report) -> str:
    """The page of a job: HTML that is well-formed XML as well, and the same for the same report."""
    style = resources.files(__package__).joinpath("report.css").read_text("utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    asked = f"{_number_of(report.submitted, report.kind)} checked with {_text(report.checker)}"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<meta name="robots" content="noindex" />
<title>{asked}</title>
<style>{style}</style>
</head>
<body>
{_HATCHING}
<header>
<h1>{asked}</h1>
<p dir="auto">{_text(report.upload_key)}</p>
</header>
<main>
{_answers(report)}{_by_country(report.countries)}<div class="facts">
{_beside(report.files)}{_accounting(report)}{_task(report)}</div>
</main>
<footer>Written by numberdrop with the results. It holds counts, and nothing that was checked.</footer>
</body>
</html>
"""


def _answers(report: Report) -> str:
    """All answers in figures, which are the key to the colours as well, and in one bar."""
    answers = report.verdicts or {RESOLVED: report.resolved}
    counts = _in_order({**answers, UNRESOLVED: report.unresolved})
    told = report.verdicts or not report.resolved
    total = sum(counts.values())
    figures = "".join(
        f"<div><dt>{_head(word)}</dt><dd>{count:,}</dd><dd>{_share(count, total)}</dd></div>\n"
        for word, count in counts.items()
    )
    return f"""<section class="answers" aria-label="All answers">
<dl>
{figures}</dl>
{_bar(counts)}
{"" if told else "<p>There are no verdicts to count. The results have what was found.</p>"}
</section>
"""


def _by_country(countries: Mapping[str, VerdictCounts]) -> str:
    """A table that is a picture too: below the figures of each country lies a bar of their shares."""
    if not countries:
        return ""
    overall = _in_order(_sum(countries.values()))
    heads = ["country", *map(_head, overall), "all", *([f"% {YES}"] if YES in overall else [])]
    columns = "".join(f'<th scope="col">{head}</th>' for head in heads)
    rows = ""
    for name, some in _largest_first(countries):
        counts = {word: some.get(word, 0) for word in overall}
        rows += f'<tbody>\n{_country(name, counts)}<tr class="picture" aria-hidden="true">'
        rows += f'<td colspan="{len(heads)}">{_bar(counts)}</td></tr>\n</tbody>\n'
    return f"""<section class="countries">
<h2>Verdicts by country</h2>
<table>
<thead><tr>{columns}</tr></thead>
{rows}<tfoot>
{_country("all", overall)}</tfoot>
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
    """From the lines of the file to the entries that were paid for, and on to those that were answered."""
    facts = [("<b>sent to the vendor</b>", f"<b>{report.submitted:,}</b>")]
    if report.lines is not None:
        facts = [
            ("lines in the file", f"{report.lines:,}"),
            ("repeated", _less(report.duplicates)),
            ("rejected", _less(report.rejected)),
            *facts,
        ]
    facts.append(("not in the export", _less(report.unresolved)))
    facts.append(("<b>answered</b>", f"<b>{report.resolved:,}</b>"))
    return _facts("From file to answers", facts)


def _task(report: Report) -> str:
    facts = [("collected", _moment(report.collected_at))]
    if report.submitted_at:
        took = _duration(report.collected_at - report.submitted_at)
        facts = [("submitted", _moment(report.submitted_at)), *facts, ("took", took)]
    if report.cost:
        facts.append(("cost", _cost(report.cost)))
    facts.append(("task type", _text(report.task_type)))
    facts.append(("task", f"<code>{escape(report.task_id)}</code>"))
    facts.append(("job", f"<code>{escape(report.job_id)}</code>"))
    return _facts("The task", facts)


def _beside(names: Sequence[str]) -> str:
    links = [f'<a href="{escape(quote(name, safe=""))}">{escape(name)}</a>' for name in names]
    contents = [_CONTENTS.get(name.partition(".")[0], "") for name in names]
    return _facts("Beside this page", zip(links, contents, strict=True)) if names else ""


def _facts(title: str, facts: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<div><dt>{term}</dt><dd>{fact}</dd></div>\n" for term, fact in facts)
    return f"<section>\n<h2>{title}</h2>\n<dl>\n{rows}</dl>\n</section>\n"


def _in_order(counts: VerdictCounts) -> VerdictCounts:
    """The words in the order to show them."""
    return {word: counts[word] for word in _WORDS if word in counts}


def _largest_first(countries: Mapping[str, VerdictCounts]) -> list[tuple[str, VerdictCounts]]:
    """Countries with the most entries first; where they are many, the smaller ones are one."""
    ranked = sorted(countries.items(), key=lambda country: (-sum(country[1].values()), country[0]))
    if len(ranked) <= MAX_COUNTRIES + 1:
        return ranked
    rest = ranked[MAX_COUNTRIES:]
    return [*ranked[:MAX_COUNTRIES], (f"{len(rest)} others", _sum(counts for _, counts in rest))]


def _sum(several: Iterable[VerdictCounts]) -> VerdictCounts:
    total: Counter[str] = Counter()
    for counts in several:
        total.update(counts)
    return total


def _bar(counts: VerdictCounts) -> str:
    """A bar divided as the counts are."""
    total = sum(counts.values())
    parts, told = "", []
    start = 0
    for word, count in counts.items():
        if count:
            place = f'x="{100 * start / total:.3f}%" width="{100 * count / total:.3f}%"'
            parts += f'<rect class="{word}" {place} height="100%" />'
            told.append(f"{_share(count, total)} {word}")
            start += count
    return f'<svg class="bar" role="img"><title>{", ".join(told) or "nothing"}</title>{parts}</svg>'


def _head(word: str) -> str:
    """A word behind a patch of its colour."""
    patch = f'<rect class="{word}" width="100%" height="100%" />'
    return f'<svg class="patch" aria-hidden="true">{patch}</svg>{word}'


def _share(count: int, total: int) -> str:
    """Per cent: 0 only for none, 100 only for all."""
    if count in {0, total}:
        return "100%" if count else "0%"
    return f"{min(max(100 * count / total, 0.1), 99.9):.1f}%"


def _less(count: int) -> str:
    return f"{-count:,}".replace("-", "\u2212")


def _number_of(count: int, kind: InputKind) -> str:
    one, more = _NOUNS[kind]
    return f"{count:,} {one if count == 1 else more}"


def _moment(moment: datetime) -> str:
    there = moment.astimezone(UTC)
    return f'<time datetime="{timestamp(moment)}">{there.day} {there:%B %Y, %H:%M} UTC</time>'


def _cost(cost: Cost) -> str:
    if not cost.estimated:
        return f"{cost.amount:,f} {_text(cost.currency)}"
    amount = f"about {cost.amount:,.2f}" if cost.amount >= Decimal("0.01") else "less than 0.01"
    return f"{amount} {_text(cost.currency)} at list price"


def _duration(time: timedelta) -> str:
    minutes, seconds = divmod(max(round(time.total_seconds()), 0), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {seconds} s"


def _text(words: str) -> str:
    """Words from outside as they may stand on the page: masked, printable and escaped."""
    shown = masked("".join(letter if letter.isprintable() else " " for letter in words))
    return escape(shown + ("\u2026" if len(shown) == _LONGEST_MASKED else ""))
