"""Files of many formats from upload to results: collecting reads them exactly as submitting did."""

import pytest

from tests.support.account import Account
from tests.support.files import file_of
from tests.support.invocations import Functions
from tests.support.outcomes import files_of, job_of, rows_of
from tests.support.uploads import SAMPLES

NUMBERS = ["+12025550101", "+12025550102", "+12025550103"]


@pytest.mark.parametrize(
    "name",
    [
        "list-national.txt",
        "list-utf-16-le.txt",
        "table-comma.csv",
        "table-semicolon-windows-1252.csv",
        "table-without-header.csv",
        "workbook.xlsx",
    ],
)
def test_every_number_of_a_sample_gets_a_verdict(account: Account, functions: Functions, name: str) -> None:
    upload = account.drop(f"band/{name}", (SAMPLES / name).read_bytes(), {"default-region": "US"})
    functions.submit(upload)
    functions.collect(upload)
    counts = job_of(account, upload).counts
    assert (counts.lines, counts.submitted, counts.resolved) == (3, 3, 3)
    rows = rows_of(files_of(account, upload)["results.csv"])
    assert [row["number"] for row in rows if row["number"]] == NUMBERS


@pytest.mark.parametrize(("region", "written"), [("US", "(202) 555-0101"), ("international", "12025550101")])
def test_the_region_at_submission_applies_at_collection(
    account: Account, functions: Functions, monkeypatch: pytest.MonkeyPatch, region: str, written: str
) -> None:
    monkeypatch.setenv("DEFAULT_REGION", region)
    upload = account.drop("band/leads.txt", file_of(written))
    functions.submit(upload)
    monkeypatch.setenv("DEFAULT_REGION", "GB")
    functions.start_cold()
    functions.collect(upload)
    (row,) = rows_of(files_of(account, upload)["results.csv"])
    assert (row["number"], row["status"]) == ("+12025550101", "resolved")
