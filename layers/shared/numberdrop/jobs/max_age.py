"""The age up to which remembered verdicts are reused for one file, as its user wants it."""

import re
from collections.abc import Mapping

MAX_AGE_METADATA = "max-age-days"
"""The object's metadata with the age in days from which a verdict is not reused. 0 sends all entries."""

LONGEST_LIFE = 365
"""Days. No verdict is remembered longer, see the template's ``RememberYesDays`` and ``RememberNoDays``."""

_DAYS = re.compile(r"[0-9]{1,5}", re.ASCII)


def max_age_days(metadata: Mapping[str, str]) -> int | None:
    """Return how many days old a verdict may be, or None if any verdict that is remembered counts.

    A value that is not a number of days counts as 0: no answer is older than the user wanted.

    >>> max_age_days({"max-age-days": "30"}), max_age_days({"max-age-days": "a month"}), max_age_days({})
    (30, 0, None)

    Args:
        metadata: the object's metadata, with names in lower case.
    """
    text = metadata.get(MAX_AGE_METADATA, "").strip()
    if not text:
        return None
    return int(text) if _DAYS.fullmatch(text) else 0
