"""Cleaning an upload: convert each line to E.164 and write each distinct number once, in order."""

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from benchmarks.measuring import FULL, Work, measured, show
from benchmarks.sample_numbers import write_numbers

LINES = 10_000_000 if FULL else 1_000_000
ROUNDS = 3
MILLION = 1_000_000
SLOW_LINES = 100_000
"""Lines for the slowest contender, which gets fewer."""

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
SEPARATORS = re.compile(r"[\s().-]+")


def main() -> None:
    """Measure and print the tables."""
    contenders = {
        "numberdrop": with_numberdrop,
        "lines, re, set": with_a_loop,
        "csv, re, set": with_csv,
        "polars": with_polars,
        "duckdb": with_duckdb,
        f"phonenumbers ({SLOW_LINES:,} lines)": with_phonenumbers,
    }
    with TemporaryDirectory() as folder:
        file = Path(folder) / "numbers.txt"
        for title, dirty in (("clean lines", 0.0), ("lines, a fifth of them dirty", 0.2)):
            write_numbers(file, LINES, duplicates=0.02, dirty=dirty)
            results = measured(contenders, file, rounds=1 if FULL else ROUNDS)
            show(f"{LINES / MILLION:.0f} million {title}", results, unit="M lines")


def with_numberdrop(path: str) -> Work:
    """Clean as the submit function does: list all entries, and each distinct one once."""
    from numberdrop.files.uploads.cleaning import clean_upload
    from numberdrop.files.uploads.rows import open_upload
    from numberdrop.jobs.checkers import InputKind

    def work() -> float:
        with (
            Path(path).open("rb") as upload,
            open_upload(upload, InputKind.PHONE) as rows,
            TemporaryFile() as entries,
            TemporaryFile() as numbers,
        ):
            return clean_upload(rows, entries=entries, numbers=numbers).lines / MILLION

    return work


def with_a_loop(path: str) -> Work:
    """Clean with the obvious loop."""

    def work() -> float:
        with Path(path).open(encoding="utf-8") as lines:
            return _write_distinct(lines)

    return work


def with_csv(path: str) -> Work:
    """Clean with the same loop over the csv module's rows."""

    def work() -> float:
        with Path(path).open(encoding="utf-8", newline="") as lines:
            return _write_distinct(row[0] for row in csv.reader(lines))

    return work


def with_phonenumbers(path: str) -> Work:
    """Clean with the Python port of Google's library."""
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, parse

    def work() -> float:
        seen: set[str] = set()
        with Path(path).open(encoding="utf-8") as lines, TemporaryFile("w", encoding="utf-8") as out:
            for line in islice(lines, SLOW_LINES):
                try:
                    number = format_number(parse(line), PhoneNumberFormat.E164)
                except NumberParseException:
                    continue
                if number not in seen:
                    seen.add(number)
                    out.write(f"{number}\n")
        return SLOW_LINES / MILLION

    return work


def with_polars(path: str) -> Work:
    """Clean with a data frame on all cores."""
    import polars as pl

    def work() -> float:
        lines = pl.read_csv(
            path, has_header=False, schema={"line": pl.String}, separator="\x1f", quote_char=None
        )
        number = pl.col("line").str.replace_all(r"[\s().-]+", "").str.replace(r"^00", "+")
        with TemporaryFile() as out:
            lines.select(number.alias("number")).filter(
                pl.col("number").str.contains(r"^\+[1-9][0-9]{6,14}$")
            ).unique(maintain_order=True).write_csv(out, include_header=False)
        return len(lines) / MILLION

    return work


def with_duckdb(path: str) -> Work:
    """Clean with an embedded database on all cores."""
    import duckdb

    source = f"read_csv('{path}', header=false, columns={{'line': 'VARCHAR'}}, delim='\x1f', quote='')"

    def work() -> float:
        with TemporaryDirectory() as folder:
            statement = rf"""
                COPY (
                    SELECT number FROM (
                        SELECT row_number() OVER () AS place,
                            regexp_replace(regexp_replace(line, '[\s().-]+', '', 'g'), '^00', '+') AS number
                        FROM {source}
                    )
                    WHERE regexp_full_match(number, '\+[1-9][0-9]{{6,14}}')
                    GROUP BY number ORDER BY min(place)
                ) TO '{folder}/numbers' (HEADER false)
                """  # noqa: S608 - contains only our own paths
            duckdb.execute(statement)
        return LINES / MILLION

    return work


def _write_distinct(lines: Iterator[str]) -> float:
    """Write each distinct number once; return the millions of lines."""
    seen: set[str] = set()
    count = 0
    with TemporaryFile("w", encoding="utf-8") as out:
        for line in lines:
            count += 1
            number = line.strip()
            if not E164.fullmatch(number):
                number = SEPARATORS.sub("", number)
                if number.startswith("00"):
                    number = f"+{number[2:]}"
                if not E164.fullmatch(number):
                    continue
            if number not in seen:
                seen.add(number)
                out.write(f"{number}\n")
    return count / MILLION
