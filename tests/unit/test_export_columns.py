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


@pytest.mark.parametrize("header", ["msisdn,phone,band", "contact,number,band", "a,b,band"])
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

    assert results(tmp_path, "account,called,band", rows).column("band") == WORDS


LOOKALIKES = ["old_number", "previous_phone", "alternative_number", "contact", "customer_id"]

UNREADABLE = {
    "blank": [""] * 6,
    "hidden": [f"4179*****{last:02}" for last in range(6)],
    "without a country code": [f"079 111 11 {last:02}" for last in range(6)],
    "not submitted": [other[1:] for other in OTHERS],
}


@pytest.mark.parametrize("lookalike", LOOKALIKES)
@pytest.mark.parametrize("numbers", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("name", ["number", "Mobile Number", "手机号"])
def test_a_lookalike_beside_a_clear_name_never_wins(
    tmp_path: Path, name: str, numbers: list[str], lookalike: str
) -> None:
    rows = [list(row) for row in zip(NUMBERS, numbers, WORDS, strict=True)]

    with pytest.raises(InvalidFileError):
        results(tmp_path, f"{lookalike},{name},band", rows)


def test_a_lookalike_with_more_entries_never_wins(tmp_path: Path) -> None:
    rows = [
        [NUMBERS[1], OTHERS[0], "yes"],
        [NUMBERS[2], NUMBERS[0], "no"],
        [NUMBERS[3], OTHERS[1], "ban"],
        [NUMBERS[4], OTHERS[2], "no"],
    ]

    with pytest.raises(InvalidFileError, match="Several columns of the export have numbers that were sent"):
        results(tmp_path, "old_number,number,band", rows)


def test_a_lookalike_without_a_clear_name_beside_it_is_refused(tmp_path: Path) -> None:
    numbers = [f"0{number[3:]}" for number in NUMBERS]
    rows = [list(row) for row in zip([*NUMBERS[1:], NUMBERS[0]], numbers, WORDS, strict=True)]

    with pytest.raises(InvalidFileError, match="Several columns of the export have numbers that were sent"):
        results(tmp_path, "contact,whoever,band", rows)


@pytest.mark.parametrize("header", ["e164,number,band", "international,phone,band", "msisdn,number,band"])
def test_a_column_with_the_same_numbers_in_full_is_taken(tmp_path: Path, header: str) -> None:
    rows = [
        [number, f"0{number[3:5]} {number[5:]}", word] for number, word in zip(NUMBERS, WORDS, strict=True)
    ]

    assert results(tmp_path, header, rows).column("band") == WORDS


@pytest.mark.parametrize("name", ["number", "Phone"])
def test_a_column_that_counts_the_rows_is_no_number_column(tmp_path: Path, name: str) -> None:
    rows = [[str(row), number, word] for row, (number, word) in enumerate(zip(NUMBERS, WORDS, strict=True))]

    assert results(tmp_path, f"{name},contact,band", rows).column("band") == WORDS


def test_a_lookalike_of_addresses_never_wins(tmp_path: Path) -> None:
    upload = ["jane@example.com", "rick@example.com"]
    rows = [["jane.doe@example.com", upload[0], "true"], ["rick.roe@example.com", upload[1], "false"]]

    with pytest.raises(InvalidFileError):
        results(tmp_path, "email,old_email,active", rows, kind=InputKind.EMAIL, upload=upload)


def test_a_lookalike_of_entries_as_written_never_wins(tmp_path: Path) -> None:
    with pytest.raises(InvalidFileError):
        results(
            tmp_path,
            "username,invited_by,activated",
            [["x", "rick", "yes"], ["y", "jane", "no"]],
            kind=InputKind.AS_WRITTEN,
            upload=["rick", "jane"],
        )


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

    written = results(tmp_path, "login,account,active", rows, kind=InputKind.EMAIL, upload=upload)

    assert written.column("verdict") == ["yes", "no"]


def test_entries_as_written_are_counted_too(tmp_path: Path) -> None:
    rows = [["1", "jane", "yes"], ["2", "rick", "no"]]

    written = results(
        tmp_path, "number,who,activated", rows, kind=InputKind.AS_WRITTEN, upload=["rick", "jane"]
    )

    assert written.column("verdict") == ["no", "yes"]


@pytest.mark.parametrize("code", ["country_code", "Code", "区号"])
@pytest.mark.parametrize("written", ["41", "+41", "0041", "CH", "CHE", "Switzerland", "Schweiz"])
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


def test_a_zero_is_dropped_only_where_the_country_drops_it(tmp_path: Path) -> None:
    upload = ["+390612345678", "+441614960101", "+493012345678"]
    rows = [["IT", "0612345678", "yes"], ["GB", "01614960101", "no"], ["DE", "030 12345678", "yes"]]

    written = results(tmp_path, "country,number,band", rows, upload=upload)

    assert written.column("verdict") == ["yes", "no", "yes"]


@pytest.mark.parametrize("country", ["Country", "ISO", "region", "国家"])
def test_countries_of_several_numbers_are_joined(tmp_path: Path, country: str) -> None:
    upload = ["+493012345678", "+41446681800", "+390612345678"]
    rows = [["DE", "3012345678", "yes"], ["Schweiz", "446681800", "no"], ["Italy", "0612345678", "ban"]]

    written = results(tmp_path, f"{country},number,band", rows, upload=upload)

    assert written.column("band") == ["yes", "no", "ban"]


@pytest.mark.parametrize("unknown", ["", "N/A", "Narnia"])
def test_a_number_without_a_known_country_answers_nothing(tmp_path: Path, unknown: str) -> None:
    upload = [*NUMBERS, "+441279000000"]
    rows = [["CH", number[3:], "yes"] for number in NUMBERS]

    written = results(
        tmp_path, "country,number,band", [*rows, [unknown, "441279000000", "no"]], upload=upload
    )

    assert written.column("status") == ["resolved"] * 6 + ["unresolved"]


def test_digits_are_not_a_number_of_another_country(tmp_path: Path) -> None:
    upload = ["+2015606118", "+2015578981"]
    rows = [["GB", "2015606118", "yes"], ["US", "2015578981", "no"]]

    with pytest.raises(InvalidFileError, match="not of the countries"):
        results(tmp_path, "country,number,band", rows, upload=upload)


def test_a_country_decides_which_number_the_digits_are(tmp_path: Path) -> None:
    upload = ["+447403280487", "+447400123252", "+447409363914"]
    rows = [["+49", "7403280487", "no"], ["GB", "7403280487", "yes"], ["DE", "7409363914", "ban"]]
    export = tmp_path / "export.csv"
    export.write_text("\n".join(["country,number,band", *map(",".join, rows), ""]), "utf-8")

    written = results_of("\n".join(upload), export, region="GB")

    assert written.column("band") == ["yes", "", ""]


@pytest.mark.parametrize("code", ["200", "GB", "7"])
def test_a_code_of_something_else_does_not_matter(tmp_path: Path, code: str) -> None:
    rows = [[code, number[1:], word] for number, word in zip(NUMBERS, WORDS, strict=True)]

    assert results(tmp_path, "code,number,band", rows).column("band") == WORDS
