"""Find the column that carries the verdicts, and translate the vendor's words into verdicts."""

import re
from collections.abc import Iterator, Sequence

from numberdrop.jobs.checkers import Checker, checkers

YES = "yes"
NO = "no"
UNKNOWN = "unknown"

VERDICTS = (YES, NO, UNKNOWN)
"""All verdicts. ``results.csv`` keeps the vendor's own word next to the verdict."""

_WORDS = {
    YES: (
        *("yes", "y", "true", "active", "activated", "registered", "valid", "exists", "exist"),
        *("是", "已激活", "已注册", "已开通", "活跃", "有效", "存在"),
    ),
    NO: (
        *("no", "n", "false", "inactive", "unactivated", "unregistered", "invalid"),
        *("not active", "not activated", "not registered", "not valid", "not exist", "not exists"),
        *("否", "未激活", "未注册", "未开通", "不活跃", "无效", "不存在"),
    ),
}

_VERDICTS_BY_WORD = {word: verdict for verdict, words in _WORDS.items() for word in words}

_VERDICTS_BY_DIGIT = {"1": YES, "0": NO}
"""Used only in columns with a known name: elsewhere a digit may be a count."""

GENERIC_NAMES = (
    *("activated", "registered", "verdict", "result", "status", "valid", "active", "activestatus", "exists"),
    *("is_activated", "is_registered", "is_active", "is_valid"),
    *("是否注册", "是否已注册", "是否激活", "是否已激活", "是否开通", "是否有效", "是否存在"),
    *("注册状态", "激活状态", "检测结果", "结果", "状态"),
)
"""Names of the verdict column that any checker may use; an earlier one takes precedence."""

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

_MORE_SERVICES = {
    *("binance", "botim", "dhl", "gmail", "imessage", "kucoin", "line", "linkedin", "mailru", "messenger"),
    *(
        "okx",
        "outlook",
        "signal",
        "snapchat",
        "threads",
        "tiktok",
        "viber",
        "wechat",
        "yahoo",
        "yandex",
        "zalo",
    ),
}
"""Services that the vendor checks too, although its pages do not document the checkers."""

_FILLERS = {"is", "has", "on", "account", "user"}
"""Words that may stand beside a service in the name of its verdict column, as in ``has_whatsapp``."""

_QUANTITIES = {"days", "day", "hours", "age", "date", "time", "count"}
"""Words in the names of columns that hold an amount or a time, such as ``telegram_days``."""

_WORD = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")


def verdict_of(word: str, *, has_digits: bool = True) -> str:
    """Return the verdict that the vendor's word stands for: one of ``VERDICTS``.

    Every word that is neither a yes nor a no is ``unknown``: ``N/A``, ``ban``, an empty cell.

    >>> verdict_of("Not Registered"), verdict_of("ban"), verdict_of("1", has_digits=False)
    ('no', 'unknown', 'unknown')

    Args:
        word: the cell in the verdict column.
        has_digits: whether 1 means yes in that column and 0 means no.
    """
    word = " ".join(word.lower().replace("_", " ").split())
    verdict = _VERDICTS_BY_WORD.get(word)
    return verdict or (_VERDICTS_BY_DIGIT.get(word, UNKNOWN) if has_digits else UNKNOWN)


def verdict_column(columns: Sequence[str], checker: Checker) -> str | None:
    """Return the column that carries the verdict, or None.

    That is the first of these that the export has:

    1. the result column that the vendor documents for the checker
    2. a column named after the checker or its service
    3. a column with a generic name
    4. the only column, unless its name stands for a quantity or for another service

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
    words = set(_words(columns[0]))
    return None if words & (_QUANTITIES | _services() - {_service(checker)}) else columns[0]


def is_verdict_name(column: str, checker: Checker) -> bool:
    """Return whether a column is known by its name to carry the checker's verdict."""
    return column in _named_columns([column], checker)


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
    own = [name for name in columns if _is_own_name(name, checker)]
    # A shorter name is more certain: "band" before "band_status".
    for name in (*telling, *sorted(own, key=len), *GENERIC_NAMES):
        if name in columns:
            yield name


def _is_own_name(name: str, checker: Checker) -> bool:
    if name == normalised(checker.name):
        return True
    service = _service(checker)
    words = _words(name)
    return service in words and {*words} - {service} <= _FILLERS.union(GENERIC_NAMES)


def _service(checker: Checker) -> str:
    """Return the service that a checker is about, or nothing if it is not about one."""
    service = next(iter(_words(checker.name.lower())), "")
    return "" if service in _NOT_SERVICES else service


def _services() -> set[str]:
    return {*map(_service, checkers().values()), *_MORE_SERVICES} - {""}


def _words(name: str) -> list[str]:
    return [_ALIASES.get(word, word) for word in _WORD.findall(name)]
