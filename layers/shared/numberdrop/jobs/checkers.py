"""The checkers that the vendor documents, and how an upload's key selects one.

Each checker is a row of ``checkers.json``. ``documented_by`` is the source of the row: ``page`` is the
vendor's public documentation page, ``openapi`` the vendor's published OpenAPI contract, ``readme`` the readme
of the vendor's public examples.

``task_types.json`` lists task types that the vendor does not document and other clients of its API use. They
are only suggested: nothing else depends on them, and their prices may be out of date.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.masking import without_personal_data

ANY_TASK_TYPE_PREFIX = "task_type="
"""Start of a key whose first folder names the vendor's task type, which is sent verbatim."""

MAX_ROWS = 10_000_000
"""Largest number of rows per task, unless a checker documents another limit (vendor OpenAPI)."""

UNDOCUMENTED = "nothing"
"""``documented_by`` of a task type that is sent verbatim."""

HOW_TO_FIND_ONE = (
    "The command 'numberdrop checkers' lists all. The folder may also be "
    f"{ANY_TASK_TYPE_PREFIX}<task type>, with any other of the vendor's task types."
)
"""Where people find a checker's name."""

_TASK_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_MAX_SUGGESTIONS = 5


class Family(StrEnum):
    """The vendor's two generations of endpoints."""

    V1 = "v1"
    LEGACY = "legacy"


class InputKind(StrEnum):
    """What each line of an upload must hold."""

    PHONE = "phone"
    AS_WRITTEN = "as_written"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Checker:
    """One kind of check.

    Attributes:
        name: the first folder of an upload's key; also the v1 task type.
        family: the generation of endpoints that serves it.
        path: where files are POSTed, relative to the base URL.
        input: what each line of an upload must hold.
        documented_by: ``page``, ``openapi``, ``readme``, or ``nothing`` for a verbatim task type.
        brand: the service that it asks about, as people call it; empty for a verbatim task type.
        result_columns: the columns of its exports other than the number, as the vendor documents them.
        min_rows: smallest number of rows that the vendor accepts; 0 if undocumented. The vendor counts after
            its own filters, so only the vendor can enforce it exactly.
        max_rows: largest number of rows that the vendor accepts.
        usd_per_10k: list price in USD for 10,000 rows; None if unknown.
        sensitive: whether it infers traits such as age, gender or skin colour.
    """

    name: str
    family: Family
    path: str
    input: InputKind
    documented_by: str
    brand: str = ""
    result_columns: tuple[str, ...] = ()
    min_rows: int = 0
    max_rows: int = MAX_ROWS
    usd_per_10k: float | None = None
    sensitive: bool = False

    @property
    def task_type(self) -> str:
        """The vendor's name of this check: the task type, or the path of a legacy checker."""
        return self.name if self.family is Family.V1 else self.path

    @property
    def takes_only_phones(self) -> bool:
        """Whether every entry must be a phone number in some spelling."""
        as_written = self.input is InputKind.AS_WRITTEN and self.documented_by != UNDOCUMENTED
        return as_written or self.input is InputKind.PHONE

    @property
    def may_be_remembered(self) -> bool:
        """Whether verdicts may be reused: they infer no personal traits, and are the export's only column."""
        return not self.sensitive and self.documented_by != UNDOCUMENTED and len(self.result_columns) <= 1

    def list_price(self, rows: int | None) -> float | None:
        """Return the list price of rows in USD, rounded to 0.0001; None if price or rows are unknown."""
        if self.usd_per_10k is None or rows is None:
            return None
        return round(rows * self.usd_per_10k / 10_000, 4)


@dataclass(frozen=True, slots=True)
class TaskType:
    """A task type that other clients of the vendor's API use, and that the vendor does not document.

    Attributes:
        name: the task type.
        brand: the service that it asks about, as people call it.
        input: what each line must hold: ``phone``, ``email`` or ``username``.
        result_columns: the columns of its exports other than the entry, as others saw them.
        usd_per_10k: what others paid in USD for 10,000 rows; None if unknown.
    """

    name: str
    brand: str
    input: str
    result_columns: tuple[str, ...]
    usd_per_10k: float | None = None

    @property
    def folder(self) -> str:
        """The first folder of the key of an upload for it."""
        return f"{ANY_TASK_TYPE_PREFIX}{self.name}"


Found = TypeVar("Found", bound=Checker | TaskType)


@cache
def checkers() -> Mapping[str, Checker]:
    """Return all documented checkers by lower-case name."""
    return {
        row["name"].lower(): Checker(
            **row
            | {
                "family": Family(row["family"]),
                "input": InputKind(row["input"]),
                "result_columns": tuple(row.get("result_columns", ())),
            }
        )
        for row in _rows("checkers.json")
    }


@cache
def task_types() -> tuple[TaskType, ...]:
    """Return the undocumented task types that are known from other clients."""
    return tuple(
        TaskType(**row | {"result_columns": tuple(row["result_columns"])}) for row in _rows("task_types.json")
    )


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(files(__package__).joinpath(name).read_text("utf-8"))
    return rows


def found(word: str, among: Iterable[Found]) -> list[Found]:
    """Return the items whose name or brand contains a word, whatever its case and punctuation.

    >>> [checker.name for checker in found("Insta-gram", checkers().values())]
    ['ins-simple']
    """
    plain = _plain(word)
    return [each for each in among if plain in _plain(each.name) or plain in _plain(each.brand)]


def suggestion(word: str) -> str:
    """Return a question that names the checkers that a word may mean, or "" if none is similar.

    The word itself is not repeated: it may be a phone number.

    >>> suggestion("Line"), suggestion("bnad"), suggestion("+447700900123")
    ('Did you mean task_type=line or task_type=line_senior?', 'Did you mean band?', '')
    """
    folders = _folders_by_word()
    plain = _plain(word)
    meant = folders.get(plain) or [
        folder for name in get_close_matches(plain, folders, cutoff=0.6) for folder in folders[name]
    ]
    first, *others = list(dict.fromkeys(meant))[:_MAX_SUGGESTIONS] or [""]
    if not first:
        return ""
    return f"Did you mean {', '.join([first, *others[:-1]])}{f' or {others[-1]}' if others else ''}?"


@cache
def _folders_by_word() -> Mapping[str, list[str]]:
    """Return the first folders that each name and each word of a brand may mean, the usable ones first."""
    folders: dict[str, list[str]] = {}
    usable_first = sorted(checkers().values(), key=lambda checker: checker.sensitive)
    named = [(each.name, each.brand, each.name) for each in usable_first]
    named += [(each.name, each.brand, each.folder) for each in task_types()]
    for name, brand, folder in named:
        for word in {name, brand, *brand.split()}:
            folders.setdefault(_plain(word), []).append(folder)
    return folders


def _plain(word: str) -> str:
    return "".join(filter(str.isalnum, word.lower()))


def checker_for_key(key: str, *, allow_sensitive: bool, allowed_task_types: Collection[str] = ()) -> Checker:
    """Return the checker that the first folder of an upload's key names.

    >>> checker_for_key("Band/spring/leads.txt", allow_sensitive=False).name
    'band'

    Args:
        key: the upload's key.
        allow_sensitive: see ``checker_named``.
        allowed_task_types: see ``checker_named``.

    Raises:
        JobFailedError: ``UNKNOWN_CHECKER`` or ``CHECKER_NOT_ALLOWED``.
    """
    return checker_named(_folder(key), allow_sensitive=allow_sensitive, allowed_task_types=allowed_task_types)


def checker_named(word: str, *, allow_sensitive: bool, allowed_task_types: Collection[str] = ()) -> Checker:
    """Return the checker of a name in any case, or of ``task_type=<word>``.

    >>> checker_named("phonecheck", allow_sensitive=False).name
    'phoneCheck'
    >>> checker_named("task_type=newOne", allow_sensitive=False, allowed_task_types={"newOne"}).task_type
    'newOne'

    Args:
        word: the checker's name, or the prefix and a task type.
        allow_sensitive: whether checkers that infer personal traits may be used. If not, neither may task
            types that the vendor does not document, because nobody knows what they infer.
        allowed_task_types: undocumented task types that may be used all the same, in this spelling.

    Raises:
        JobFailedError: ``UNKNOWN_CHECKER`` or ``CHECKER_NOT_ALLOWED``.
    """
    checker = _find(word)
    if _may_be_a_number(checker.name):
        # Task types appear in events.
        raise _unknown(f"The task type after {ANY_TASK_TYPE_PREFIX} must be a word, not a number.")
    if checker.sensitive and not allow_sensitive:
        raise JobFailedError(
            ReasonCode.CHECKER_NOT_ALLOWED,
            f"{checker.name} infers personal traits from pictures and is switched off. "
            "Deploy with AllowSensitiveCheckers=true to allow it.",
        )
    is_listed = checker.documented_by != UNDOCUMENTED or checker.name in allowed_task_types
    if not is_listed and not allow_sensitive:
        raise JobFailedError(
            ReasonCode.CHECKER_NOT_ALLOWED,
            f"The vendor does not document the task type {checker.name}, so it may infer personal traits. "
            f"Deploy with AllowedTaskTypes={checker.name} to allow it.",
        )
    return checker


def submitted_checker(key: str) -> Checker:
    """Return the checker of an upload that was submitted, whatever is allowed by now.

    >>> submitted_checker("wa-deep/leads.txt").sensitive
    True

    Raises:
        JobFailedError: ``UNKNOWN_CHECKER``: no version of numberdrop would have submitted the upload.
    """
    return _find(_folder(key))


def names_checker(key: str) -> bool:
    """Return whether the first folder of a key names a checker, or any task type.

    >>> names_checker("Band/leads.txt"), names_checker("task_type=new/"), names_checker("photos/a.jpg")
    (True, True, False)
    """
    try:
        submitted_checker(key)
    except JobFailedError:
        return False
    return True


def documented_checker(key: str) -> Checker | None:
    """Return the checker that an upload's key names, or None if the vendor does not document it."""
    try:
        checker = submitted_checker(key)
    except JobFailedError:
        return None
    return checker if checker.documented_by != UNDOCUMENTED else None


def _folder(key: str) -> str:
    folder, slash, _ = key.partition("/")
    if not slash:
        raise _unknown(
            "The key has no folder that names a checker. Upload to <checker>/<file>, for instance "
            f"band/leads.txt. {HOW_TO_FIND_ONE}"
        )
    return folder


def _may_be_a_number(task_type: str) -> bool:
    return not any(map(str.isalpha, task_type)) or without_personal_data(task_type) != task_type


def _find(word: str) -> Checker:
    if word.lower().startswith(ANY_TASK_TYPE_PREFIX):
        return _verbatim(word[len(ANY_TASK_TYPE_PREFIX) :])
    try:
        return checkers()[word.lower()]
    except KeyError:
        hint = " ".join(filter(None, [suggestion(word), HOW_TO_FIND_ONE]))
        raise _unknown(f"The key's first folder is not a known checker. {hint}") from None


def _verbatim(task_type: str) -> Checker:
    """Return the checker of a verbatim task type; a documented one keeps its documented limits."""
    documented = checkers().get(task_type.lower())
    if documented and documented.family is Family.V1 and documented.name == task_type:
        return documented
    if not _TASK_TYPE.fullmatch(task_type):
        raise _unknown(
            f"The task type after {ANY_TASK_TYPE_PREFIX} must be 1 to 64 letters, digits, '_', '.' or '-'."
        )
    return Checker(
        name=task_type,
        family=Family.V1,
        path="/v1/tasks",
        input=InputKind.AS_WRITTEN,
        documented_by=UNDOCUMENTED,
        sensitive=bool(documented and documented.sensitive),
    )


def _unknown(message: str) -> JobFailedError:
    return JobFailedError(ReasonCode.UNKNOWN_CHECKER, message)
