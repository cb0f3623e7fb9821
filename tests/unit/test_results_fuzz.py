"""Random uploads with random exports give each line the verdict that a naive join gives it.

The suite tries a few hundred files. ``make fuzz FILES=20000`` tries more, and ``SEED`` starts at another.
"""

import csv
import io
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random

import openpyxl
import phonenumbers
import pytest

from numberdrop.files.exports.verdicts import verdict_of
from numberdrop.files.formats.escaping import escaped
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.results.results import RESOLVED
from numberdrop.jobs.checkers import InputKind, checkers
from tests.support.naive_join import naive_join, punctuation_removed
from tests.support.results import results_of

FILES = int(os.environ.get("NUMBERDROP_FUZZ_FILES", "300"))
SEED = int(os.environ.get("NUMBERDROP_FUZZ_SEED", "1"))
FILES_PER_TEST = 100

CHECKERS = {
    InputKind.PHONE: ("band", "ws", "tg", "wa-simple", "active_check"),
    InputKind.EMAIL: ("apple_email", "email_check", "amazon_email"),
    InputKind.AS_WRITTEN: ("phonecheck",),
}
REGIONS = ("DE", "US", "CH", "IT", "GB", "FR")
WORDS = ("yes", "no", "ban", "N/A", "registered", "inactive", "\u5df2\u6fc0\u6d3b", "\u672a\u6ce8\u518c")
OTHER_SERVICES = ("viber", "zalo_status", "snapchat", "is_line")
CLEAR_NAMES = {
    InputKind.PHONE: ("number", "Phone", "msisdn", "Mobile Number"),
    InputKind.EMAIL: ("Email", "email"),
    InputKind.AS_WRITTEN: ("Number", "username"),
}
UNCLEAR_NAMES = {InputKind.PHONE: ["whoever"], InputKind.EMAIL: ["whoever"], InputKind.AS_WRITTEN: []}
NOTES = ("", "Doe, Jane", 'the "new" one', "=1+1", "two\nlines", "\u738b")
LOOKALIKE_NAMES = ("contact", "old_number", "Previous Phone", "alternative_mobile", "customer_id", "id")
NOT_AN_ENTRY = {InputKind.PHONE: "no number", InputKind.EMAIL: "no address", InputKind.AS_WRITTEN: "x" * 65}


@dataclass(frozen=True)
class Case:
    """A random upload and export.

    Attributes:
        lines: the lines of the upload.
        entries: the distinct entries among them.
        numbers: the number in each row of the export.
        words: the vendor's word in each row.
        lookalike: the cells of another column that looks like numbers, or nothing.
        name: the header of the numbers.
        meant: the number that each row of the export is about.
        notes: the cell beside each line if the upload is a table, or nothing.
        countries: the country of each number if it has a column of its own, or nothing.
    """

    kind: InputKind
    checker: str
    region: str | None
    lines: Sequence[str]
    entries: Sequence[str]
    numbers: Sequence[str]
    words: Sequence[str]
    lookalike: Sequence[str]
    name: str
    meant: Sequence[str]
    notes: Sequence[str]
    countries: Sequence[str] = ()


def random_case(chance: Random) -> Case:
    kind = chance.choice([*[InputKind.PHONE] * 3, InputKind.EMAIL, InputKind.AS_WRITTEN])
    region = chance.choice([None, *REGIONS]) if kind is InputKind.PHONE else None
    pool = list(dict.fromkeys(POOLS[kind](chance, region)))
    chance.shuffle(pool)
    entries = pool[: chance.randint(1, len(pool))]
    others = [*entries[1:], *chance.choices([*entries, "", NOT_AN_ENTRY[kind]], k=chance.randint(0, 5))]
    # A first line without an entry would be a header.
    lines = [entries[0], *chance.sample(others, k=len(others))]
    answered = [entry for entry in entries if chance.random() < 0.85]
    meant = answered + chance.choices(pool, k=chance.randint(0, 4))
    chance.shuffle(meant)
    not_sent = pool[len(entries) :]
    if not_sent and chance.random() < 0.05:
        # The export of another task.
        meant = not_sent
    forms = FORMS[kind] if chance.random() < 0.9 else [chance.choice((*FORMS[kind], *UNREADABLE_FORMS))]
    numbers = [chance.choice(forms)(entry, region) for entry in meant]
    case = Case(
        kind=kind,
        checker=chance.choice(CHECKERS[kind]),
        region=region,
        lines=lines,
        entries=list(dict.fromkeys(line for line in lines if line not in {"", NOT_AN_ENTRY[kind]})),
        numbers=numbers,
        words=chance.choices(WORDS, k=len(numbers)),
        lookalike=chance.choice(LOOKALIKES)(numbers, pool, chance),
        name=chance.choice([*CLEAR_NAMES[kind], *UNCLEAR_NAMES[kind]]),
        meant=meant,
        notes=chance.choices(NOTES, k=len(lines)) if chance.random() < 0.5 else (),
    )
    if kind is InputKind.PHONE and not case.lookalike and chance.random() < 0.3:
        return replace(case, numbers=meant, countries=[chance.choice(COUNTRIES)(number) for number in meant])
    return replace(case, name=chance.choice(CLEAR_NAMES[kind])) if is_misleading(case) else case


def phone_pool(chance: Random, region: str | None) -> list[str]:
    """Return valid numbers, among them foreign ones whose digits are national numbers of the region."""
    national = [chance.choice(VALID[region or "DE"]) for _ in range(6)]
    significant = [number.removeprefix(f"+{code_of(region or 'DE')}") for number in national]
    foreign = [f"+{code}{digits}" for digits in significant for code in ("", 1, 7, 20, 39, 41, 44, 49)]
    mixed = [chance.choice(VALID[chance.choice(REGIONS)]) for _ in range(4)]
    return [*national, *filter(is_valid, foreign), *mixed]


def code_of(region: str) -> int:
    return phonenumbers.country_code_for_region(region)


def is_valid(number: str) -> bool:
    """Return whether a number exists and is written as it is sent."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return phonenumbers.is_valid_number(parsed) and written == number


def valid_numbers(region: str) -> list[str]:
    """Return numbers of the region that are sent as they are written."""
    chance = Random(region)
    numbers: list[str] = []
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert example
    start = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    while len(numbers) < 40:
        kept = chance.randint(4, len(start) - 3)
        number = start[:kept] + "".join(chance.choices("0123456789", k=len(start) - kept))
        if is_valid(number):
            numbers.append(number)
    return numbers


VALID = {region: valid_numbers(region) for region in REGIONS}


def address_pool(chance: Random, _region: str | None) -> list[str]:
    names = ["jane", "Jane", "JANE", "j.doe", "J.Doe", "jos\u00e9", "rick+1", "rick1"]
    return [f"{chance.choice(names)}@{host}" for host in ("example.com", "example.org") for _ in range(4)]


def as_written_pool(chance: Random, _region: str | None) -> list[str]:
    digits = "".join(chance.choices("123456789", k=chance.randint(2, 9)))
    forms = [f"+{digits}", f"00{digits}", f"{digits}.0", f"0{digits}", f"{digits[0]}/{digits[1:]}"]
    return [digits, *forms, f"({digits})", "@jane", "jane", "Jane", f"jane{digits}"]


def as_dialled(number: str, region: str | None) -> str:
    """Return the number as it is dialled in its own country, or abroad if it is foreign to the region."""
    parsed = phonenumbers.parse(number)
    if not region or parsed.country_code != code_of(region):
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)


POOLS: dict[InputKind, Callable[[Random, str | None], list[str]]] = {
    InputKind.PHONE: phone_pool,
    InputKind.EMAIL: address_pool,
    InputKind.AS_WRITTEN: as_written_pool,
}

FORMS: dict[InputKind, Sequence[Callable[[str, str | None], str]]] = {
    InputKind.PHONE: (
        lambda entry, _: entry,
        lambda entry, _: entry[1:],
        lambda entry, _: f"00{entry[1:]}",
        lambda entry, _: f"{entry[:3]} {entry[3:6]}-{entry[6:]}",
        lambda entry, _: f"{entry[1:]}.0",
        lambda entry, _: f"0{entry[1:]}",
        as_dialled,
        lambda entry, region: as_dialled(entry, region).replace(" ", ""),
    ),
    InputKind.EMAIL: (
        lambda entry, _: entry,
        lambda entry, _: entry.lower(),
        lambda entry, _: entry.upper(),
        lambda entry, _: entry.replace("\u00e9", "e\u0301"),
        lambda entry, _: f" {entry.replace('example', 'Example')} ",
    ),
    InputKind.AS_WRITTEN: (
        lambda entry, _: entry,
        lambda entry, _: entry.upper(),
        lambda entry, _: entry.replace("/", "").replace(".0", ""),
        lambda entry, _: entry.removeprefix("@").removeprefix("00").removeprefix("+"),
    ),
}

UNREADABLE_FORMS: Sequence[Callable[[str, str | None], str]] = (
    lambda _entry, _region: "",
    lambda entry, _region: f"{entry[:4]}*****{entry[-2:]}",
)

COUNTRIES: Sequence[Callable[[str], str]] = (
    lambda number: f"+{phonenumbers.parse(number).country_code}",
    lambda number: f"00{phonenumbers.parse(number).country_code}",
    lambda number: phonenumbers.region_code_for_number(phonenumbers.parse(number)) or "",
)

Lookalike = Callable[[Sequence[str], Sequence[str], Random], Sequence[str]]
LOOKALIKES: Sequence[Lookalike] = (
    lambda _numbers, _pool, _chance: [],
    lambda _numbers, _pool, _chance: [],
    lambda numbers, _pool, _chance: [*numbers[1:], *numbers[:1]],
    lambda numbers, pool, chance: chance.choices(pool, k=len(numbers)),
    lambda numbers, pool, _chance: [*pool, *pool][: len(numbers)],
    lambda numbers, pool, _chance: [pool[0]] * len(numbers),
    lambda numbers, _pool, _chance: list(numbers),
    lambda numbers, _pool, _chance: [f"+99912345{row:03}" for row in range(len(numbers))],
    lambda numbers, _pool, _chance: [str(row) for row in range(len(numbers))],
)


def write_export(case: Case, path: Path, chance: Random) -> None:
    """Write the export with its columns in any order, in any format."""
    (verdict,) = checkers()[case.checker].result_columns
    columns = {case.name: case.numbers, verdict: case.words}
    if case.countries:
        columns[case.name] = [
            number.removeprefix(f"+{phonenumbers.parse(number).country_code}") for number in case.numbers
        ]
        columns[chance.choice(("Country", "country_code", "ISO"))] = case.countries
    if chance.random() < 0.5:
        columns[chance.choice(OTHER_SERVICES)] = chance.choices(("yes", "no"), k=len(case.words))
    if case.lookalike:
        columns[chance.choice(LOOKALIKE_NAMES)] = case.lookalike
    names = chance.sample(list(columns), k=len(columns))
    rows = list(zip(*(columns[name] for name in names), strict=True))
    title = chance.choice([[], [], [["Results"]]])
    kind = chance.choice(["csv", "csv", "zip", "zip", "xlsx"])
    if kind == "xlsx":
        path.write_bytes(workbook_of([*title, names], rows, chance))
        return
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=chance.choice(",;\t"))
    writer.writerows([*title, names, *rows])
    content = out.getvalue().encode(chance.choice(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
    if kind == "csv":
        path.write_bytes(content)
        return
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t/all.csv", content)


def workbook_of(above: list[list[str]], rows: Sequence[Sequence[str]], chance: Random) -> bytes:
    """Return a workbook with the rows in a sheet, perhaps beside a summary and an older result."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in [*above, *rows]:
        sheet.append(list(row))
    if chance.random() < 0.3:
        summary = book.create_sheet(index=chance.choice([0, 1]))
        summary.append(["status", "count"])
        summary.append(["yes", 1])
    if chance.random() < 0.3:
        older = book.create_sheet(index=0)
        older.sheet_state = "hidden"
        for row in [*above, *rows[1:], *rows[:1]]:
            older.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def is_ambiguous(case: Case) -> bool:
    """Return whether the look-alike column may mean so much that nobody can say which column was checked."""
    answered = {*entries_meant(case.numbers, case)} - {None}
    right, wrong = (entries_possible(column, case) for column in (case.numbers, case.lookalike))
    rows = zip(case.numbers, case.lookalike, right, wrong, strict=False)
    differing = [
        (own, other) for number, alike, own, other in rows if number and alike and own.isdisjoint(other)
    ]
    if 10 * len(answered) >= 9 * sum(map(bool, case.numbers)):
        differing = [pair for pair in differing if all(pair)]
    may_answer = len({*wrong} - {frozenset()})
    entries = {entry for own, other in differing for entry in own | other}
    return 2 * may_answer > len(answered) and 10 * len(entries) > len(answered)


def is_misleading(case: Case) -> bool:
    """Return whether the look-alike column answers more than the numbers do, or the same in a better form.

    Then only the header can say which column was checked.
    """
    right, wrong = (entries_meant(column, case) for column in (case.numbers, case.lookalike))
    is_better = right == wrong and list(case.numbers) != list(case.lookalike)
    return is_better or len({*wrong} - {None}) > len({*right} - {None})


def entries_meant(column: Sequence[str], case: Case) -> list[str | None]:
    """Return the entry that the number of each row means, or None."""
    alone = [naive_join(case.entries, [number], case.kind, case.region) for number in column]
    return [next((entry for entry, row in answers.items() if row == 0), None) for answers in alone]


def entries_possible(column: Sequence[str], case: Case) -> list[frozenset[str]]:
    """Return the entries that each row may mean: those with its last digits, if it does not mean one."""
    phone_numbers = case.entries if case.kind is InputKind.PHONE else ()
    return [
        frozenset([meant] if meant else filter(partial(may_be_national, number), phone_numbers))
        for number, meant in zip(column, entries_meant(column, case), strict=True)
    ]


def may_be_national(number: str, entry: str) -> bool:
    digits = punctuation_removed(number).lstrip("+0")
    return len(digits) >= 7 and digits.isdigit() and entry.endswith(digits)


def is_repeated(case: Case) -> bool:
    """Return whether the look-alike column has the numbers of the rows, in a form in which more are read."""
    meant = entries_meant(case.lookalike, case)
    return any(meant) and all(own in {None, number} for own, number in zip(meant, case.meant, strict=True))


def expected_rows(case: Case, numbers: Sequence[str]) -> list[list[str]]:
    answers = naive_join(case.entries, numbers, case.kind, case.region)
    rows = []
    for index, line in enumerate(case.lines):
        own_cells = [escaped(case.notes[index]), escaped(line)] if case.notes else [str(index + 1)]
        if line == NOT_AN_ENTRY[case.kind]:
            rows.append([*own_cells, "", "rejected", ""])
        elif line:
            row = answers[line]
            status, verdict = ("unresolved", "") if row is None else ("resolved", verdict_of(case.words[row]))
            rows.append([*own_cells, escaped(line), status, verdict])
        elif case.notes:
            rows.append([*own_cells, "", "", ""])
    return rows


def uploaded(case: Case) -> str:
    if not case.notes:
        return "".join(f"{line}\n" for line in case.lines)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["Note", "E-mail" if case.kind is InputKind.EMAIL else "Phone"])
    writer.writerows(zip(case.notes, case.lines, strict=True))
    return out.getvalue()


def written_rows(case: Case, path: Path) -> list[list[str]] | None:
    """Return the own cells, number, status and verdict of each row; None if the export is refused."""
    try:
        written = results_of(uploaded(case), path, case.kind, case.region, case.checker)
    except InvalidFileError:
        return None
    return [row[: 5 if case.notes else 4] for row in written.rows]


@pytest.mark.slow
@pytest.mark.parametrize("first", range(SEED, SEED + FILES, FILES_PER_TEST))
def test_every_line_gets_its_own_verdict(first: int, tmp_path: Path) -> None:
    for seed in range(first, min(first + FILES_PER_TEST, SEED + FILES)):
        chance = Random(seed)
        case = random_case(chance)
        write_export(case, tmp_path / "export", chance)

        rows = written_rows(case, tmp_path / "export")

        expected = expected_rows(case, case.numbers)
        if rows is None:
            assert is_ambiguous(case) or not is_resolved(expected), f"seed {seed}"
        elif rows != expected:
            assert is_repeated(case), f"seed {seed}"
            assert rows == expected_rows(case, case.lookalike), f"seed {seed}"


def is_resolved(rows: list[list[str]]) -> bool:
    """Return whether any row has a verdict."""
    return any(status == RESOLVED for *_, status, _ in rows)
