"""The simulator's links open exports in the vendor's format, or malformed ones."""

import csv
import gzip
import io
import tracemalloc
import zipfile
from typing import Any

import pytest

from local.simulator import Simulator, exports, verdict
from numberdrop.jobs.checkers import Family
from tests.support.vendor_by_hand import (
    NUMBERS,
    VendorByHand,
    csv_rows,
    file_of,
    sheet_rows,
    text_of,
    wait_until,
)

BOM = "\ufeff"
WRITTEN = [number[1:] for number in NUMBERS]
CORRECT_ROWS = [[number, verdict(number)] for number in WRITTEN]
DEEP_COLUMNS = ["Number", "age", "avatar", "category", "gender", "hair_color", "skin_color", "whatsapp"]


@pytest.fixture
def task_id(vendor: VendorByHand) -> str:
    """Return the id of an exported task."""
    return str(vendor.submit().json()["task_id"])


def test_each_status_call_returns_a_new_valid_link(simulator: Simulator, vendor: VendorByHand) -> None:
    task_id = vendor.submit().json()["task_id"]
    links = {vendor.link(task_id), vendor.link(task_id)}
    exports = {vendor.download(link).content for link in links}
    assert len(links) == 2
    assert len(exports) == 1
    assert all(link.startswith(f"{simulator.url}/externalcheck/{task_id}/") for link in links)


def test_a_forged_expired_or_revoked_link_is_refused(simulator: Simulator, vendor: VendorByHand) -> None:
    simulator.change_settings(link_life_seconds=60)
    task_id = vendor.submit().json()["task_id"]
    expired = vendor.link(task_id)
    simulator.advance(60)
    revoked = vendor.link(task_id)
    simulator.revoke_links()
    refusals = [vendor.download(link) for link in (expired + "0", expired, revoked)]
    assert [refusal.status_code for refusal in refusals] == [403] * 3
    assert all(refusal.text.startswith("<?xml") for refusal in refusals)
    assert vendor.download(vendor.link(task_id)).status_code == 200


def test_a_link_does_not_open_another_task(vendor: VendorByHand) -> None:
    mine, other = (vendor.submit().json()["task_id"] for _ in range(2))
    assert vendor.download(vendor.link(mine).replace(mine, other)).status_code == 403


def test_a_download_records_whether_the_key_was_sent(simulator: Simulator, vendor: VendorByHand) -> None:
    task_id = vendor.submit().json()["task_id"]
    vendor.download(vendor.link(task_id))
    vendor.call("GET", vendor.link(task_id))
    assert [download.api_key_sent for download in simulator.downloads] == [False, True]
    assert {download.task_id for download in simulator.downloads} == {task_id}


@pytest.mark.parametrize(
    ("task_type", "header", "newer"),
    [
        ("band", ["Number", "band"], False),
        ("phoneCheck", ["Number", "phoneCheck"], False),
        ("high_value_users", ["Mobile Number", "Result"], False),
        ("ws", ["number", "activated"], True),
    ],
)
def test_a_v1_export_is_a_zip_with_every_number(
    vendor: VendorByHand,
    task_type: str,
    header: list[str],
    newer: bool,
) -> None:
    task_id = vendor.submit(task_type).json()["task_id"]
    link = vendor.link(task_id)
    archive = vendor.download(link).content
    written = [number[1:] for number in NUMBERS] if newer else NUMBERS
    rows = [[text, verdict(text)] for text in written]
    text = text_of(archive, f"{task_id}/all.csv")
    assert f"/{task_id}.zip?" in link
    assert text.startswith(BOM) == newer
    assert csv_rows(archive, f"{task_id}/all.csv")[1:] == rows
    assert text.removeprefix(BOM).splitlines()[0].split(",") == header
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        assert sheet_rows(zipped.read(f"{task_id}/result.xlsx")) == [header, *rows]
    active = text_of(archive, f"{task_id}/activated.txt").split()
    inactive = text_of(archive, f"{task_id}/unregistered.txt").split()
    assert active == [number[1:] for number in NUMBERS if verdict(number) == "yes"]
    assert inactive == [number[1:] for number in NUMBERS if verdict(number) == "no"]
    assert active
    assert inactive


def test_the_deep_export_is_a_spreadsheet_of_eight_columns(vendor: VendorByHand) -> None:
    task_id = vendor.submit_legacy().json()["task_id"]
    link = vendor.legacy_status(task_id).json()["result_url"]
    header, *rows = sheet_rows(vendor.download(link).content)
    assert f"/{task_id}.xlsx?" in link
    assert header == DEEP_COLUMNS
    assert [row[0] for row in rows] == NUMBERS
    assert [row[-1] for row in rows] == [verdict(number) for number in NUMBERS]
    assert all(bool(row[1]) == (row[-1] == "yes") for row in rows)


@pytest.mark.parametrize("path", ["/tg/api/simple/tasks", "/netflix/api/simple/tasks"])
def test_other_legacy_exports_name_the_service(vendor: VendorByHand, path: str) -> None:
    task_id = vendor.submit_legacy(path).json()["task_id"]
    link = vendor.legacy_status(task_id, path).json()["result_url"]
    header = sheet_rows(vendor.download(link).content)[0]
    assert header == ["Number", "telegram" if "/tg/" in path else "netflix"]


def test_a_big_export_uses_little_memory_and_no_spreadsheet(
    vendor: VendorByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BIG_TASK_ROWS", 99_999)
    content = file_of([f"+41{n:09d}" for n in range(100_000)])
    tracemalloc.start()
    try:
        task_id = vendor.submit(content=content).json()["task_id"]
        wait_until(lambda: vendor.status(task_id).json()["status"] == "exported")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    archive = vendor.export(task_id)
    assert peak < 6_000_000
    assert len(csv_rows(archive, f"{task_id}/all.csv")) == 100_001
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        members = {name.partition("/")[2] for name in zipped.namelist()}
    assert members == {"all.csv", "activated.txt", "unregistered.txt"}


# Malformed exports


def test_a_link_can_be_refused_once(simulator: Simulator, vendor: VendorByHand, task_id: str) -> None:
    simulator.inject_fault("download", "link_refused")
    link = vendor.link(task_id)
    refused = vendor.download(link)
    assert (refused.status_code, "<Code>AccessDenied</Code>" in refused.text) == (403, True)
    assert vendor.download(link).status_code == 200


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"fault": "missing_rows", "rows": 4}, [["number", "activated"], *CORRECT_ROWS[4:]]),
        ({"fault": "duplicate_rows", "rows": 1}, [["number", "activated"], CORRECT_ROWS[0], *CORRECT_ROWS]),
        ({"fault": "renamed_columns", "number": "phone", "verdict": "is"}, [["phone", "is"], *CORRECT_ROWS]),
        ({"fault": "no_verdict_column"}, [["number"], *([number] for number in WRITTEN)]),
        (
            {"fault": "duplicate_number_column"},
            [["number", "number", "activated"], *([row[0], *row] for row in CORRECT_ROWS)],
        ),
    ],
)
def test_an_export_can_have_wrong_rows_or_columns(
    simulator: Simulator,
    vendor: VendorByHand,
    task_id: str,
    fault: dict[str, Any],
    expected: list[list[str]],
) -> None:
    simulator.inject_fault("download", **fault)
    export = vendor.export(task_id)
    assert rows_of(export, f"{task_id}/all.csv") == expected
    with zipfile.ZipFile(io.BytesIO(export)) as zipped:
        assert sheet_rows(zipped.read(f"{task_id}/result.xlsx")) == expected
    assert rows_of(vendor.export(task_id), f"{task_id}/all.csv")[1:] == CORRECT_ROWS


def test_an_export_can_have_rows_that_nobody_submitted(
    simulator: Simulator, vendor: VendorByHand, task_id: str
) -> None:
    simulator.inject_fault("download", "extra_rows", rows=2)
    rows = rows_of(vendor.export(task_id), f"{task_id}/all.csv")[1:]
    assert rows[:-2] == CORRECT_ROWS
    assert not {row[0] for row in rows[-2:]} & set(WRITTEN)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_an_export_can_have_another_delimiter(
    simulator: Simulator, vendor: VendorByHand, task_id: str, delimiter: str
) -> None:
    simulator.inject_fault("download", "other_delimiter", delimiter=delimiter)
    assert csv_rows(vendor.export(task_id), f"{task_id}/all.csv", delimiter)[1:] == CORRECT_ROWS


def test_an_export_can_be_a_plain_csv(simulator: Simulator, vendor: VendorByHand, task_id: str) -> None:
    simulator.inject_fault("download", "plain_csv")
    text = vendor.export(task_id).decode("utf-8-sig")
    assert list(csv.reader(text.splitlines()))[1:] == CORRECT_ROWS


def test_an_export_can_be_a_csv_in_gzip(simulator: Simulator, vendor: VendorByHand, task_id: str) -> None:
    simulator.inject_fault("download", "gzipped_csv")
    text = gzip.decompress(vendor.export(task_id)).decode("utf-8-sig")
    assert list(csv.reader(text.splitlines()))[1:] == CORRECT_ROWS


def test_an_export_can_be_at_the_root_of_its_zip(
    simulator: Simulator, vendor: VendorByHand, task_id: str
) -> None:
    simulator.inject_fault("download", "zip_without_folder")
    assert csv_rows(vendor.export(task_id), "all.csv")[1:] == CORRECT_ROWS


def test_an_export_can_hold_only_the_lists(simulator: Simulator, vendor: VendorByHand, task_id: str) -> None:
    simulator.inject_fault("download", "lists_only")
    export = vendor.export(task_id)
    with zipfile.ZipFile(io.BytesIO(export)) as zipped:
        assert zipped.namelist() == ["activated.txt", "unregistered.txt"]
    active = text_of(export, "activated.txt").split()
    assert active == [number[1:] for number in NUMBERS if verdict(number) == "yes"]


@pytest.mark.parametrize("family", Family)
def test_a_zip_bomb_is_small_until_unpacked(
    simulator: Simulator, vendor: VendorByHand, family: Family
) -> None:
    link, main_member = exported(vendor, family)
    simulator.inject_fault("download", "zip_bomb", megabytes=8)
    bomb = vendor.download(link).content
    with zipfile.ZipFile(io.BytesIO(bomb)) as zipped:
        assert zipped.getinfo(main_member).file_size == 8 << 20
        assert zipped.testzip() is None
    assert len(bomb) < 100_000


@pytest.mark.parametrize("family", Family)
def test_an_archive_can_have_many_members(simulator: Simulator, vendor: VendorByHand, family: Family) -> None:
    link, main_member = exported(vendor, family)
    simulator.inject_fault("download", "many_members", members=3000)
    with zipfile.ZipFile(io.BytesIO(vendor.download(link).content)) as zipped:
        assert len(zipped.namelist()) > 3000
        assert main_member in zipped.namelist()


@pytest.mark.parametrize("name", ["../../all.csv", "/etc/all.csv", "C:\\all.csv"])
def test_an_archive_can_have_names_that_leave_its_folder(
    simulator: Simulator, vendor: VendorByHand, task_id: str, name: str
) -> None:
    simulator.inject_fault("download", "path_traversal", name=name)
    with zipfile.ZipFile(io.BytesIO(vendor.export(task_id))) as zipped:
        assert name in zipped.namelist()


@pytest.mark.parametrize("family", Family)
def test_members_of_an_archive_can_overlap(
    simulator: Simulator, vendor: VendorByHand, family: Family
) -> None:
    link, main_member = exported(vendor, family)
    simulator.inject_fault("download", "overlapping_members")
    with zipfile.ZipFile(io.BytesIO(vendor.download(link).content)) as zipped:
        cover, inner = zipped.getinfo("cover.bin"), zipped.getinfo(main_member)
    assert cover.header_offset < inner.header_offset < cover.header_offset + cover.file_size


def exported(vendor: VendorByHand, family: Family) -> tuple[str, str]:
    """Submit a file; return the link to its export and the name of the export's main member."""
    if family is Family.V1:
        task_id = vendor.submit().json()["task_id"]
        return vendor.link(task_id), f"{task_id}/all.csv"
    task_id = vendor.submit_legacy().json()["task_id"]
    return vendor.legacy_status(task_id).json()["result_url"], "xl/worksheets/sheet1.xml"


def rows_of(archive: bytes, member: str) -> list[list[str]]:
    header, *rows = csv_rows(archive, member)
    return [[header[0].removeprefix(BOM), *header[1:]], *rows]
