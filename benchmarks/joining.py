"""Joining an upload with its export: write a row of results.csv with the vendor's answer for each line."""

import csv
from io import BytesIO, TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from zipfile import ZIP_DEFLATED, ZipFile

from benchmarks.measuring import FULL, Work, measured, show
from benchmarks.sample_numbers import write_numbers

LINES = 10_000_000 if FULL else 1_000_000
ROUNDS = 3
MILLION = 1_000_000

COLUMNS = ("line", "number", "status", "verdict", "band")


def main() -> None:
    """Measure and print the table."""
    contenders = {
        "numberdrop": with_numberdrop,
        "csv.DictReader, dict, csv.DictWriter": with_dict_rows,
        "csv.reader, dict, csv.writer": with_csv,
        "polars": with_polars,
        "duckdb": with_duckdb,
    }
    with TemporaryDirectory() as folder:
        entries, export = Path(folder) / "entries", Path(folder) / "export.zip"
        write_numbers(entries, LINES, duplicates=0.02)
        _write_export(export, entries)
        results = measured(contenders, entries, export, rounds=1 if FULL else ROUNDS)
        show(f"{LINES / MILLION:.0f} million lines with their export", results, unit="M lines")


def _write_export(path: Path, entries: Path) -> None:
    """Write a zip like the vendor's, with an answer for each distinct number."""
    with (
        ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("task/all.csv", "w", force_zip64=True) as member,
        TextIOWrapper(member, encoding="utf-8", newline="") as out,
        entries.open(encoding="utf-8") as lines,
    ):
        out.write("number,band\n")
        seen: set[int] = set()
        for line in lines:
            number = int(line)
            if number not in seen:
                seen.add(number)
                out.write(f"{line[1:-1]},{'yes' if number % 3 else 'no'}\n")


def with_numberdrop(entries: str, export: str) -> Work:
    """Join as the collect function does."""
    from numberdrop.files.exports.export import read_export
    from numberdrop.files.results.results import write_results
    from numberdrop.files.uploads.rows import open_upload
    from numberdrop.jobs.checkers import InputKind, checkers

    def work() -> float:
        with (
            Path(entries).open("rb") as upload,
            open_upload(upload, InputKind.PHONE) as rows,
            Path(entries).open("rb") as cleaned,
            read_export(Path(export), checkers()["band"], entries=cleaned) as answers,
            TemporaryFile("w", encoding="utf-8", newline="") as out,
        ):
            write_results(cleaned, rows, answers, out)
        return LINES / MILLION

    return work


def with_dict_rows(entries: str, export: str) -> Work:
    """Join with the obvious loop over dictionaries."""

    def work() -> float:
        with ZipFile(export) as archive, archive.open("task/all.csv") as member:
            rows = csv.DictReader(TextIOWrapper(member, encoding="utf-8", newline=""))
            answers = {row["number"]: row for row in rows}
        with (
            Path(entries).open(encoding="utf-8") as lines,
            TemporaryFile("w", encoding="utf-8", newline="") as out,
        ):
            writer = csv.DictWriter(out, COLUMNS)
            writer.writeheader()
            for position, line in enumerate(lines, 1):
                number = line.strip()
                answer = answers.get(number.removeprefix("+"))
                band = answer["band"] if answer else ""
                status = "resolved" if answer else "unresolved"
                writer.writerow(
                    {"line": position, "number": number, "status": status, "verdict": band, "band": band}
                )
        return LINES / MILLION

    return work


def with_csv(entries: str, export: str) -> Work:
    """Join with the same loop over lists."""

    def work() -> float:
        with ZipFile(export) as archive, archive.open("task/all.csv") as member:
            rows = csv.reader(TextIOWrapper(member, encoding="utf-8", newline=""))
            answers = dict(rows)
        with (
            Path(entries).open(encoding="utf-8") as lines,
            TemporaryFile("w", encoding="utf-8", newline="") as out,
        ):
            writer = csv.writer(out)
            writer.writerow(COLUMNS)
            for position, line in enumerate(lines, 1):
                number = line.strip()
                band = answers.get(number.removeprefix("+"))
                if band is None:
                    writer.writerow([position, number, "unresolved", "", ""])
                else:
                    writer.writerow([position, number, "resolved", band, band])
        return LINES / MILLION

    return work


def with_polars(entries: str, export: str) -> Work:
    """Join with a data frame on all cores."""
    import polars as pl

    def work() -> float:
        with ZipFile(export) as archive:
            answers = pl.read_csv(
                BytesIO(archive.read("task/all.csv")), schema_overrides={"number": pl.String}
            )
        lines = pl.read_csv(entries, has_header=False, schema={"number": pl.String}).with_row_index("line", 1)
        joined = lines.with_columns(pl.col("number").str.strip_prefix("+").alias("digits")).join(
            answers, left_on="digits", right_on="number", how="left", maintain_order="left"
        )
        status = pl.when(pl.col("band").is_null()).then(pl.lit("unresolved")).otherwise(pl.lit("resolved"))
        with TemporaryFile() as out:
            joined.select(
                "line", "number", status.alias("status"), pl.col("band").alias("verdict"), "band"
            ).write_csv(out)
        return LINES / MILLION

    return work


def with_duckdb(entries: str, export: str) -> Work:
    """Join with an embedded database on all cores."""
    import duckdb

    def work() -> float:
        with TemporaryDirectory() as folder:
            with ZipFile(export) as archive:
                answers = archive.extract("task/all.csv", folder)
            statement = f"""
                COPY (
                    SELECT line, entries.number AS number,
                        CASE WHEN band IS NULL THEN 'unresolved' ELSE 'resolved' END AS status,
                        band AS verdict, band
                    FROM (
                        SELECT row_number() OVER () AS line, number
                        FROM read_csv('{entries}', header=false, columns={{'number': 'VARCHAR'}})
                    ) AS entries
                    LEFT JOIN read_csv('{answers}', all_varchar=true) AS answers
                        ON answers.number = ltrim(entries.number, '+')
                    ORDER BY line
                ) TO '{folder}/results.csv' (HEADER true)
                """  # noqa: S608 - contains only our own paths
            duckdb.execute(statement)
        return LINES / MILLION

    return work
