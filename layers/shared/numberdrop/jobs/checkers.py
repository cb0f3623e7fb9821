"""The checkers that the vendor documents, and how an upload's key selects one.

Each checker is a row of ``checkers.json``. ``documented_by`` is the source of the row: ``page`` is the
vendor's public documentation page, ``openapi`` the vendor's published OpenAPI contract, ``readme`` the readme
of the vendor's public examples.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from numberdrop.jobs.reasons import JobFailedError, ReasonCode
from numberdrop.masking import without_personal_data

ANY_TASK_TYPE_PREFIX = "task_type="
"""Start of a key whose first folder names the vendor's task type, which is sent verbatim."""

MAX_ROWS = 10_000_000
"""Largest number of rows per task, unless a checker documents another limit (vendor OpenAPI)."""

UNDOCUMENTED = "nothing"
"""``documented_by`` of a task type that is sent verbatim."""

_TASK_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


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

    def list_price(self, rows: int | None) -> float | None:
        """Return the list price of rows in USD, rounded to 0.0001; None if price or rows are unknown."""
        if self.usd_per_10k is None or rows is None:
            return None
        return round(rows * self.usd_per_10k / 10_000, 4)


@cache
def checkers() -> Mapping[str, Checker]:
    """Return all documented checkers by lower-case name."""
    rows = json.loads(files(__package__).joinpath("checkers.json").read_text("utf-8"))
    return {
        row["name"].lower(): Checker(
            **row
            | {
                "family": Family(row["family"]),
                "input": InputKind(row["input"]),
                "result_columns": tuple(row.get("result_columns", ())),
            }
        )
        for row in rows
    }


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
        allowed_task_types: undocumented task types that may be used nevertheless, in this spelling.

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
        raise _unknown(f"The key has no folder that names a checker. {_known()}")
    return folder


def _may_be_a_number(task_type: str) -> bool:
    return not any(map(str.isalpha, task_type)) or without_personal_data(task_type) != task_type


def _find(word: str) -> Checker:
    if word.lower().startswith(ANY_TASK_TYPE_PREFIX):
        return _verbatim(word[len(ANY_TASK_TYPE_PREFIX) :])
    try:
        return checkers()[word.lower()]
    except KeyError:
        raise _unknown(f"The key's first folder is not a known checker. {_known()}") from None


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


def _known() -> str:
    names = ", ".join(checker.name for checker in checkers().values())
    return f"Known checkers: {names}. Upload to {ANY_TASK_TYPE_PREFIX}<task type>/ for any other."
