"""The number column of an export is the one that answers what was submitted."""

from pathlib import Path

import pytest

from numberdrop.files.formats.untrusted import InvalidFileError
from numberdrop.jobs.checkers import InputKind
from tests.support.results import Written, results_of

NUMBERS = [f"+4179000000{last}" for last in range(6)]
WORDS = ["yes", "no", "ban", "no", "yes", "yes"]
OTHERS = [f"+4477009001{last:02}" for last in range(6)]


def results(
    folder: Path,
    header: str,
    rows: list[list[str]],
    *,
    kind: InputKind = InputKind.PHONE,
    upload: list[str] = NUMBERS,
) -> Written:
    export = folder / "export.csv"
    export.write_text("\n".join([header, *map(",".join, rows), ""]), "utf-8")
    return results_of("".join(f"{entry}\n" for entry in upload), export, kind)


@pytest.mark.parametrize("header", ["msisdn,phone,band", "number,contact,band", "a,b,band"])
def test_the_column_that_answers_the_upload_is_taken(tmp_path: Path, header: str) -> None:
    rows = [[other[1:], number[1:], word] for other, number, word in zip(OTHERS, NUMBERS, WORDS, strict=True)]

    written = results(tmp_path, header, rows)

    assert written.column("verdict") == ["yes", "no", "unknown", "no", "yes", "yes"]


def test_a_few_hits_in_another_column_do_not_matter(tmp_path: Path) -> None:
    others = [NUMBERS[3], NUMBERS[0], *OTHERS[2:]]
    rows = [list(row) for row in zip(others, NUMBERS, WORDS, strict=True)]

    written = results(tmp_path, "number,phone,band", rows)

    assert written.column("band_phone" if "band_phone" in written.header else "band") == WORDS


def test_a_column_of_one_submitted_number_is_not_taken(tmp_path: Path) -> None:
    rows = [[NUMBERS[0], number, word] for number, word in zip(NUMBERS, WORDS, strict=True)]

    assert results(tmp_path, "number,called,band", rows).column("band") == WORDS


@pytest.mark.parametrize("shift", [1, 2])
def test_two_columns_that_answer_differently_are_refused(tmp_path: Path, shift: int) -> None:
    shifted = [*NUMBERS[shift:], *NUMBERS[:shift]]
    rows = [list(row) for row in zip(shifted, NUMBERS, WORDS, strict=True)]

    with pytest.raises(InvalidFileError, match="Several columns of the export have numbers that were sent"):
        results(tmp_path, "msisdn,phone,verdict", rows)


def test_two_columns_with_the_same_numbers_are_no_tie(tmp_path: Path) -> None:
    rows = [[number[1:], number, word] for number, word in zip(NUMBERS, WORDS, strict=True)]

    written = results(tmp_path, "phone,e164,band", rows)

    assert written.column("band") == WORDS
    assert written.column("e164") == NUMBERS


def test_addresses_are_counted_too(tmp_path: Path) -> None:
    upload = ["jane@example.com", "Rick@example.com"]
    rows = [
        ["sales@example.com", "JANE@example.com", "true"],
        ["info@example.com", "Rick@example.com", "false"],
    ]

    written = results(tmp_path, "email,account,active", rows, kind=InputKind.EMAIL, upload=upload)

    assert written.column("verdict") == ["yes", "no"]


def test_entries_as_written_are_counted_too(tmp_path: Path) -> None:
    rows = [["1", "jane", "yes"], ["2", "rick", "no"]]

    written = results(
        tmp_path, "number,who,activated", rows, kind=InputKind.AS_WRITTEN, upload=["rick", "jane"]
    )

    assert written.column("verdict") == ["no", "yes"]


@pytest.mark.parametrize("code", ["country_code", "Code", "区号"])
@pytest.mark.parametrize("written", ["41", "+41", "0041"])
def test_a_country_code_in_its_own_column_is_joined(tmp_path: Path, code: str, written: str) -> None:
    rows = [[written, number[3:], word] for number, word in zip(NUMBERS, WORDS, strict=True)]

    results_ = results(tmp_path, f"{code},number,band", rows)

    assert results_.column("band") == WORDS
    assert results_.header[4] == code.lower()


def test_a_trunk_zero_after_a_country_code_is_dropped(tmp_path: Path) -> None:
    rows = [[f"0{number[3:]}", "41", word] for number, word in zip(NUMBERS, WORDS, strict=True)]

    assert results(tmp_path, "phone,country_code,band", rows).column("band") == WORDS


def test_an_italian_zero_after_a_country_code_is_kept(tmp_path: Path) -> None:
    upload = ["+390612345678", "+393331234567"]
    rows = [["39", "0612345678", "yes"], ["39", "3331234567", "no"]]

    written = results(tmp_path, "country_code,number,band", rows, upload=upload)

    assert written.column("verdict") == ["yes", "no"]
