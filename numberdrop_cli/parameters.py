"""What several commands take: jobs, checkers, regions, files, and the options they share."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem
from phonenumbers import SUPPORTED_REGIONS

from numberdrop.jobs.checkers import ANY_TASK_TYPE_PREFIX, InputKind, checker_named, checkers
from numberdrop.jobs.reasons import JobFailedError
from numberdrop.jobs.upload import MAX_KEY_BYTES
from numberdrop.masking import without_numbers
from numberdrop.steps.preparation import LARGEST_UPLOAD
from numberdrop_cli.connection import Connection

Connect = Callable[[], Connection]

MIN_ID_DIGITS = 8

INPUT_DESCRIPTIONS = {
    InputKind.PHONE: "phone number, E.164",
    InputKind.AS_WRITTEN: "phone number, as written",
    InputKind.EMAIL: "e-mail address",
}
"""What a line of an upload must be, in words."""

_HEXADECIMAL = re.compile(r"[0-9a-f]+")


class JobId(click.ParamType[str]):
    """The first digits of a job id, or all of them."""

    name = "job"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The digits in lower case."""
        digits = str(value).lower()
        if not MIN_ID_DIGITS <= len(digits) <= 64 or not _HEXADECIMAL.fullmatch(digits):
            self.fail(f"a job is {MIN_ID_DIGITS} to 64 hexadecimal digits.", param, ctx)
        return digits


class CheckerFolder(click.ParamType[str]):
    """A checker by its name, whatever its case; the first part of an upload's key."""

    name = "checker"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as the catalogue has it, or ``task_type=<word>`` as it stands."""
        word = str(value)
        if "/" in word:
            self.fail("a checker is one word; folders go into --prefix.", param, ctx)
        try:
            checker = checker_named(word, allow_sensitive=True)
        except JobFailedError as error:
            if word.lower().startswith(ANY_TASK_TYPE_PREFIX):
                self.fail(error.reason.message, param, ctx)
            self.fail(f"there is no checker {without_numbers(word)!r}. {similar_checkers(word)}", param, ctx)
        return word if word.lower().startswith(ANY_TASK_TYPE_PREFIX) else checker.name

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so, each with what a line must be."""
        return [
            CompletionItem(checker.name, help=INPUT_DESCRIPTIONS[checker.input])
            for name, checker in checkers().items()
            if name.startswith(incomplete.lower())
        ]


class Region(click.ParamType[str]):
    """A country whose numbers may be written without their country code."""

    name = "region"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The two letters in upper case."""
        region = str(value).upper()
        if region not in SUPPORTED_REGIONS:
            self.fail(
                "a region is a country's two letters of ISO 3166, for instance GB, US or DE.", param, ctx
            )
        return region


class FolderPath(click.ParamType[str]):
    """Folders in a bucket, without slashes around them."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The path without the slashes around it."""
        folders = str(value).strip("/")
        if not folders or not folders.isprintable():
            self.fail("folders are text, for instance spring/leads.", param, ctx)
        return folders


class UploadKey(click.ParamType[str]):
    """The key of an object that may be an upload, as it stands in the bucket."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The key."""
        key = str(value)
        if key.endswith("/"):
            self.fail("a key that ends in / stands for a folder; folders are never sent.", param, ctx)
        try:
            size = len(key.encode())
        except UnicodeEncodeError:
            self.fail("a key is text in UTF-8.", param, ctx)
        if not 0 < size <= MAX_KEY_BYTES:
            self.fail(f"a key has 1 to {MAX_KEY_BYTES} bytes.", param, ctx)
        return key


class FileToSend(click.Path):
    """A file that may be sent, as far as that can be told without reading it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path."""
        path = Path(value)
        problem = _problem_with(path)
        if problem:
            self.fail(f"{without_numbers(str(path))!r} {problem}", param, ctx)
        return path


def similar_checkers(word: str) -> str:
    """What to try instead of a checker that does not exist."""
    similar = [checkers()[name].name for name in get_close_matches(word.lower(), checkers(), cutoff=0.5)]
    return (
        f"Did you mean {' or '.join(similar)}?" if similar else "The command 'numberdrop checkers' lists all."
    )


def _problem_with(path: Path) -> str | None:
    try:
        if path.is_dir():
            return "is a folder. Name its files."
        if not path.exists():
            return "does not exist."
        if not path.is_file():
            return "is no plain file. Save it as one first."
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        return f"cannot be read ({error.strerror})."
    if not size:
        return "is empty."
    if size > LARGEST_UPLOAD:
        return (
            f"has more than the {LARGEST_UPLOAD // 1_000_000} MB that are taken at once. "
            "Split it and send the parts."
        )
    return None


job_argument = click.argument("prefix", metavar="JOB", type=JobId())
json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
export_option = click.option("--export", is_flag=True, help="Save the vendor's own file too.")
force_option = click.option("--force", is_flag=True, help="Replace results that were saved before.")
json_lines_option = click.option(
    "--json", "as_json_lines", is_flag=True, help="One JSON object a line, for programs."
)
