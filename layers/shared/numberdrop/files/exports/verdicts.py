"""Find the column that carries the verdicts, and translate the vendor's words into verdicts."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from unicodedata import normalize

from numberdrop.jobs.checkers import Checker, checkers

YES = "yes"
NO = "no"
UNKNOWN = "unknown"

VERDICTS = (YES, NO, UNKNOWN)
"""All verdicts. ``results.csv`` keeps the vendor's own word next to the verdict."""

_WORDS = {
    YES: (
        *("yes", "y", "true", "active", "activated", "registered", "valid", "exists", "exist", "found"),
        *("是", "有", "已激活", "已注册", "已开通", "已启用", "激活", "注册", "开通", "活跃", "有效", "存在"),
        *("已啟用", "已註冊", "已開通", "註冊", "開通", "活躍"),
    ),
    NO: (
        *("no", "n", "false", "inactive", "unactivated", "unregistered", "invalid"),
        *(
            "not active",
            "not activated",
            "not registered",
            "not valid",
            "not exist",
            "not exists",
            "not found",
        ),
        *("non active", "non activated", "non registered", "un activated", "un registered"),
        *("否", "无", "没有", "未激活", "未注册", "未开通", "未启用", "不活跃", "无效", "不存在"),
        *("無", "沒有", "未啟用", "未註冊", "未開通", "不活躍", "無效"),
    ),
}

_VERDICTS_BY_WORD = {word: verdict for verdict, words in _WORDS.items() for word in words}

VERDICT_WORDS = tuple(_VERDICTS_BY_WORD)
"""Words in lower case that stand for a yes or a no."""

_VERDICTS_BY_DIGIT = {"1": YES, "1.0": YES, "0": NO, "0.0": NO}
"""Used only in columns with a known name: elsewhere a digit may be a count."""

GENERIC_NAMES = (
    *("activated", "registered", "is_activated", "is_registered"),
    *("active", "activestatus", "is_active", "exists", "exist", "is_exist"),
    *("是否注册", "是否已注册", "是否激活", "是否已激活", "是否开通", "是否已开通", "是否存在", "是否有"),
    *("是否註冊", "是否已註冊", "是否啟用", "是否已啟用", "是否開通", "是否已開通"),
    *("注册状态", "激活状态", "註冊狀態", "verdict", "result", "status"),
    *("检测结果", "结果", "状态", "檢測結果", "結果", "狀態"),
    *("valid", "is_valid", "是否有效"),
)
"""Names of the verdict column that any checker may use; an earlier one takes precedence.

Those about an account come first. A status may be that of the check, and a number may be valid without an
account.
"""

SERVICE_COLUMNS = {
    *("service", "task_type", "type", "platform", "app", "application", "product", "checker", "channel"),
    *("服务", "平台", "应用", "类型", "产品", "服務", "應用", "類型", "產品"),
}
"""Names of a column that may say which service a row is about, if a number has a row for each."""

_ALIASES = {
    "wa": "whatsapp",
    "ws": "whatsapp",
    "tg": "telegram",
    "fb": "facebook",
    "ins": "instagram",
    "ig": "instagram",
    "x": "twitter",
}
"""Short names of services, in the names of checkers and of columns."""

_NOT_SERVICES = {"active", "email", "high", "phonecheck"}
"""First words of the checkers that are not about one service."""

_FILLERS = {"is", "has", "on", "account", "user"}
"""Words that may stand beside a service in the name of its verdict column, as in ``has_whatsapp``."""

_NEUTRAL = {"found", "there", "present", "check", "checked", "answer", "outcome", "list", "column"}
"""More words in the name of a single column that carries the verdict. Any other word may turn the answer
around (``unregistered``) or be about something else (``business``, ``country``)."""

_ANSWERS = re.compile(r"_(?:yes_no|y_n|true_false|1_0|是_否)$")
"""What follows the name in a header such as ``band (yes/no)``."""

_QUANTITIES = {"days", "day", "hours", "age", "date", "time", "count"}
"""Words in the names of columns that hold an amount or a time, such as ``telegram_days``."""

_WORD = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")

_JOINED = re.compile(r"(?:is|has)?([a-z]{3,}?)(?:status|activated|registered|active|exists?|result)?")
"""A name whose words are joined, such as ``hasWhatsapp`` or ``BandStatus``."""

_AROUND_WORDS = " \t'\""
"""What may stand around a word: a quotation mark behind a space is part of its cell."""

_BETWEEN_WORDS = re.compile(r"_|(?<=[a-z])-(?=[a-z])")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def verdict_of(word: str, *, has_digits: bool = True) -> str:
    """Return the verdict that the vendor's word stands for: one of ``VERDICTS``.

    Every word that is neither a yes nor a no is ``unknown``: ``N/A``, ``ban``, an empty cell.

    >>> verdict_of("Not-Registered."), verdict_of("ban"), verdict_of("1", has_digits=False)
    ('no', 'unknown', 'unknown')

    Args:
        word: the cell in the verdict column.
        has_digits: whether 1 means yes in that column and 0 means no.
    """
    if not word.isascii():
        word = _INVISIBLE.sub("", normalize("NFKC", word))
    word = word.lower().strip().removeprefix('="').strip(_AROUND_WORDS)
    word = " ".join(_BETWEEN_WORDS.sub(" ", word).split()).removesuffix(".")
    verdict = _VERDICTS_BY_WORD.get(word)
    return verdict or (_VERDICTS_BY_DIGIT.get(word, UNKNOWN) if has_digits else UNKNOWN)


def verdict_column(columns: Sequence[str], checker: Checker) -> str | None:
    """Return the column that carries the verdict, or None.

    That is the first of these that the export has:

    1. the result column that the vendor documents for the checker
    2. a column named after the checker or its service
    3. a column with a generic name
    4. the only column, if it has no name, or one whose words say nothing else

    >>> from numberdrop.jobs.checkers import checkers
    >>> verdict_column(["whatsapp", "band"], checkers()["band"])
    'band'
    >>> verdict_column(["whatsapp"], checkers()["band"]) is None
    True

    Args:
        columns: names of the columns other than the number, from ``normalised``.
        checker: the checker of the job.
    """
    named = next(_named_columns(columns, checker), None)
    if named or len(columns) != 1:
        return named
    known = {*_FILLERS, *_NEUTRAL, *GENERIC_NAMES, *_words(checker.name.lower())}
    return columns[0] if all(word in known or word.isdigit() for word in _words(columns[0])) else None


def certainty(columns: Sequence[str], checker: Checker) -> int:
    """Return how certain it is that a table has the verdicts of the checker.

    >>> [certainty(columns, checkers()["band"]) for columns in (["whatsapp"], ["status"], ["status", "band"])]
    [0, 1, 2]

    Args:
        columns: names of the columns other than the number, from ``normalised``.
        checker: the checker of the job.
    """
    column = verdict_column(columns, checker)
    if column is None:
        return 0
    documented = map(normalised, checker.result_columns)
    return 2 if column in documented or _is_own_name(column, checker) else 1


def is_verdict_name(column: str, checker: Checker) -> bool:
    """Return whether a column is known by its name to carry the checker's verdict."""
    return column in _named_columns([column], checker)


def names_other_service(cell: str, checker: Checker) -> bool:
    """Return whether a cell that names the service of its row names another one than the checker's.

    >>> band = checkers()["band"]
    >>> [names_other_service(cell, band) for cell in ("WhatsApp", "tg-simple", "Band", "mobile", "")]
    [True, True, False, False, False]
    """
    service = next(iter(_words(cell.lower())), "")
    return service in _services() - {_service(checker)}


def normalised(name: str) -> str:
    """Return the name of a column in lower case, with words joined by ``_``.

    >>> normalised("Hair Color")
    'hair_color'
    """
    return re.sub(r"\W+", "_", name.lower()).strip("_")


def _named_columns(columns: Sequence[str], checker: Checker) -> Iterator[str]:
    documented = [normalised(name) for name in checker.result_columns]
    # Where the vendor documents several columns, the verdict is the one with a telling name.
    telling = [name for name in documented if name in GENERIC_NAMES or _is_own_name(name, checker)]
    if len(documented) == 1 and not _QUANTITIES.intersection(_words(documented[0])):
        telling = documented
    own = [_bare(name) for name in sorted(columns, key=len) if _is_own_name(name, checker)]
    own.sort(key=lambda name: (name != _bare(normalised(checker.name)), _rank_of_ending(name)))
    mixed = [_bare(name) for name in columns if _is_generic(name)]
    by_bare_name: dict[str, str] = {}
    for column in columns:
        by_bare_name.setdefault(_bare(column), column)
    for name in (*telling, *own, *GENERIC_NAMES, *mixed):
        if found := by_bare_name.get(_bare(name)):
            yield found


def _bare(name: str) -> str:
    """Return a name without separators: ``isRegistered`` and ``is_registered`` are one name."""
    return _ANSWERS.sub("", name).replace("_", "")


def _rank_of_ending(name: str) -> int:
    """Return a rank by a name's ending: ``band`` before ``band_registered`` before ``band_active``."""
    ranks = [rank for rank, generic in enumerate(GENERIC_NAMES, 1) if name.endswith(_bare(generic))]
    return min(ranks, default=0)


def _is_own_name(name: str, checker: Checker) -> bool:
    name = _ANSWERS.sub("", name)
    if name == normalised(checker.name):
        return True
    service = _service(checker)
    joined = _JOINED.fullmatch(name)
    words = [_ALIASES.get(joined[1], joined[1])] if joined else _words(name)
    return service in words and {*words} - {service} <= _FILLERS.union(GENERIC_NAMES)


def _is_generic(name: str) -> bool:
    """Return whether a name consists of a generic name and others of the kind, as in ``account_status``."""
    words = {*_words(_ANSWERS.sub("", name))}
    return bool(words.intersection(GENERIC_NAMES)) and words <= _FILLERS.union(GENERIC_NAMES)


def _service(checker: Checker) -> str:
    """Return the service that a checker is about, or nothing if it is not about one."""
    service = next(iter(_words(checker.name.lower())), "")
    return "" if service in _NOT_SERVICES else service


@cache
def _services() -> frozenset[str]:
    return frozenset(map(_service, checkers().values())) - {""}


def _words(name: str) -> list[str]:
    return [_ALIASES.get(word, word) for word in _WORD.findall(name)]
