"""Parameter types and options that several commands share."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click
from click.shell_completion import CompletionItem

from numberdrop.clock import utc_now
from numberdrop.jobs.checkers import ANY_TASK_TYPE_PREFIX, InputKind, checker_named, checkers, suggestion
from numberdrop.jobs.price_ceiling import usd
from numberdrop.jobs.reasons import JobFailedError
from numberdrop.jobs.upload import INTERNATIONAL, LARGEST_UPLOAD, MAX_KEY_BYTES, usual_region
from numberdrop.masking import without_personal_data
from numberdrop_cli.names import composed

if TYPE_CHECKING:
    from numberdrop_cli.connection import Connection

Connect = Callable[[], "Connection"]
"""Connects to the stack that the user named. Commands call it after they have checked their parameters."""

MIN_ID_DIGITS = 8

MAX_NAME_BYTES = 900
"""All metadata of an object takes at most 2 KB (S3 user guide, "Working with object metadata")."""

INPUT_DESCRIPTIONS = {
    InputKind.PHONE: "phone number, E.164",
    InputKind.AS_WRITTEN: "phone number, as written",
    InputKind.EMAIL: "e-mail address",
}
"""What each line of an upload must be, in words."""

STANDARD_INPUT = Path("-")
"""Stands for standard input among the files."""

NOT_UTF_8 = "it is not valid UTF-8."

_AGO = re.compile(r"([0-9]{1,6})([hd])")

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}

_AMBIGUOUS_FOLDERS = {".", ".."}

_HEXADECIMAL = re.compile(r"[0-9a-f]+")


class Single(click.Option):
    """An option that may be given once. click would use the last value and silently drop the others."""

    def __init__(self, *names: Any, default: Any = None, **attributes: Any) -> None:
        attributes |= {"default": None if default is None else [default], "multiple": True}
        super().__init__(*names, **attributes)

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Return the value, or None.

        Raises:
            UsageError: the option was given more than once.
        """
        values = super().process_value(ctx, value)
        if values and len(values) > 1:
            raise click.UsageError(f"{self.opts[0]} was given {len(values)} times. Give it once.", ctx)
        return values[0] if values else None


class JobName(click.ParamType[str]):
    """A job id, its first digits, or the key of its upload."""

    name = "job"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the digits in lower case, or the key unchanged."""
        if "/" in str(value):
            return UploadKey().convert(value, param, ctx)
        digits = str(value).lower()
        if not MIN_ID_DIGITS <= len(digits) <= 64 or not _HEXADECIMAL.fullmatch(digits):
            self.fail(
                f"a job id has {MIN_ID_DIGITS} to 64 hexadecimal digits, and a key has a folder, as in "
                "band/leads.txt.",
                param,
                ctx,
            )
        return digits


class CheckerFolder(click.ParamType[str]):
    """A checker's name in any case. It becomes the first part of the upload's key."""

    name = "checker"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name as the catalogue spells it, or ``task_type=<word>`` unchanged."""
        word = str(value)
        if "/" in word:
            self.fail("a checker is one word. Folders go into --prefix.", param, ctx)
        try:
            checker = checker_named(word, allow_sensitive=True)
        except JobFailedError as error:
            if word.lower().startswith(ANY_TASK_TYPE_PREFIX):
                self.fail(error.reason.message, param, ctx)
            self.fail(
                f"there is no checker {without_personal_data(word)!r}. {similar_checkers(word)}", param, ctx
            )
        return word if word.lower().startswith(ANY_TASK_TYPE_PREFIX) else checker.name

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin with ``incomplete``, each with what a line must be."""
        return [
            CompletionItem(checker.name, help=INPUT_DESCRIPTIONS[checker.input])
            for name, checker in checkers().items()
            if name.startswith(incomplete.lower())
        ]


class Region(click.ParamType[str]):
    """The country of numbers that are written without a country code."""

    name = "region"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the two letters in upper case, or ``international``."""
        from phonenumbers import SUPPORTED_REGIONS

        region = usual_region(str(value))
        if region not in SUPPORTED_REGIONS and region != INTERNATIONAL:
            self.fail(
                "a region is a two-letter country code (ISO 3166), such as GB, US or DE, or international.",
                param,
                ctx,
            )
        return region


class Words(click.ParamType[str]):
    """Text that AWS can store: not empty, and valid in UTF-8."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text unchanged."""
        text = str(value)
        if not text.strip():
            self.fail("the text is empty.", param, ctx)
        if not _is_unicode(text):
            self.fail(NOT_UTF_8, param, ctx)
        return text


class Moment(click.ParamType[datetime]):
    """A moment in the past: a date, a date with a time, or how long ago it was."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment. What has no time zone is in UTC."""
        text = str(value).strip()
        try:
            if ago := _AGO.fullmatch(text):
                return utc_now() - int(ago[1]) * _UNITS[ago[2]]
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail("a time is 12h, 7d, 2026-03-04 or 2026-03-04T12:00.", param, ctx)


class ChosenName(click.ParamType[str]):
    """The name of a column or sheet."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name without spaces around it."""
        chosen = str(value).strip()
        if not chosen or len(quote(chosen)) > MAX_NAME_BYTES:
            self.fail(f"a name has 1 to {MAX_NAME_BYTES} bytes, percent-encoded.", param, ctx)
        return chosen


class FolderPath(click.ParamType[str]):
    """A path of folders in the bucket."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the path without slashes at its ends."""
        folders = str(value).strip("/")
        if not folders or not folders.isprintable():
            self.fail("the path must be printable text, for instance spring/leads.", param, ctx)
        if not _AMBIGUOUS_FOLDERS.isdisjoint(folders.split("/")):
            # S3 takes them as names or refuses them, and other tools resolve them to other folders (S3 user
            # guide, "Naming Amazon S3 objects").
            self.fail("a folder in the bucket cannot be called '.' or '..'.", param, ctx)
        return folders


class UploadKey(click.ParamType[str]):
    """The key of an object that may be an upload."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the key unchanged."""
        key = str(value)
        if key.endswith("/"):
            self.fail("a key that ends in / is a folder, and folders are never sent.", param, ctx)
        if not _is_unicode(key):
            self.fail(NOT_UTF_8, param, ctx)
        if not 0 < len(key.encode()) <= MAX_KEY_BYTES:
            self.fail(f"a key has 1 to {MAX_KEY_BYTES} bytes.", param, ctx)
        return key


class FileName(click.ParamType[str]):
    """The name of a file that has none yet."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name unchanged."""
        name = str(value)
        if not _is_unicode(name):
            self.fail(NOT_UTF_8, param, ctx)
        if not name.strip() or not name.isprintable() or "/" in name or name in {".", "..", "-"}:
            self.fail("a name is printable text without /, for instance leads.txt.", param, ctx)
        return name


class Usd(click.ParamType[Decimal]):
    """An amount of money."""

    name = "USD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the amount."""
        try:
            return usd(str(value))
        except ValueError:
            self.fail("an amount in USD is written like 12.50.", param, ctx)


class FileToSend(click.Path):
    """A file that can be sent, as far as its size and type show."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, ``STANDARD_INPUT`` for a dash."""
        path = Path(value)
        if path == STANDARD_INPUT:
            return path
        problem = _problem_with(path)
        if problem:
            self.fail(f"{without_personal_data(str(path))!r} {problem}", param, ctx)
        return path


def require_different_names(names: Sequence[str]) -> None:
    """Raise ``UsageError`` if two files have the same name, because their keys or results may be the same.

    Names in different Unicode forms look the same, and some file systems do not distinguish them.
    """
    name, times = Counter(map(composed, names)).most_common(1)[0]
    if times > 1:
        raise click.UsageError(
            f"{times} files are called {without_personal_data(name)}, so their results would overwrite "
            "each other. Take them one at a time."
        )


def similar_checkers(word: str) -> str:
    """Return a hint about which checker the word may mean.

    >>> similar_checkers("bnad")
    'Did you mean band?'
    """
    return suggestion(word) or "The command 'numberdrop checkers' lists all."


def _is_unicode(text: str) -> bool:
    """Return whether the text has no bytes that the shell passed on although they are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _problem_with(path: Path) -> str | None:
    if not _is_unicode(path.name):
        return "has a name that is not UTF-8, which a key in the bucket must be. Rename it."
    try:
        if path.is_dir():
            return "is a folder. Name the files in it."
        if not path.exists():
            return "does not exist."
        if not path.is_file():
            return "is not a regular file. Save it as one first."
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        return f"cannot be read ({error.strerror})."
    if not size:
        return "is empty."
    if size > LARGEST_UPLOAD:
        return (
            f"is larger than {LARGEST_UPLOAD // 1_000_000} MB, the limit for one file. "
            "Split it and send the parts."
        )
    return None


files_argument = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FileToSend())
checker_option = click.option(
    "--checker",
    "folder",
    cls=Single,
    required=True,
    type=CheckerFolder(),
    help="The kind of check; 'numberdrop checkers' lists them.",
)
region_option = click.option(
    "--region",
    cls=Single,
    type=Region(),
    help="Country of numbers without a plus, such as GB; international if they begin with a country code.",
)
column_option = click.option(
    "--column",
    cls=Single,
    type=ChosenName(),
    help="Column with the entries: a header, or a letter such as C.",
)
sheet_option = click.option(
    "--sheet", cls=Single, type=ChosenName(), help="Sheet of a workbook. Default: the first with data."
)
name_option = click.option(
    "--name", cls=Single, type=FileName(), help="Name of standard input, if a FILE is -."
)
max_usd_option = click.option(
    "--max-usd",
    cls=Single,
    type=Usd(),
    help="Refuse files that cost more at list price, or whose price is unknown.",
)
job_argument = click.argument("job_name", metavar="JOB", type=JobName())
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
export_option = click.option("--export", is_flag=True, help="Save the vendor's own file too.")
force_option = click.option("--force", is_flag=True, help="Overwrite results that are already there.")
json_lines_option = click.option(
    "--json", "as_json_lines", is_flag=True, help="Print one JSON object per line, for programs."
)
