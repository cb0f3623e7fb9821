"""The command `checkers`: find a checker by its name or brand."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from shutil import get_terminal_size
from typing import Self

import click

from numberdrop.jobs.checkers import Checker, TaskType, found, task_types
from numberdrop.jobs.checkers import checkers as catalogue
from numberdrop.masking import without_personal_data
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.layout import ELLIPSIS
from numberdrop_cli.parameters import INPUT_DESCRIPTIONS, json_option, similar_checkers
from numberdrop_cli.printing import print_json, print_lines

INPUTS_OF_TASK_TYPES = {"phone": "phone number", "email": "e-mail address", "username": "user name"}
"""What each line must be, for task types that the vendor does not document."""

SHORTEST_ANSWERS = 10
"""Columns for what a checker answers, however narrow the terminal."""

EPILOG = """\
\b
Examples:
  numberdrop checkers whatsapp
  numberdrop checkers email --json
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A checker as the list shows it.

    Attributes:
        name: what ``--checker`` takes.
        brand: the service that it asks about.
        line: what each line must be, for programs.
        line_in_words: the same for people.
        answers: the columns of its exports.
        min_rows: the fewest rows, 0 if unknown.
        max_rows: the most rows; None if unknown.
        usd_per_10k: the price of 10,000 rows; None if unknown.
        sensitive: whether it infers personal traits.
        documented: whether the vendor documents it.
    """

    name: str
    brand: str
    line: str
    line_in_words: str
    answers: Sequence[str]
    min_rows: int
    max_rows: int | None
    usd_per_10k: float | None
    sensitive: bool
    documented: bool

    @classmethod
    def from_checker(cls, checker: Checker) -> Self:
        """Return a checker of the catalogue."""
        return cls(
            name=checker.name,
            brand=checker.brand,
            line=checker.input,
            line_in_words=INPUT_DESCRIPTIONS[checker.input],
            answers=checker.result_columns,
            min_rows=checker.min_rows,
            max_rows=checker.max_rows,
            usd_per_10k=checker.usd_per_10k,
            sensitive=checker.sensitive,
            documented=True,
        )

    @classmethod
    def from_task_type(cls, task_type: TaskType) -> Self:
        """Return a task type that the vendor does not document."""
        return cls(
            name=task_type.folder,
            brand=task_type.brand,
            line=task_type.input,
            line_in_words=INPUTS_OF_TASK_TYPES[task_type.input],
            answers=task_type.result_columns,
            min_rows=0,
            max_rows=None,
            usd_per_10k=task_type.usd_per_10k,
            sensitive=False,
            documented=False,
        )

    @property
    def note(self) -> str:
        """Why the checker is off by default, or ""."""
        if not self.documented:
            return "undocumented"
        return "sensitive" if self.sensitive else ""

    @property
    def price(self) -> str:
        """The price of 10,000 rows, or "-"."""
        return "-" if self.usd_per_10k is None else f"{self.usd_per_10k:.2f}"

    @property
    def smallest(self) -> str:
        """The fewest rows, or "-"."""
        return f"{self.min_rows:,}" if self.min_rows else "-"

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of a line for programs."""
        largest = "-" if self.max_rows is None else f"{self.max_rows:,}"
        answers = ", ".join(self.answers) or "-"
        return (
            *(self.name, self.line_in_words, self.smallest, largest, self.price, self.note or "-"),
            *(self.brand, answers),
        )


FOOTNOTES = {
    "sensitive": ("*", "infers personal traits from pictures; needs AllowSensitiveCheckers=true"),
    "undocumented": ("?", "not documented, price as others paid; needs AllowedTaskTypes"),
}
"""The mark and the meaning of each note."""


@click.command(epilog=EPILOG)
@click.argument("word", required=False, default="")
@json_option
def checkers(word: str, as_json: bool) -> None:
    """List all checkers, or those whose name or brand contains WORD.

    Prices are the vendor's list prices in USD for 10,000 rows, where known. With WORD, the list also has task
    types that the vendor does not document and that other clients of its API use.
    """
    listed = [Listed.from_checker(checker) for checker in found(word, catalogue().values())]
    if word:
        listed += [Listed.from_task_type(task_type) for task_type in found(word, task_types())]
    if not listed:
        raise RefusedError(
            f"No checker's name or brand contains {without_personal_data(word)!r}. {similar_checkers(word)}"
        )
    if as_json:
        print_json({"checkers": [_document(each) for each in listed]})
    elif sys.stdout.isatty():
        for line in lines_for_people(listed, get_terminal_size().columns):
            click.echo(line)
    else:
        print_lines([each.cells for each in listed])


def lines_for_people(listed: Sequence[Listed], width: int) -> Iterator[str]:
    r"""Yield a header, one line for each checker, and the notes. Only long lists of answers are cut.

    >>> band = Listed.from_checker(catalogue()["band"])
    >>> print("\n".join(lines_for_people([band], 80)))
    checker  service  answers                    min  USD/10k
    band     Band     band                         -     1.00

    Args:
        listed: the checkers.
        width: the columns of the terminal.
    """
    rows = [
        (
            each.name + FOOTNOTES.get(each.note, ("",))[0],
            each.brand,
            ", ".join(each.answers) or "-",
            each.smallest,
            each.price,
        )
        for each in listed
    ]
    header = ("checker", "service", "answers", "min", "USD/10k")
    name, brand, answers, smallest, price = (
        max(map(len, cells)) for cells in zip(header, *rows, strict=True)
    )
    answers = min(answers, max(width - name - brand - smallest - price - 8, SHORTEST_ANSWERS))
    for row in (header, *rows):
        yield (
            f"{row[0]:{name}}  {row[1]:{brand}}  {_cut(row[2], answers):{answers}}  "
            f"{row[3]:>{smallest}}  {row[4]:>{price}}"
        )
    for note, (mark, meaning) in FOOTNOTES.items():
        if any(each.note == note for each in listed):
            yield f"{mark} {meaning}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + ELLIPSIS


def _document(listed: Listed) -> dict[str, object]:
    document = asdict(listed)
    del document["line_in_words"]
    return document | {"result_columns": list(document.pop("answers"))}
