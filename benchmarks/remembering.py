"""Remembering verdicts: what it costs to find out which numbers of an upload were answered before.

Figures are seconds of processor time, because some ways use all cores. Runs, tables and Parquet are local
files, so the client of S3 is in none of them. DynamoDB is estimated: its client signs and parses a sample of
requests that are answered without a network. ``ASKED`` and ``REMEMBERED`` in the environment choose the
sizes.
"""

import json
import os
import sqlite3
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, BinaryIO

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import FULL, MIB, Measurement, Work, measured
from benchmarks.sample_numbers import write_numbers
from numberdrop.clock import Clock, utc_now
from numberdrop.files.formats.entries_file import line_blocks
from numberdrop.memory.hashing import EntryHasher, slices_of
from numberdrop.memory.memory import VerdictMemory
from numberdrop.memory.reading import LONGEST_READ, RunReader
from numberdrop.memory.run_format import SLICES, Run, RunWriter
from numberdrop.memory.stamps import YES, stamp_of
from numberdrop.memory.store import StoredObject, folder_of

MILLION = 1_000_000
ASKED = int(os.environ.get("ASKED", "100000"))
REMEMBERED = int(os.environ.get("REMEMBERED", str(10 * MILLION if FULL else MILLION)))
ROUNDS = int(os.environ.get("ROUNDS", "1" if FULL else "3"))

CHECKER, KEY, DAY = "band", b"a key of the benchmark", date(2026, 3, 4)

ITEMS_OF_A_READ, ITEMS_OF_A_WRITE = 100, 25
"""Most items of one request (Amazon DynamoDB API reference, "BatchGetItem" and "BatchWriteItem")."""

DYNAMODB = "DynamoDB, an item each (estimated)"

USD = {
    "read of an item": 0.125 / 2 / MILLION,
    "write of an item": 0.625 / MILLION,
    "read of an object": 0.4 / MILLION,
    "write of an object": 5.0 / MILLION,
}
"""List prices in US East, on demand. An eventually consistent read of an item of up to 4 KB takes half a
unit, a write of up to 1 KB one (AWS, "Amazon DynamoDB pricing", "Amazon S3 pricing")."""

SAMPLE = 10_000
"""Items of the sample from which DynamoDB is estimated."""

MOST_FOR_OTHERS = 10 * MILLION
"""Records that the other ways are measured with. Making their files takes minutes."""

HALF = 1 << 63
"""SQLite and DuckDB have signed integers."""


@dataclass(frozen=True)
class FolderStore:
    """Runs as files of a folder.

    Attributes:
        folder: the folder.
        now: the time at which files are written.
    """

    folder: Path
    now: Clock = utc_now

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the files whose keys start with ``prefix``."""
        for path in sorted(self.folder.rglob("*")):
            key = path.relative_to(self.folder).as_posix()
            if path.is_file() and key.startswith(prefix):
                found = path.stat()
                yield StoredObject(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def read(self, key: str, start: int, end: int) -> bytes:
        """Return a part of a file."""
        with (self.folder / key).open("rb", buffering=0) as file:
            return os.pread(file.fileno(), end - start, start)

    def write(self, key: str, file: BinaryIO) -> None:
        """Store a file."""
        file.seek(0)
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            while block := file.read(MIB):
                out.write(block)
        seconds = self.now().timestamp()
        os.utime(path, (seconds, seconds))

    def delete(self, key: str) -> None:
        """Delete a file."""
        (self.folder / key).unlink()


def main() -> None:
    """Measure and print the tables."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_numbers(folder / "numbers", ASKED)
        run = make_run(folder)
        ways = {"hashing alone": hashing, "numberdrop": asking_runs}
        if REMEMBERED <= MOST_FOR_OTHERS:
            make_tables(folder, run)
            ways |= {"SQLite, a temporary join": asking_sqlite, "DuckDB on Parquet": asking_duckdb}
        asked = measured(ways, folder, rounds=ROUNDS)
        sample = measured({DYNAMODB: asking_dynamodb}, rounds=ROUNDS)
        asked |= {way: scaled(one, ASKED / SAMPLE) for way, one in sample.items()}
        _show(f"{ASKED:,} numbers asked of {REMEMBERED:,} remembered", asked)
        learnt = measured({"hashing alone": hashing, "numberdrop": learning_runs}, folder, rounds=ROUNDS)
        sample = measured({DYNAMODB: learning_dynamodb}, rounds=ROUNDS)
        learnt |= {way: scaled(one, ASKED / SAMPLE) for way, one in sample.items()}
        _show(f"{ASKED:,} numbers learnt", learnt)
        _show_sizes(folder)


def scaled(measurement: Measurement, factor: float) -> Measurement:
    """Return what a sample means for all numbers."""
    return Measurement(measurement.rate, measurement.peak, measurement.cpu * factor)


def _show(title: str, results: Mapping[str, Measurement]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("way", no_wrap=True)
    for heading in ("CPU s", "x hashing", "peak MiB"):
        table.add_column(heading, justify="right")
    base = results["hashing alone"].cpu
    for way, result in results.items():
        table.add_row(way, f"{result.cpu:.2f}", f"{result.cpu / base:.1f}", f"{result.peak / MIB:,.0f}")
    Console(highlight=False).print(table)


def _show_sizes(folder: Path) -> None:
    table = Table(title=f"{REMEMBERED:,} numbers remembered", title_justify="left")
    table.add_column("way", no_wrap=True)
    for heading in ("bytes each", "installed MB", "USD/M asked", "USD/M learnt"):
        table.add_column(heading, justify="right")
    runs = sum(path.stat().st_size for path in (folder / "memory").rglob("*-*"))
    requests = runs / LONGEST_READ + 2
    gets = requests * USD["read of an object"] / ASKED * MILLION
    puts = USD["write of an object"]
    table.add_row("numberdrop", f"{runs / REMEMBERED:.1f}", "0", f"{gets:.5f}", f"{puts:.5f}")
    for way, file, package in (("SQLite", "sqlite", None), ("DuckDB on Parquet", "parquet", "duckdb")):
        if (folder / file).exists():
            size = (folder / file).stat().st_size / REMEMBERED
            table.add_row(way, f"{size:.1f}", f"{_installed(package) if package else 0:.0f}", "", "")
    read, write = USD["read of an item"] * MILLION, USD["write of an item"] * MILLION
    table.add_row(DYNAMODB, "some 120", "0", f"{read:.4f}", f"{write:.4f}")
    Console(highlight=False).print(table)


def _installed(package: str) -> float:
    """Return the size of a package in MB, with its native module."""
    spec = find_spec(package)
    assert spec
    assert spec.origin
    site = Path(spec.origin).parents[1]
    files = [*site.glob(f"_{package}*.so"), *(path for path in (site / package).rglob("*") if path.is_file())]
    return sum(path.stat().st_size for path in files) / MILLION


# Preparing


def make_run(folder: Path) -> Run:
    """Write a run of ``REMEMBERED`` records: every other number that is asked for, and random hashes."""
    hashes = [array("Q") for _ in range(SLICES)]
    with (folder / "numbers").open("rb") as numbers:
        for entries in line_blocks(numbers):
            known = EntryHasher(KEY).hashes(entries[::2])
            for part, entry_hash in zip(slices_of(known), known, strict=True):
                hashes[part].append(entry_hash)
    stamp = stamp_of(DAY, YES)
    with TemporaryFile(dir=folder) as file:
        writer = RunWriter(file, REMEMBERED)
        for part in range(SLICES):
            missing = REMEMBERED * (part + 1) // SLICES - REMEMBERED * part // SLICES - len(hashes[part])
            random = bytearray(os.urandom(8 * max(0, missing)))
            random[7::8] = bytes([part]) * (len(random) // 8)
            writer.add_slice(dict.fromkeys([*hashes[part], *array("Q", bytes(random))], stamp))
        run = writer.finish(folder_of(CHECKER), "job1")
        FolderStore(folder / "memory").write(run.key, file)
    return run


def make_tables(folder: Path, run: Run) -> None:
    """Write the same records for SQLite and for DuckDB."""
    import duckdb

    database = sqlite3.connect(folder / "sqlite")
    database.execute("CREATE TABLE remembered (hash INTEGER PRIMARY KEY, stamp INTEGER) WITHOUT ROWID")
    with (folder / "records.csv").open("w", encoding="ascii") as file:
        for hashes, stamps in RunReader.open(FolderStore(folder / "memory"), run).slices():
            signed = [entry_hash - HALF for entry_hash in hashes]
            database.executemany("INSERT INTO remembered VALUES (?, ?)", zip(signed, stamps, strict=True))
            file.writelines(f"{one},{stamp}\n" for one, stamp in zip(signed, stamps, strict=True))
    database.commit()
    database.close()
    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{folder}/records.csv', header=false,"  # noqa: S608 - our own paths
        " columns={'hash': 'BIGINT', 'stamp': 'USMALLINT'}))"
        f" TO '{folder}/parquet' (FORMAT parquet)"
    )
    (folder / "records.csv").unlink()


# Asking


def hashing(folder: str) -> Work:
    """Only read and hash the numbers: what every way has to do."""

    def work() -> float:
        for _ in _hashes(folder):
            pass
        return ASKED / MILLION

    return work


def asking_runs(folder: str) -> Work:
    """Ask as the submit function does, and write the numbers that are not remembered."""
    memory = VerdictMemory(FolderStore(Path(folder) / "memory"), KEY, yes_days=90, no_days=30)

    def work() -> float:
        with (Path(folder) / "numbers").open("rb") as numbers, TemporaryFile() as rest:
            found = memory.recall(CHECKER, numbers, rest, today=DAY, min_rows=0)
        assert found.remembered == (ASKED + 1) // 2
        return ASKED / MILLION

    return work


def asking_sqlite(folder: str) -> Work:
    """Join with a table of the numbers, and write the numbers that are not remembered."""

    def work() -> float:
        database = sqlite3.connect(Path(folder) / "sqlite")
        database.execute("CREATE TEMPORARY TABLE asked (hash INTEGER, number TEXT)")
        for entries, hashes in _hashes(folder):
            signed = (entry_hash - HALF for entry_hash in hashes)
            database.executemany("INSERT INTO asked VALUES (?, ?)", zip(signed, entries, strict=True))
        rest = database.execute(
            "SELECT number FROM asked LEFT JOIN remembered USING (hash) WHERE stamp IS NULL"
            " ORDER BY asked.rowid"
        )
        with TemporaryFile("w", encoding="utf-8") as out:
            written = sum(bool(out.write(f"{number}\n")) for (number,) in rest)
        assert written == ASKED // 2
        return ASKED / MILLION

    return work


def asking_duckdb(folder: str) -> Work:
    """Join with a Parquet file on all cores, and write the numbers that are not remembered."""
    import duckdb

    def work() -> float:
        with TemporaryDirectory() as temporary:
            asked, rest = Path(temporary) / "asked.csv", Path(temporary) / "rest"
            with asked.open("w", encoding="utf-8") as file:
                for entries, hashes in _hashes(folder):
                    file.writelines(f"{h - HALF},{entry}\n" for h, entry in zip(hashes, entries, strict=True))
            duckdb.execute(
                f"""
                COPY (
                    SELECT number
                    FROM (
                        SELECT row_number() OVER () AS line, hash, number
                        FROM read_csv(
                            '{asked}', header=false, columns={{'hash': 'BIGINT', 'number': 'VARCHAR'}}
                        )
                    ) AS asked
                    LEFT JOIN read_parquet('{folder}/parquet') AS remembered USING (hash)
                    WHERE stamp IS NULL
                    ORDER BY line
                ) TO '{rest}' (FORMAT csv, HEADER false)
                """  # noqa: S608 - contains only our own paths
            )
            assert sum(1 for _ in rest.open()) == ASKED // 2
        return ASKED / MILLION

    return work


def asking_dynamodb() -> Work:
    """Ask for ``SAMPLE`` items. Only the client's own work counts: its answers need no network."""
    found = [_item(entry) for entry in range(ITEMS_OF_A_READ // 2)]
    client = _answered({"Responses": {"remembered": found}})

    def work() -> float:
        for _ in range(SAMPLE // ITEMS_OF_A_READ):
            keys = [{"hash": {"S": f"{entry:016x}"}} for entry in range(ITEMS_OF_A_READ)]
            client.batch_get_item(RequestItems={"remembered": {"Keys": keys}})
        return SAMPLE / MILLION

    return work


# Learning


def learning_runs(folder: str) -> Work:
    """Learn as the collect function does."""
    memory = VerdictMemory(FolderStore(Path(folder) / "learnt"), KEY, yes_days=90, no_days=30)

    def work() -> float:
        with (Path(folder) / "numbers").open("rb") as numbers:
            words: list[str | None] = ["yes"]
            answers = ((entries, words * len(entries)) for entries in line_blocks(numbers))
            assert memory.learn(CHECKER, "job2", DAY, answers) == ASKED
        return ASKED / MILLION

    return work


def learning_dynamodb() -> Work:
    """Write ``SAMPLE`` items, as in ``asking_dynamodb``."""
    client = _answered({"UnprocessedItems": {}})

    def work() -> float:
        for _ in range(SAMPLE // ITEMS_OF_A_WRITE):
            puts = [{"PutRequest": {"Item": _item(entry)}} for entry in range(ITEMS_OF_A_WRITE)]
            client.batch_write_item(RequestItems={"remembered": puts})
        return SAMPLE / MILLION

    return work


def _hashes(folder: str) -> Iterator[tuple[list[str], "array[int]"]]:
    hasher = EntryHasher(KEY)
    with (Path(folder) / "numbers").open("rb") as numbers:
        for entries in line_blocks(numbers):
            yield entries, hasher.hashes(entries)


def _item(entry: int) -> dict[str, Any]:
    return {"hash": {"S": f"{entry:016x}"}, "day": {"N": "2254"}, "verdict": {"S": "yes"}}


def _answered(body: Mapping[str, Any]) -> Any:
    """Return a client of DynamoDB whose requests are signed and parsed, but not sent."""
    from botocore.awsrequest import AWSResponse
    from botocore.compat import HTTPHeaders
    from botocore.session import Session

    session = Session()
    session.set_credentials("key", "secret")
    client = session.create_client("dynamodb", region_name="us-east-1")
    content = json.dumps(body).encode()

    class Raw(BytesIO):
        def stream(self, **_: object) -> Iterator[bytes]:
            yield self.read()

    def answer(request: Any, **_: object) -> AWSResponse:
        return AWSResponse(request.url, 200, HTTPHeaders(), Raw(content))

    events: Any = client.meta.events
    events.register("before-send.dynamodb.*", answer)
    return client
