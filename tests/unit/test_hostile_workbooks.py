"""Small workbooks made to exhaust memory. They are read as the functions read them, in 1,769 MB."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.exports import SHARED_STRINGS, unzipped, with_shared_strings, workbook, zipped
from tests.support.template import PROJECT, template

UNZIPPED = 95_000_000
"""Bytes of the part that is made large. Up to 100 MiB, any ratio is accepted."""

SHEET, STYLES, BOOK = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml"
RELATIONS, TYPES = "xl/_rels/workbook.xml.rels", "[Content_Types].xml"

READ = """
import re, resource, sys
from io import BytesIO
from pathlib import Path
limit = int(sys.argv[1]) * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
from numberdrop.files.exports.export import read_export
from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.files.uploads.cleaning import clean_upload
from numberdrop.files.uploads.rows import open_upload
from numberdrop.jobs.checkers import InputKind, checkers
from numberdrop.jobs.reasons import JobFailedError
path = Path(sys.argv[2])
try:
    with path.open("rb") as file, open_upload(file, InputKind.PHONE) as rows:
        clean_upload(rows, entries=BytesIO())
except JobFailedError as error:
    print("refused:", error)
try:
    with read_export(path, checkers()["band"]) as export:
        sum(len(numbers) for numbers, _ in export.row_blocks())
except InvalidFileError as error:
    print("refused:", error)
# On Linux ru_maxrss is inherited from the parent process.
status = Path("/proc/self/status")
if status.exists():
    peak = int(re.search(r"VmHWM:\\s*(\\d+) kB", status.read_text())[1]) // 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024**2
print("MiB:", peak)
"""


def many(xml: bytes) -> bytes:
    return xml * (UNZIPPED // len(xml))


def distinct(xml: bytes) -> bytes:
    return b"".join(xml % number for number in range(1_000_000))


def prefixes() -> Iterator[bytes]:
    """Yield the declarations of 50,000 prefixes at a time, which is nearly the longest tag."""
    for start in range(0, 4_000_000, 50_000):
        yield b"".join(b' xmlns:n%x="u"' % number for number in range(start, start + 50_000))


HOSTILE: dict[str, tuple[str, bytes, Callable[[], bytes]]] = {
    "elements in a sheet": (SHEET, b"<sheetData>", lambda: many(b"<x/>")),
    "elements in a row": (SHEET, b"</row>", lambda: many(b"<x/>")),
    "elements in a cell": (SHEET, b"</is>", lambda: many(b"<x/>")),
    "names of elements": (SHEET, b"<sheetData>", lambda: distinct(b"<a%x/>")),
    "names of attributes": (SHEET, b"<sheetData>", lambda: distinct(b'<x a%x=""/>')),
    "prefixes of namespaces": (SHEET, b"<sheetData>", lambda: b"<x" + b"/><x".join(prefixes()) + b"/>"),
    "attributes of an element": (SHEET, b"<sheetData>", lambda: b"<x " + distinct(b'a%x="" ') + b"/>"),
    "a long attribute": (SHEET, b"<sheetData>", lambda: b'<x a="' + many(b"x") + b'"/>'),
    "a long comment": (SHEET, b"<sheetData>", lambda: b"<!--" + many(b"x") + b"-->"),
    "nested elements": (SHEET, b"<sheetData>", lambda: b"<x>" * 10_000_000 + b"</x>" * 10_000_000),
    "a long text": (SHEET, b"Number</t>", lambda: many(b"x")),
    "a long text between elements": (SHEET, b"<sheetData>", lambda: many(b"x")),
    "fonts": (STYLES, b"</fonts>", lambda: many(b"<font/>")),
    "formats of cells": (STYLES, b"</cellXfs>", lambda: many(b"<xf/>")),
    "sheets": (BOOK, b"</sheets>", lambda: many(b'<sheet name="a"/>')),
    "relations": (
        RELATIONS,
        b"</Relationships>",
        lambda: many(b'<Relationship Id="a" Type="b" Target="c"/>'),
    ),
    "types of parts": (TYPES, b"</Types>", lambda: many(b'<Override PartName="/a" ContentType="b"/>')),
    "runs of a shared text": (SHARED_STRINGS, b"</si>", lambda: many(b"<r/>")),
    "wide shared texts": (
        SHARED_STRINGS,
        b"</sst>",
        lambda: many("<si><t>😀aaaaaaaaaaaaaaaaaa</t></si>".encode()),
    ),
    "a long shared text": (SHARED_STRINGS, b"</t>", lambda: many(b"x")),
}
"""For each workbook a part, the bytes before which something is inserted, and what."""

QUICK = {"elements in a sheet", "a long attribute", "attributes of an element"}


MEMORY = template()["Globals"]["Function"]["MemorySize"]
"""MB of the submit and collect functions."""


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in HOSTILE]
)
def test_a_small_workbook_cannot_exhaust_memory(name: str, tmp_path: Path) -> None:
    part, before, make = HOSTILE[name]
    book = unzipped(with_shared_strings(workbook([["Number", "band"], ["+41790000001", "yes"]])))
    if part == SHEET:
        book = unzipped(workbook([["Number", "band"], ["+41790000001", "yes"]]))
    assert before in book[part]
    book[part] = book[part].replace(before, make() + before, 1)
    path = tmp_path / "hostile.xlsx"
    path.write_bytes(zipped(book))

    command = [sys.executable, "-c", READ, str(MEMORY), str(path)]
    env = {"PYTHONPATH": str(PROJECT / "layers" / "shared")}
    output = subprocess.run(command, env=env, capture_output=True, check=True, text=True).stdout

    peak = re.search(r"MiB: (\d+)", output)
    assert peak
    assert int(peak[1]) < 400
    assert "cannot be read" not in output
