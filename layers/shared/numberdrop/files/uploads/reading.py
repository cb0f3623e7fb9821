"""What was read of an upload, and what was not. It goes to the manifest, the report and the command line.

Only this shows users that the wrong column or sheet was read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Unread:
    """A column or sheet that holds numbers and was not read.

    Attributes:
        name: the name of the column or sheet.
        numbers: how many of its cells look like numbers.
    """

    name: str
    numbers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """How a file's bytes became rows. Whoever opens a format fills this in.

    Attributes:
        format: the format in words for people, such as ``text``, ``text in gzip`` or ``xlsx``.
        encoding: the name of the text's encoding; None for workbooks.
        sheet: the name of the sheet that is read. Empty if no sheet has data; None if the file has no sheets.
        hidden_rows: how many of the rows that were read are hidden in the sheet.
        other_sheets: the sheets that hold numbers and were not read.
    """

    format: str
    encoding: str | None = None
    sheet: str | None = None
    hidden_rows: int = 0
    other_sheets: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read of an upload, and what was not.

    Attributes:
        file: how the file became rows.
        column: the name of the column that was read; None for a plain list.
        country_column: the name of the column with the country of each number, or None.
        default_region: the region of numbers without a country code, or None.
        other_columns: the columns that hold numbers and were not read.
    """

    file: FileReading
    column: str | None = None
    country_column: str | None = None
    default_region: str | None = None
    other_columns: tuple[Unread, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return the member ``read`` of ``manifest.json``.

        >>> Reading(file=FileReading(format="text", encoding="utf-8"), column="Phone").facts()["column"]
        'Phone'
        """
        return {
            **asdict(self.file),
            "column": self.column,
            "country_column": self.country_column,
            "default_region": self.default_region,
            "other_columns": [asdict(column) for column in self.other_columns],
            "other_sheets": [asdict(sheet) for sheet in self.file.other_sheets],
        }


def reading_in_words(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield sentences for people about the member ``read`` of a manifest.

    >>> file = FileReading(format="xlsx", sheet="Leads", hidden_rows=3)
    >>> reading = Reading(file=file, column="Phone", other_columns=(Unread("Fax", 12),))
    >>> list(reading_in_words(reading.facts()))[1:]
    ['3 of the rows are hidden in the sheet.', 'Not read: 12 numbers in the column "Fax".']
    """
    encoding = f" ({facts['encoding']})" if facts.get("encoding") else ""
    column = f'the column "{facts["column"]}"' if facts.get("column") is not None else "every line"
    sheet = f' of the sheet "{facts["sheet"]}"' if facts.get("sheet") else ""
    yield f"Read as {facts['format']}{encoding}: {column}{sheet}.{_country(facts)}"
    if facts.get("hidden_rows"):
        yield f"{facts['hidden_rows']:,} of the rows are hidden in the sheet."
    unread = [
        f'{_numbers(other["numbers"])} in the {place} "{other["name"]}"'
        for place, others in (("column", facts["other_columns"]), ("sheet", facts["other_sheets"]))
        for other in others
    ]
    if unread:
        yield f"Not read: {'; '.join(unread)}."


def _numbers(count: int) -> str:
    return "1 number" if count == 1 else f"{count:,} numbers"


def _country(facts: Mapping[str, Any]) -> str:
    if facts.get("country_column") is not None:
        return f' Countries come from the column "{facts["country_column"]}".'
    if facts.get("default_region"):
        return f" Numbers without a country code are read with default-region {facts['default_region']}."
    return ""
