"""The command `checkers`: list the checkers to choose from."""

import click

from numberdrop.jobs.checkers import Checker
from numberdrop.jobs.checkers import checkers as catalogue
from numberdrop_cli.errors import RefusedError
from numberdrop_cli.parameters import INPUT_DESCRIPTIONS, json_option, similar_checkers
from numberdrop_cli.printing import print_json, print_rows

COLUMNS = ("checker", "each line", "min rows", "max rows", "USD per 10,000", "sensitive")

EPILOG = """\
\b
Examples:
  numberdrop checkers email
  numberdrop checkers --json
"""


@click.command(epilog=EPILOG)
@click.argument("word", required=False, default="")
@json_option
def checkers(word: str, as_json: bool) -> None:
    """List all checkers, or those whose names contain WORD.

    Prices are the vendor's list prices, where known. Sensitive checkers infer personal traits from pictures.
    They are off unless the stack is deployed with AllowSensitiveCheckers=true.
    """
    found = [checker for name, checker in catalogue().items() if word.lower() in name]
    if not found:
        raise RefusedError(f"No checker's name contains {word!r}. {similar_checkers(word)}")
    if as_json:
        print_json({"checkers": [_document(checker) for checker in found]})
    else:
        print_rows(COLUMNS, [_row(checker) for checker in found])


def _row(checker: Checker) -> tuple[str | None, ...]:
    return (
        checker.name,
        INPUT_DESCRIPTIONS[checker.input],
        f"{checker.min_rows:,}" if checker.min_rows else None,
        f"{checker.max_rows:,}",
        None if checker.usd_per_10k is None else f"{checker.usd_per_10k:.2f}",
        "sensitive" if checker.sensitive else None,
    )


def _document(checker: Checker) -> dict[str, str | int | float | None]:
    return {
        "name": checker.name,
        "line": checker.input,
        "min_rows": checker.min_rows,
        "max_rows": checker.max_rows,
        "usd_per_10k": checker.usd_per_10k,
        "sensitive": checker.sensitive,
    }
